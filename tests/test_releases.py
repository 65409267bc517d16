"""Boards and services one release apart: what an older one keeps and says is understood by today's."""

import asyncio
import shutil
from pathlib import Path

import pytest

from cloud.log.answer_log import Key, SqliteAnswerLog
from cloud.request_stream import Ended, Opened, RequestStream, Spoken
from edge.asking import wire
from edge.settings import Spool as Settings
from edge.spool import kept_frames
from edge.spool.spool import FILE_NAME, Spool
from edge.spool.store import State
from protos import codec, speech_pb2
from protos.feature_spec import DEFAULT_SPEC
from tests.releases.make import DEVICE, FINAL, HERE, read_messages

RELEASES = [folder for folder in sorted(HERE.iterdir()) if (folder / FILE_NAME).is_file()]
WAIT_S = 20

pytestmark = pytest.mark.parametrize("release", RELEASES, ids=lambda folder: folder.name)


def test_an_older_board_s_spool_is_read(release: Path, tmp_path: Path) -> None:
    shutil.copy(release / FILE_NAME, tmp_path)
    coding = kept_frames.coding(DEFAULT_SPEC)
    with Spool(tmp_path / FILE_NAME, Settings(), boot_id="now", coding=coding, hop_ms=10) as spool:
        waiting, aside = spool.ask(lambda store: store.kept()).result(WAIT_S)
        assert (waiting.state, aside.state, aside.last_error) == (State.WAITING, State.QUARANTINED, "refused")
        frames = kept_frames.frames(
            waiting.coding, spool.ask(lambda store: store.pieces(waiting.number)).result(WAIT_S)
        )
        assert waiting.end is not None
        assert 10 * sum(len(some.levels) for some in frames) == pytest.approx(waiting.end.duration_ms, abs=30)
        events = spool.ask(lambda store: store.events()).result(WAIT_S)
        assert [(number, event.kind) for number, event in events] == [(1, "refused"), (2, "final")]
        assert events[1][1].answer is not None
        assert events[1][1].answer.transcript == "set a timer for ten minutes"


def test_an_older_service_s_answers_are_found(release: Path, tmp_path: Path) -> None:
    shutil.copy(release / "answers.db", tmp_path)
    with SqliteAnswerLog(tmp_path / "answers.db") as log:
        assert asyncio.run(log.get(Key(DEVICE, "u-1"))) == FINAL


def test_an_older_board_is_understood(release: Path) -> None:
    stream = RequestStream(utterance_s_max=31, domains=frozenset({"home"}))
    events = [stream.accept(request) for request in read_messages(release / "requests.bin")]
    assert isinstance(events[0], Opened)
    assert isinstance(events[-1], Ended)
    assert sum(len(event.levels) for event in events if isinstance(event, Spoken)) > 200


def test_an_older_service_is_understood(release: Path) -> None:
    described, *responses = read_messages(release / "responses.bin")
    description = speech_pb2.DescribeResponse.FromString(described)
    assert wire.choose_codec("there:1", DEFAULT_SPEC, description) == codec.CODECS[0]
    final = speech_pb2.RecognizeResponse.FromString(responses[-1]).final
    answer = wire.answer(final)
    assert (answer.transcript, answer.results[0].action) == ("set a timer for ten minutes", "timer.start")
