"""What people say of answers is kept on the board, and told to each service once, when it is there; unless it is
forgotten before."""

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import grpc
import msgspec
import pytest
from edge_fakes import ANSWER, utterance

from cloud.log.answer_log import Key
from cloud.log.answer_store import AnswerStore
from common.errors import SpoolError
from common.settings import load
from edge.asking.answer import Answer
from edge.asking.cloud_channel import CallFailed, Trouble
from edge.asking.services import chain_of
from edge.clock import SYSTEM_CLOCK
from edge.settings import EdgeSettings
from edge.settings import Spool as Settings
from edge.speech.utterance import UtteranceEnd, UtteranceHead
from edge.spool import courier
from edge.spool.debts import Owed
from edge.spool.erasure import Erasure
from edge.spool.event import Kind
from edge.spool.feedback import Feedback
from edge.spool.spool import Spool
from edge.spool.store import Quota, SpoolStore
from protos import speech_pb2
from tests.test_answer_log import on_the_disk, put
from tests.test_forget import answering

WAIT_S = 20


@contextmanager
def board(folder: Path, *services: str, answers_max: int = 1000) -> Iterator[Spool]:
    settings = Settings(answers_max=answers_max)
    with Spool(folder / "spool.db", settings, boot_id="b", coding="coded", hop_ms=10) as spool:
        spool.services = services
        yield spool


def answered(spool: Spool, number: int, *answers: Answer, spoken_at_unix_us: int = 0) -> None:
    """Utterance u<number>, and what its user was told."""
    head, _, end = utterance(number)
    assert isinstance(head, UtteranceHead)
    assert isinstance(end, UtteranceEnd)
    entry = spool.begin(msgspec.structs.replace(head, started_at_unix_us=spoken_at_unix_us))
    spool.finish(entry, end)
    for answer, kind in zip(answers or (ANSWER,), (Kind.FINAL, Kind.BETTER), strict=False):
        spool.tell(entry, kind, answer=answer)
    spool.acknowledge(entry)


def said(feedback_id: str = "f1", utterance_id: str = "u0", **fields: Any) -> Feedback:
    return Feedback(feedback_id, utterance_id, 7, **fields)


def kept(spool: Spool) -> list[str]:
    return [one.feedback_id for one in spool.ask(lambda store: store.debts.feedback()).result(WAIT_S)]


def owed(spool: Spool, service: str) -> list[Owed]:
    return [what for _, what in spool.ask(lambda store: store.debts.owed(service)).result(WAIT_S)]


def test_what_is_said_is_kept_and_owed_to_each_service_once(tmp_path: Path) -> None:
    with board(tmp_path, "cloud", "house") as spool:
        answered(spool, 0)
        spool.give(said(verdict="wrong", transcript="play chess"))
        spool.give(said(verdict="right"))
        given = said(verdict="wrong", transcript="play chess", of_transcript=ANSWER.transcript)
        assert owed(spool, "cloud") == owed(spool, "house") == [given]
    with board(tmp_path, "cloud") as spool:
        spool.ask(lambda store: store.debts.settle(1)).result(WAIT_S)
        assert (owed(spool, "cloud"), owed(spool, "house")) == ([], [given])
        # It was sent, and is known all the same.
        spool.give(said())
        assert (kept(spool), owed(spool, "cloud")) == (["f1"], [])


def test_what_is_said_is_on_the_disk_at_once(tmp_path: Path) -> None:
    """A phone that was told it is kept does not say it again."""
    settings = Settings(commit_ms=10_000)
    until_s = time.monotonic() + 5
    with Spool(tmp_path / "spool.db", settings, boot_id="b", coding="coded", hop_ms=10) as spool:
        answered(spool, 0)
        spool.ask(lambda store: None).result(WAIT_S)
        spool.give(said())
        with closing(SpoolStore(tmp_path / "spool.db", Quota(1 << 20, 1000))) as other:
            while not other.debts.feedback():
                assert time.monotonic() < until_s


def test_the_answer_that_was_seen_last_is_the_one_that_is_judged(tmp_path: Path) -> None:
    with board(tmp_path, "cloud") as spool:
        answered(spool, 0, ANSWER, msgspec.structs.replace(ANSWER, transcript="better"))
        answered(spool, 1, msgspec.structs.replace(ANSWER, transcript="x" * 1001))
        for feedback in (said("f1"), said("f2", of_transcript="seen"), said("f3", "u1")):
            spool.give(feedback)
        assert [what.of_transcript for what in owed(spool, "cloud") if isinstance(what, Feedback)] == [
            "better",
            "seen",
            None,
        ]


def test_of_what_is_not_known_here_nothing_is_kept(tmp_path: Path) -> None:
    """It may have been forgotten, and a phone that slept tells what was said of it."""
    with board(tmp_path, "cloud") as spool:
        answered(spool, 0)
        spool.give(said("f1", "u9"))
        spool.ask(lambda store: store.erase(Erasure("u0"))).result(WAIT_S)
        spool.give(said("f2"))
        assert (kept(spool), owed(spool, "cloud")) == ([], [])


