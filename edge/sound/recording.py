"""Sound that was recorded before: what a file and standard input have in common as sources."""

import threading
import time
from collections.abc import Callable, Iterator

from common.errors import InputError
from edge.sound.source import BLOCK_MS, Block, Samples, rechunk

_BLOCK_S = BLOCK_MS / 1000

WAS_USED = "; what is there was used"
"""How the sentence on sound that is cut short ends: who takes all of it or nothing takes that away."""


class Findings:
    """What was found odd while reading."""

    def __init__(self) -> None:
        self.not_numbers = 0
        """Samples that are NaN or infinite."""
        self.clipped = 0
        """Samples beyond full scale."""
        self.broken = False
        """The decoder gave up."""
        self.shortage: str | None = None
        """How it is shorter than it should be, such as "ends after 1.2 s, though its header says 3.0 s"."""


class Recording:
    """A source that ends. What is read from where is said by `_stretches`."""

    def __init__(
        self,
        name: str,
        *,
        called: str | None = None,
        realtime: bool = False,
        clock: Callable[[], float] = time.monotonic,
        wait: Callable[[float], object] | None = None,
    ) -> None:
        """`realtime`: each block comes when its last sample would have been spoken, by `clock` and `wait`, in seconds.
        `called`: its name in sentences."""
        self.name = name
        self._called = called or name
        self._realtime = realtime
        self._closed = threading.Event()
        self._clock = clock
        self._wait = wait or self._closed.wait
        self._findings = Findings()

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person may want to know of the sound read so far, a sentence each."""
        found = (
            (self._findings.not_numbers, "samples are no numbers; silence was taken instead."),
            (self._findings.clipped, "samples are beyond full scale and were clipped."),
        )
        return tuple(f"{self._called}: {count} {what}" for count, what in found if count)

    def blocks(self) -> Iterator[Block]:
        """All blocks. InputError, one sentence, when it cannot be read, or, after all blocks that are there, when it
        ends before it should."""
        begin_s: float | None = None
        for count, samples in enumerate(rechunk(self._stretches()), start=1):
            if self._realtime:
                begin_s = self._clock() if begin_s is None else begin_s
                self._wait(max(0.0, begin_s + count * _BLOCK_S - self._clock()))
            if self._closed.is_set():
                return
            yield Block(samples)
        if self._findings.shortage and not self._closed.is_set():
            raise InputError(f"{self._called}: {self._findings.shortage}{WAS_USED}.")

    def close(self) -> None:
        """Ends `blocks` soon, from any thread."""
        self._closed.set()

    def _stretches(self) -> Iterator[Samples]:
        """All sound at 16 kHz, in stretches of any length."""
        raise NotImplementedError
