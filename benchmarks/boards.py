"""Boards by the dozen in one light process: clips that were encoded beforehand, sent in real time."""

import asyncio
import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import grpc
import numpy as np

from benchmarks import corpus, speech_marks
from benchmarks.path import RECOGNISE
from benchmarks.scenes import ROOM_DBFS, SPEECH_DBFS, as_samples, pink, trimmed
from edge import settings
from edge.local.gate import open_gate
from edge.sound.source import BLOCK_MS, Samples, rechunk
from edge.speech.log_mel import log_mel
from protos import codec, speech_pb2
from protos.feature_spec import DEFAULT_SPEC, Levels

SEEMS_OVER_S, HANG_OVER_S = 0.16, 0.40
"""What a board waits after the last speech before it says that it seems over, and that it is."""

ROOM_S = 1.0
"""Of the room before a clip: the gate learns from it what is no speech."""

MESSAGE_FRAMES = 10
FRAME_S = 0.01
PAUSE_S = (0.5, 1.5)
"""Between an answer and the next question."""
RETRY_S, RETRY_S_MAX = 0.2, 2.0
"""A refused board's first and longest pause, as in edge/asking/cloud_stream.py."""
ANSWER_S_MAX = 20.0


class Pause(NamedTuple):
    """Within speech, seconds from its first sample: the board says that it seems over, and then that it goes on."""

    seems_over_s: float
    goes_on_s: float


class Clip(NamedTuple):
    """What a board says, encoded beforehand."""

    levels: Levels
    needed_frames: int
    """Up to where speech seems over: what a decoder must hear."""
    requests: tuple[tuple[float, bytes], ...]
    """When each is sent, seconds from the first sample, the last at the endpoint."""

    @property
    def duration_s(self) -> float:
        return len(self.levels) * FRAME_S


class Outcome(NamedTuple):
    """What came of one utterance."""

    status: grpc.StatusCode
    wait_s: float
    """From the endpoint to the final, or from the first request to the refusal."""


class Counted(NamedTuple):
    """So many boards over a stretch of time."""

    boards: int
    waits_ms: list[float]
    refused_ms: list[float]
    failed: int
    """Utterances that ended otherwise."""
    heard_s: float
    """Of speech, by the service."""
    elapsed_s: float

    def p(self, percentile: int) -> float:
        return float(np.percentile(self.waits_ms, percentile)) if self.waits_ms else float("inf")


def clip_of(file: Path, draw: np.random.Generator) -> Clip | None:
    """A recording cut to its speech in a quiet room; None where its speech cannot be told."""
    sound = corpus.read(file)
    marks = speech_marks.find(sound)
    cut = trimmed(sound, marks) if marks is not None else None
    if cut is None:
        return None
    speech = cut.sound * np.float32(10 ** (SPEECH_DBFS / 20))
    length = cut.end + round((HANG_OVER_S + 0.02) * corpus.RATE_HZ)
    before = round(ROOM_S * corpus.RATE_HZ)
    room = corpus.at_level(pink(before + length, draw), ROOM_DBFS)
    room[before : before + len(speech)] += speech[:length]
    samples = as_samples(room)
    levels = DEFAULT_SPEC.quantise(log_mel(samples[before:], DEFAULT_SPEC))
    end_s = cut.end / corpus.RATE_HZ
    return encoded(levels, end_s, [pause for pause in pauses(samples) if pause.goes_on_s < end_s])


def pauses(samples: Samples) -> Iterator[Pause]:
    """What a board's gate takes for pauses, of speech after ROOM_S of the room."""
    gate = open_gate(settings.EdgeSettings())
    block_s = BLOCK_MS / 1000
    spoken_until_s = float("inf")
    for number, block in enumerate(rechunk([samples]), 1):
        at_s = number * block_s - ROOM_S
        is_speech = gate.is_speech(block)
        if at_s > 0 and is_speech:
            if at_s - block_s >= spoken_until_s + SEEMS_OVER_S:
                yield Pause(spoken_until_s + SEEMS_OVER_S, at_s)
            spoken_until_s = at_s


def encoded(levels: Levels, speech_end_s: float, within: Sequence[Pause] = ()) -> Clip:
    """As a board sends it: 100 ms a message, what it takes for the end, the end."""
    needed = min(round((speech_end_s + SEEMS_OVER_S) / FRAME_S), len(levels))
    over = {round(pause.seems_over_s / FRAME_S) for pause in within} | {needed}
    on = {round(pause.goes_on_s / FRAME_S) for pause in within}
    encoder = codec.encoder(speech_pb2.CODEC_DEFLATE, DEFAULT_SPEC)
    edges = itertools.pairwise(sorted({0, *over, *on, len(levels)}))
    starts = itertools.chain.from_iterable(range(*edge, MESSAGE_FRAMES) for edge in edges)
    requests = []
    for first, end in itertools.pairwise([*starts, len(levels)]):
        frames = speech_pb2.Frames(first_frame=first, frame_count=end - first, data=encoder.encode(levels[first:end]))
        requests.append((end * FRAME_S, speech_pb2.RecognizeRequest(frames=frames)))
        if end in over:
            seems_over = speech_pb2.SpeechSeemsOver(speech_end_ms=round(1000 * (end * FRAME_S - SEEMS_OVER_S)))
            requests.append((end * FRAME_S, speech_pb2.RecognizeRequest(speech_seems_over=seems_over)))
        if end in on:
            goes_on = speech_pb2.RecognizeRequest(speech_goes_on=speech_pb2.SpeechGoesOn())
            requests.append((end * FRAME_S, goes_on))
    ended = speech_pb2.UtteranceEnd(reason=speech_pb2.END_REASON_ENDPOINT)
    requests.append((len(levels) * FRAME_S, speech_pb2.RecognizeRequest(end=ended)))
    return Clip(levels, needed, tuple((due_s, request.SerializeToString()) for due_s, request in requests))


