"""Stand-ins for the board's neighbours, with the same interface."""

from collections.abc import Callable, Iterator
from typing import Any, Self

import numpy as np

from common.errors import CloudError, InputError
from edge.asking.answer import Alternative, Answer, Partial, Result
from edge.asking.recogniser import Listener, Service
from edge.clock import Clock
from edge.sound.source import BLOCK_SAMPLES, Block
from edge.speech.utterance import EndReason, Heard, Progress, UtteranceEnd, UtteranceFrames, UtteranceHead
from edge.spool.spool import Spool

ANSWER = Answer(
    "cloud",
    transcript="set a timer for ten minutes",
    confidence=0.875,
    alternatives=(Alternative("set a time for ten minutes", 0.1, "pocketsphinx"),),
    results=(Result("timer-10", "Timer, 10 minutes", "Starts a timer.", 3.5, None, "timer.start"),),
    engine="whisper",
    model="tiny.en",
    waiting_ms=1,
    decoding_ms=20,
    searching_ms=3,
)


class FakeStream:
    """Counts what it is sent, and settles when it may."""

    def __init__(
        self, on_partial: Callable[[Partial], None], settle: Callable[[], None], *, when_finished: bool
    ) -> None:
        self.wire_bytes = 0
        self.settle = settle
        self._on_partial = on_partial
        self._when_finished = when_finished

    def send(self, heard: Progress) -> None:
        self.wire_bytes += heard.levels.size if isinstance(heard, UtteranceFrames) else 0
        self._on_partial(Partial("set a", "time"))

    def finish(self, end: UtteranceEnd) -> None:
        if self._when_finished:
            self.settle()


class FakeRecogniser:
    """Gives the same outcome to each utterance: at once, or when the test says so."""

    def __init__(self, outcome: Answer | CloudError = ANSWER, *, at_once: bool = True) -> None:
        self.alive = True
        self.streams: list[FakeStream] = []
        self._outcome = outcome
        self._at_once = at_once

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *cause: object) -> None:
        pass

    def services(self) -> list[Service]:
        return [Service("cloud", "127.0.0.1:7407", None, None)]

    def examples(self) -> list[str]:
        return ["set a timer for ten minutes"]

    def replay(self, spool: Spool, clock: Clock) -> Callable[[], None]:
        return lambda: None

    def watch(self, watcher: Any) -> Callable[[], None]:
        self.watcher = watcher
        return lambda: None

    def start(self, head: UtteranceHead, listener: Listener) -> FakeStream:
        self.tell_turn = listener.hear_turn

        def settle() -> None:
            listener.settle(self._outcome)
            listener.be_left()

        stream = FakeStream(listener.hear_partial, settle, when_finished=self._at_once)
        self.streams.append(stream)
        return stream


class FakeSource:
    """Blocks that are given; then, perhaps, a fault."""

    def __init__(self, name: str, blocks: list[Block] | None = None, fault: InputError | None = None) -> None:
        self.name = name
        self.closed = False
        self._blocks = blocks or []
        self.fault = fault

    def blocks(self) -> Iterator[Block]:
        yield from self._blocks
        if self.fault is not None:
            raise self.fault

    def close(self) -> None:
        self.closed = True


def silence(blocks: int) -> list[Block]:
    return [Block(np.zeros(BLOCK_SAMPLES, np.int16))] * blocks


def utterance(number: int) -> list[Heard]:
    """An utterance of one second, the number-th of its source, spoken from 0.2 to 0.6 s."""
    head = UtteranceHead(
        utterance_id=f"u{number}",
        session_id="s",
        sequence_number=number,
        follows_utterance_id=None,
        started_at_unix_us=1_700_000_000_000_000,
        clock_synchronised=None,
        started_monotonic_s=0.0,
        stream_start_ms=2000 * number,
        vad="fake",
    )
    end = UtteranceEnd(
        reason=EndReason.ENDPOINT,
        duration_ms=1000,
        speech_start_ms=200,
        speech_end_ms=600,
        last_sound_monotonic_s=0.6,
        ended_monotonic_s=1.0,
        level_dbfs=-20.0,
        peak_dbfs=-3.0,
        noise_floor_dbfs=None,
        snr_db=None,
        clipped_share=0.0,
        overruns=0,
        gaps=0,
    )
    frames = UtteranceFrames(0, np.zeros((98, 80), np.int8), np.full(16000, number, np.int16))
    return [head, frames, end]
