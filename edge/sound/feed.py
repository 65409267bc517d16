"""Sound on its way from an event loop to the thread that hears it: a source that somebody fills."""

import asyncio
import queue
from collections.abc import Iterator
from contextlib import suppress

from edge.sound.source import SAMPLE_RATE_HZ, Block, Cutter, Interruption, Samples

WAITING_S_MAX = 10.0
"""So much sound may wait to be heard; whoever sends more waits until some was."""


class Feed:
    """A Source. It is filled and closed in the loop that it was made in, and read in another thread."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.lost = 0
        """Times that sound was missing."""
        self._loop = asyncio.get_running_loop()
        # None is the end.
        self._stretches: queue.SimpleQueue[Samples | Interruption | int | None] = queue.SimpleQueue()
        self._put_samples = 0
        self._read_samples = 0
        self._room = asyncio.Event()
        self._closed = False
        self._abandoned = False

    @property
    def sound_s(self) -> float:
        """Seconds of sound that have been put in."""
        return self._put_samples / SAMPLE_RATE_HZ

    async def put(self, stretch: Samples) -> None:
        """What comes after `end` is left out."""
        if self._closed or not stretch.size:
            return
        self._put_samples += stretch.size
        self._stretches.put(stretch)
        # Whoever reads never waits for anything but for us, so this ends.
        while self._put_samples - self._read_samples > WAITING_S_MAX * SAMPLE_RATE_HZ and not self._closed:
            self._room.clear()
            await self._room.wait()

    def lose(self) -> None:
        """A moment of sound is missing here: speech goes on after it."""
        self.lost += 1
        self._stretches.put(1)

    def interrupt(self) -> None:
        """What comes next is another stretch of time."""
        self.lost += 1
        self._stretches.put(Interruption("lost"))

    def end(self) -> None:
        """All sound is there. May be called twice."""
        if not self._closed:
            self._closed = True
            self._room.set()
            self._stretches.put(None)

    def close(self) -> None:
        """As `end`, but what waits to be heard is left out."""
        self._abandoned = True
        self.end()

    def blocks(self) -> Iterator[Block | Interruption]:
        """See Source."""
        cutter = Cutter()
        overruns = 0
        while (stretch := self._stretches.get()) is not None and not self._abandoned:
            if isinstance(stretch, Interruption):
                yield from (Block(samples) for samples in cutter.flush())
                yield stretch
                continue
            if isinstance(stretch, int):
                overruns += stretch
                continue
            for samples in cutter.push(stretch):
                yield Block(samples, overruns)
                overruns = 0
            self._read_samples += stretch.size
            # Whoever filled it may be gone, and the loop with it.
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._room.set)
        for samples in cutter.flush():
            yield Block(samples, overruns)