def test_what_waits_to_be_answered_may_be_spoken_of(tmp_path: Path) -> None:
    with board(tmp_path, "cloud") as spool:
        head = utterance(0)[0]
        assert isinstance(head, UtteranceHead)
        spool.begin(head)
        spool.give(said(transcript="play chess"))
        assert kept(spool) == ["f1"]


@pytest.mark.parametrize(
    ("erasure", "left"),
    [
        (Erasure("u1"), ["f0", "f2"]),
        (Erasure(since_unix_us=1_000_000), ["f0"]),
        (Erasure(until_unix_us=1_500_000), ["f2"]),
        (Erasure(), []),
    ],
)
def test_what_is_forgotten_is_not_sent_any_more(tmp_path: Path, erasure: Erasure, left: list[str]) -> None:
    with board(tmp_path, "cloud") as spool:
        for number in range(3):
            answered(spool, number, spoken_at_unix_us=number * 1_000_000)
            spool.give(said(f"f{number}", f"u{number}", transcript=f"canary-{number}"))
        assert on_the_disk(tmp_path, "canary-1") or kept(spool)

        def forget(store: SpoolStore) -> int:
            with store.transaction():
                store.debts.owe("cloud", Erasure("u7"))
                erased = store.erase(erasure)
            store.truncate_log()
            return erased

        assert spool.ask(forget).result(WAIT_S) == 3 - len(left)
        assert kept(spool) == left
        first, *rest = owed(spool, "cloud")
        assert first == Erasure("u7")
        assert [what.feedback_id for what in rest if isinstance(what, Feedback)] == left
    for number in range(3):
        assert bool(on_the_disk(tmp_path, f"canary-{number}")) == (f"f{number}" in left)


def test_what_is_kept_is_bounded_and_so_is_what_is_owed(tmp_path: Path) -> None:
    with board(tmp_path, "cloud", answers_max=3) as spool:
        answered(spool, 0)
        for number in range(5):
            spool.give(said(f"f{number}"))
        assert kept(spool) == ["f2", "f3", "f4"]
        assert len(owed(spool, "cloud")) == 3


class Service:
    """Takes what it is owed, or does not."""

    address = "there:1"

    def __init__(self, *troubles: Trouble | None) -> None:
        self.told: list[Owed] = []
        self.meanwhile = lambda: None
        self._troubles = [*troubles]

    async def forget(self, erasure: Erasure) -> int:
        return self._take(erasure)

    async def give(self, feedback: Feedback) -> None:
        self._take(feedback)

    def _take(self, owed: Owed) -> int:
        trouble = self._troubles.pop(0) if self._troubles else None
        if trouble is not None:
            raise CallFailed("It does not.", trouble)
        self.told.append(owed)
        self.meanwhile()
        return 1


class Link:
    """Notes what it hears."""

    def __init__(self) -> None:
        self.troubles: list[Trouble] = []

    async def up(self) -> None:
        pass

    def failed(self, error: CallFailed) -> None:
        self.troubles.append(error.trouble)


def brought(spool: Spool, service: Service, link: Link, *, looks: int = 1) -> None:
    """What a courier does in so many looks at the spool."""
    left = [looks]

    async def pause(seconds: float) -> None:
        left[0] -= 1
        if not left[0]:
            raise asyncio.CancelledError

    with pytest.MonkeyPatch.context() as patch, pytest.raises(asyncio.CancelledError):
        patch.setattr(courier.asyncio, "sleep", pause)
        runner: Any = courier.Courier(spool, "cloud", service, link)  # type: ignore[arg-type]
        asyncio.run(runner.run())


def test_a_service_that_is_away_is_told_when_it_is_there(tmp_path: Path) -> None:
    link, service = Link(), Service(Trouble.AWAY, None, Trouble.BUSY)
    with board(tmp_path, "cloud") as spool:
        answered(spool, 0)
        for number in range(2):
            spool.give(said(f"f{number}"))
        brought(spool, service, link)
        assert (service.told, link.troubles) == ([], [Trouble.AWAY])
        brought(spool, service, link, looks=3)
        assert [what.feedback_id for what in service.told if isinstance(what, Feedback)] == ["f0", "f1"]
        assert link.troubles == [Trouble.AWAY, Trouble.BUSY]
        assert owed(spool, "cloud") == []


def test_what_is_to_be_forgotten_goes_first_and_waits_for_no_feedback_that_a_service_cannot_take(
    tmp_path: Path,
) -> None:
    link, service = Link(), Service(None, Trouble.OTHER_TERMS)
    with board(tmp_path, "cloud") as spool:
        answered(spool, 0)
        spool.give(said())
        spool.ask(lambda store: store.debts.owe("cloud", Erasure("u7"))).result(WAIT_S)
        brought(spool, service, link)
        assert service.told == [Erasure("u7")]
        assert len(owed(spool, "cloud")) == 1


