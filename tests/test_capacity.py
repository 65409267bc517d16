"""The short form of `scripts/bench capacity`: three boards at a time are heard, and all of it is counted."""

import asyncio
from pathlib import Path

import numpy as np
import pytest

from benchmarks import capacity, path, plain_engines
from benchmarks.boards import HANG_OVER_S, SEEMS_OVER_S, Clip, Counted, Crowd, clip_of
from cloud.domain import load_domain
from cloud.worker import WorkerOptions
from protos import speech_pb2
from tests.conftest import Speech


@pytest.fixture(scope="module")
def spoken(speech: Speech) -> list[Clip]:
    draw = np.random.default_rng(1)
    clips = [clip_of(speech.path(name), draw) for name in ("latte", "mocha")]
    return [clip for clip in clips if clip is not None]


def test_boards_speak_in_real_time_and_each_waits_for_its_final(tmp_path: Path, spoken: list[Clip]) -> None:
    marks: list[None] = []
    with path.service(tmp_path, decoding_whisper="false", decoding_workers="1") as service:
        crowd = Crowd(service.address, "coffee", spoken)
        said = asyncio.run(crowd.speak(2, 0, 6, lambda: marks.append(None)))
    assert (said.boards, said.failed, len(marks)) == (2, 0, 2)
    assert said.waits_ms
    # No faster than they speak.
    assert 1 < said.heard_s < 2 * said.elapsed_s


def test_a_clip_is_sent_as_a_board_sends_it(spoken: list[Clip]) -> None:
    requests = [speech_pb2.RecognizeRequest.FromString(request) for _, request in spoken[0].requests]
    times = [due_s for due_s, _ in spoken[0].requests]
    kinds = [request.WhichOneof("request") for request in requests]
    over = kinds.index("speech_seems_over")
    assert kinds[-1] == "end"
    assert times == sorted(times)
    assert times[-1] - times[over] == pytest.approx(HANG_OVER_S - SEEMS_OVER_S, abs=0.05)
    assert sum(request.frames.frame_count for request in requests) == len(spoken[0].levels)


def test_plain_engines_decode_the_same(tmp_path: Path, spoken: list[Clip]) -> None:
    folder = str(load_domain("coffee").folder)
    options = WorkerOptions("pocketsphinx", domain_folders=(folder,), alone=True)
    share = plain_engines.cpu_share(options, folder, spoken, processes=1, file=tmp_path / "clips.npz")
    assert 0.001 < share < 1


@pytest.mark.parametrize("bears", [1, 4, 5, 23, 64])
def test_the_bound_is_found(bears: int) -> None:
    borne, too_many, number = 0, 0, capacity.BOARDS_FIRST
    while number:
        borne, too_many = (number, too_many) if number <= bears else (borne, number)
        number = capacity.next_number(borne, too_many)
    assert borne <= bears < too_many
    assert too_many <= max(capacity.FINENESS * borne, borne + 1)


@pytest.mark.parametrize(
    ("waits", "refused", "bears"), [(100, 0, True), (100, 2, True), (100, 5, False), (0, 0, False)]
)
def test_a_bound_is_no_bound_where_many_are_refused(waits: int, refused: int, bears: bool) -> None:
    said = Counted(10, [400.0] * waits, [5.0] * refused, 0, 100.0, 10.0)
    assert capacity.Point(said, 5.0).bears == bears
