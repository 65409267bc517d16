"""The way from a device's callback, which must never wait, to the reader, who may."""

import queue
from typing import NamedTuple


class Piece(NamedTuple):
    """What one callback brought."""

    pcm: bytes
    overruns: int
    """Times that sound was lost just before it."""


class SoundQueue:
    """Bounded. When it is full the newest piece is dropped and counted, and the next that gets in bears the mark."""

    def __init__(self, pieces_max: int) -> None:
        self.overruns = 0
        """All of them since the beginning."""
        self._pieces: queue.SimpleQueue[Piece] = queue.SimpleQueue()
        self._pieces_max = pieces_max
        self._unmarked = 0

    def put(self, pcm: bytes, lost_before: bool) -> None:
        """For one thread only. Never waits."""
        full = self._pieces.qsize() >= self._pieces_max
        lost = int(lost_before) + int(full)
        self.overruns += lost
        self._unmarked += lost
        if not full:
            self._pieces.put(Piece(pcm, self._unmarked))
            self._unmarked = 0

    def clear(self) -> None:
        """Forgets what waits. Only while nobody puts."""
        while self.get(0):
            pass
        self._unmarked = 0

    def get(self, timeout_s: float) -> Piece | None:
        """The oldest piece; None if there is none in time."""
        try:
            return self._pieces.get(timeout=timeout_s)
        except queue.Empty:
            return None