def test_what_a_service_will_never_take_is_owed_no_more(tmp_path: Path) -> None:
    link, service = Link(), Service(Trouble.REFUSED)
    with board(tmp_path, "cloud") as spool:
        answered(spool, 0)
        for number in range(2):
            spool.give(said(f"f{number}"))
        brought(spool, service, link)
        assert [what.feedback_id for what in service.told if isinstance(what, Feedback)] == ["f1"]
        assert (owed(spool, "cloud"), link.troubles) == ([], [])


def test_what_is_forgotten_on_its_way_is_forgotten_there_too(tmp_path: Path) -> None:
    service = Service()
    with board(tmp_path, "cloud") as spool:
        answered(spool, 0)
        spool.give(said())

        def forget_once() -> None:
            service.meanwhile = lambda: None
            done.append(threading.Thread(target=lambda: spool.ask(lambda store: store.erase(Erasure("u0"))).result()))
            done[0].start()
            done[0].join(WAIT_S)

        done: list[threading.Thread] = []
        service.meanwhile = forget_once
        brought(spool, service, Link(), looks=2)
        assert [type(what) for what in service.told] == [Feedback, Erasure]
        assert service.told[1] == Erasure("u0")


def test_the_real_service_is_told_by_the_real_channel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(courier, "LOOK_S", 0.01)
    with answering(tmp_path / "service") as service:
        put(service.log, Key("kitchen", "u0"), "play jazz")
        options = {"cloud.address": service.address, "device.id": "kitchen", "device.state_dir": tmp_path / "board"}
        chain = chain_of(load(EdgeSettings, file=None, environment_prefix="NONE", options=options))
        with board(tmp_path / "board") as spool, chain:
            answered(spool, 0)
            spool.live.add("u0")
            chain.replay(spool, SYSTEM_CLOCK)
            assert spool.services == ["cloud"]
            spool.give(said(verdict="wrong", transcript="play chess", result_id="chess", choice=1, given_by="ab12"))
            while not kept(spool) or owed(spool, "cloud"):
                pass
        with closing(AnswerStore(tmp_path / "service" / "answers.db")) as store:
            (logged,) = store.everything()
    assert [speech_pb2.FeedbackRequest.FromString(request) for request in logged.feedback] == [
        speech_pb2.FeedbackRequest(
            device_id="kitchen",
            utterance_id="u0",
            feedback_id="f1",
            given_by="ab12",
            given_at_unix_us=7,
            verdict=speech_pb2.VERDICT_WRONG,
            transcript="play chess",
            result_id="chess",
            choice=1,
            of_transcript=ANSWER.transcript,
        )
    ]


def test_a_service_of_an_older_release_is_said_to_be_one() -> None:
    """It has no such method."""
    from edge.asking.cloud_channel import Channel

    async def ask() -> None:
        server = grpc.aio.server()
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        channel = Channel(f"127.0.0.1:{port}")
        try:
            await channel.give_feedback(speech_pb2.FeedbackRequest(), WAIT_S)
        finally:
            await channel.close()
            await server.stop(0)

    with pytest.raises(CallFailed, match="of an older release, which cannot be told what people say") as caught:
        asyncio.run(ask())
    assert caught.value.trouble is Trouble.OTHER_TERMS


@pytest.mark.parametrize(
    ("feedback", "fault"),
    [
        (said(verdict="right", transcript="play chess", result_id="chess", choice=1, given_by="ab12"), None),
        (said(), None),
        (said("a b"), "feedback_id"),
        (said(utterance_id=""), "utterance_id"),
        (said(result_id="<script>"), "result_id"),
        (said(given_by="x" * 65), "given_by"),
        (said(choice=2), "choice 2"),
        (said(choice=-1), "choice -1"),
        (said(transcript=" "), "no word"),
        (said(transcript="x" * 1001), "1001 characters"),
        (said(transcript="\udcff"), "no text"),
        (said(of_transcript="\udcff"), "no text"),
        (said(of_transcript="x" * 1001), "1001 characters"),
        (Feedback("f", "u", -1), "no time"),
        (Feedback("f", "u", 1 << 63), "no time"),
    ],
)
def test_what_no_service_would_take_is_known_here(feedback: Feedback, fault: str | None) -> None:
    assert feedback.fault is None if fault is None else fault in str(feedback.fault)


def test_what_no_service_would_take_is_not_kept(tmp_path: Path) -> None:
    with board(tmp_path, "cloud") as spool:
        answered(spool, 0)
        with pytest.raises(SpoolError, match="there are only 2"):
            spool.give(said(choice=2))
        assert kept(spool) == []