class Crowd:
    """Boards that speak, wait, pause and speak again."""

    def __init__(self, address: str, domain: str, clips: Sequence[Clip]) -> None:
        self.outcomes: list[Outcome] = []
        self.heard_s = 0.0
        self._address = address
        self._domain = domain
        self._clips = clips
        self._run = f"{time.time_ns():x}"
        self._numbers = itertools.count()

    async def speak(
        self, boards: int, warm_s: float, seconds: float, mark: Callable[[], None], first_seed: int = 0
    ) -> Counted:
        """All of them at a time. Counts what ends after `warm_s`, for so many seconds; `mark` is called at the
        beginning and at the end of that. Last utterances are given up. With the same seed they want to say the same."""
        tasks = [
            asyncio.create_task(self._board(f"board-{self._run}-{number}", first_seed + number))
            for number in range(boards)
        ]
        await asyncio.sleep(warm_s)
        heard_s, began_at, first = self.heard_s, time.monotonic(), len(self.outcomes)
        mark()
        await asyncio.sleep(seconds)
        mark()
        heard_s, elapsed_s = self.heard_s - heard_s, time.monotonic() - began_at
        counted = self.outcomes[first:]
        for task in tasks:
            task.cancel()
        for outcome in await asyncio.gather(*tasks, return_exceptions=True):
            if not isinstance(outcome, asyncio.CancelledError):
                raise AssertionError("a board broke") from outcome
        ok, busy = grpc.StatusCode.OK, grpc.StatusCode.RESOURCE_EXHAUSTED
        return Counted(
            boards,
            [1000 * outcome.wait_s for outcome in counted if outcome.status == ok],
            [1000 * outcome.wait_s for outcome in counted if outcome.status == busy],
            sum(outcome.status not in (ok, busy) for outcome in counted),
            heard_s,
            elapsed_s,
        )

    async def _board(self, device_id: str, seed: int) -> None:
        draw = np.random.default_rng(seed)
        async with grpc.aio.insecure_channel(self._address, options=[("grpc.use_local_subchannel_pool", 1)]) as channel:
            await asyncio.sleep(draw.uniform(0, 3 * PAUSE_S[1]))
            refused = 0
            while True:
                clip = self._clips[int(draw.integers(len(self._clips)))]
                outcome = await self._say(channel, device_id, clip)
                self.outcomes.append(outcome)
                refused = refused + 1 if outcome.status == grpc.StatusCode.RESOURCE_EXHAUSTED else 0
                pause_s = (0, min(RETRY_S * 2**refused, RETRY_S_MAX)) if refused else PAUSE_S
                await asyncio.sleep(draw.uniform(*pause_s))

    async def _say(self, channel: grpc.aio.Channel, device_id: str, clip: Clip) -> Outcome:
        """One utterance in real time."""
        call = _recognise(channel)(timeout=clip.duration_s + ANSWER_S_MAX)
        answer = asyncio.create_task(_answer(call))
        began_at = since = time.monotonic()
        try:
            await call.write(self._config(device_id))
            told_s = 0.0
            for due_s, request in clip.requests:
                await asyncio.sleep(began_at + due_s - time.monotonic())
                if answer.done():
                    break
                await call.write(request)
                self.heard_s += due_s - told_s
                told_s = due_s
            else:
                since = time.monotonic()
                await call.done_writing()
            status, at = await answer
        except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
            # It was ended while we wrote: how, the reader knows.
            status, at = await answer
        finally:
            answer.cancel()
            call.cancel()
        return Outcome(status, at - since)

    def _config(self, device_id: str) -> bytes:
        config = speech_pb2.UtteranceConfig(
            utterance_id=f"{self._run}-{next(self._numbers)}",
            device_id=device_id,
            feature_spec_fingerprint=DEFAULT_SPEC.fingerprint,
            codec=speech_pb2.CODEC_DEFLATE,
            domain=self._domain,
            attempt=1,
        )
        return speech_pb2.RecognizeRequest(config=config).SerializeToString()


def _recognise(channel: Any) -> Any:
    """The RPC, of bytes, which grpc-stubs does not know."""
    return channel.stream_stream(RECOGNISE)


async def _answer(call: Any) -> tuple[grpc.StatusCode, float]:
    """How a call ends, and when; OK at its final."""
    try:
        while response := await call.read():
            if speech_pb2.RecognizeResponse.FromString(response).HasField("final"):
                return grpc.StatusCode.OK, time.monotonic()
    except grpc.aio.AioRpcError as error:
        return error.code(), time.monotonic()
    return grpc.StatusCode.UNKNOWN, time.monotonic()
