"""The short form of `scripts/bench capacity`: three boards at a time are heard, and all of it is counted."""

import asyncio
from pathlib import Path

import numpy as np
import pytest
import soundfile

from benchmarks import capacity, path, plain_engines
from benchmarks.boards import HANG_OVER_S, ROOM_S, SEEMS_OVER_S, Clip, Counted, Crowd, Pause, clip_of, encoded, pauses
from benchmarks.domains import bundle
from cloud.workers.worker import WorkerOptions
from protos import speech_pb2
from tests.conftest import Built, Speech


@pytest.fixture(scope="module")
def spoken(speech: Speech) -> list[Clip]:
    draw = np.random.default_rng(1)
    clips = [clip_of(speech.path(name), draw) for name in ("latte", "mocha")]
    return [clip for clip in clips if clip is not None]


def test_boards_speak_in_real_time_and_each_waits_for_its_final(
    tmp_path: Path, spoken: list[Clip], built: Built
) -> None:
    marks: list[None] = []
    with path.service(built(tmp_path), decoding_whisper="false", decoding_workers="1") as service:
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
    over = max(number for number, kind in enumerate(kinds) if kind == "speech_seems_over")
    assert kinds[-1] == "end"
    assert times == sorted(times)
    assert times[-1] - times[over] == pytest.approx(HANG_OVER_S - SEEMS_OVER_S, abs=0.05)
    assert sum(request.frames.frame_count for request in requests) == len(spoken[0].levels)


def test_a_pause_for_thought_seems_over_and_goes_on(speech: Speech) -> None:
    samples, rate_hz = soundfile.read(speech.path("latte"), dtype="int16")
    draw = np.random.default_rng(1)
    quiet = np.zeros(rate_hz, np.int16)
    sound = np.concatenate([quiet, samples, quiet, samples]) + draw.normal(0, 10, 2 * (rate_hz + len(samples)))
    (pause,) = pauses(sound.astype(np.int16))
    assert pause.goes_on_s - pause.seems_over_s + SEEMS_OVER_S > 1.0
    assert pause.goes_on_s == pytest.approx(len(samples) / rate_hz + ROOM_S, abs=0.6)
    clip = encoded(np.zeros((1000, 80), np.int8), 9.0, [Pause(3.0, 4.0)])
    told = [(due_s, speech_pb2.RecognizeRequest.FromString(request)) for due_s, request in clip.requests]
    assert [(due_s, request.WhichOneof("request")) for due_s, request in told if not request.HasField("frames")] == [
        (3.0, "speech_seems_over"),
        (4.0, "speech_goes_on"),
        (9.16, "speech_seems_over"),
        (10.0, "end"),
    ]


def test_plain_engines_decode_the_same(tmp_path: Path, spoken: list[Clip], built: Built) -> None:
    coffee = bundle("coffee")
    options = WorkerOptions("pocketsphinx", bundles=(coffee,), alone=True)
    share = plain_engines.cpu_share(options, coffee, spoken, processes=1, file=tmp_path / "clips.npz")
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
