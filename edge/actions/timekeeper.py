"""Watches the timers, and rings until somebody makes it stop: a button, the wake word, a word, or that nobody is there.

It rings in strokes, and the board hears between them: so "stop" is heard where there is nothing to press or to wake.
"""

import logging
import queue
import threading
import time
from collections.abc import Callable
from typing import Any

from edge.actions.timers import Timer, Timers
from edge.worker import Worker

logger = logging.getLogger(__name__)

STROKE_S = 4.0
"""From one stroke to the next: of that, half is silence."""

CLOSE_S_MAX = 2.0

WAIT_S_MAX = 3600.0


class Timekeeper:
    """A context manager. For any thread; what changes timers waits for the disk, `rings` and `silence` for nothing."""

    def __init__(self, timers: Timers, ring: Callable[[], object], on_change: Callable[[], object]) -> None:
        """`ring`: one stroke. `on_change`: a timer has begun to ring, or ceased to. Both are called in the thread of
        this, and must not wait."""
        self.worker = Worker("timers", self._work)
        self.rings = False
        """Whether any timer does."""
        self._timers = timers
        self._ring = ring
        self._on_change = on_change
        self._lock = threading.Lock()
        self._wakes: queue.SimpleQueue[Callable[[], object] | None] = queue.SimpleQueue()
        """What is to be done in the thread of this; None: it is to end."""

    def __enter__(self) -> "Timekeeper":
        self.worker.start()
        return self

    def __exit__(self, *cause: object) -> None:
        self._wakes.put(None)
        self.worker.join(CLOSE_S_MAX)

    def start(self, lasts_s: float) -> Timer:
        """See Timers."""
        try:
            with self._lock:
                return self._timers.start(lasts_s)
        finally:
            self._wakes.put(_nothing)

    def stop(self, lasts_s: float | None = None) -> list[Timer]:
        """See Timers."""
        with self._lock:
            gone = self._timers.stop(lasts_s)
            self.rings = bool(self._timers.ringing)
        self._wakes.put(_nothing)
        return gone

    def silence(self) -> bool:
        """Ends the ring, soon; whether anything rings."""
        if self.rings:
            self._wakes.put(self._silence)
        return self.rings

    def left(self) -> list[tuple[Timer, float]]:
        """Timers that run, the next one first, and the seconds that each still has."""
        with self._lock:
            return [(timer, self._timers.left_s(timer)) for timer in self._timers.running]

    def status(self) -> list[dict[str, Any]]:
        """Those that ring first, then the next one; see Board.status."""
        with self._lock:
            ringing = [{"lasts_s": timer.lasts_s, "left_s": 0.0, "rings": True} for timer in self._timers.ringing]
        return ringing + [
            {"lasts_s": timer.lasts_s, "left_s": round(left_s, 1), "rings": False} for timer, left_s in self.left()
        ]

    def _silence(self) -> None:
        with self._lock:
            if self._timers.ringing:
                self._timers.stop()
            self.rings = False

    def _work(self) -> None:
        rang, stroke_at_s = 0, 0.0
        while True:
            with self._lock:
                wait_s = self._timers.look()
                rings = len(self._timers.ringing)
                self.rings = rings > 0
            if rings != rang:
                logger.info("timers that ring: %d", rings)
                stroke_at_s = stroke_at_s if rang else time.monotonic()
                rang = rings
                self._on_change()
            if rings:
                if time.monotonic() >= stroke_at_s:
                    self._ring()
                    stroke_at_s = time.monotonic() + STROKE_S
                wait_s = min(wait_s, max(0.0, stroke_at_s - time.monotonic()))
            try:
                do = self._wakes.get(timeout=min(wait_s, WAIT_S_MAX))
            except queue.Empty:
                continue
            if do is None:
                return
            do()


def _nothing() -> None:
    """But to look again."""
