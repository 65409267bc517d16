"""What the board counts while it runs, for whoever supervises a fleet of them."""

import threading
from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from typing import Any

from edge.asking.exchange import Exchange
from edge.spool.event import Event, Kind

WAIT_S = (0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0)
"""Upper bounds of the classes that waits are counted in."""
SILENCE_S = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.5, 2.0, 3.0)


class Waits:
    """How many were how long. One thread at a time."""

    def __init__(self, bounds_s: Sequence[float]) -> None:
        self.bounds_s = bounds_s
        self._counts = [0] * (len(bounds_s) + 1)
        self._sum_s = 0.0

    def add(self, wait_ms: int | None) -> None:
        """One more; None, which was not measured, is none."""
        if wait_ms is not None:
            self._counts[bisect_left(self.bounds_s, wait_ms / 1000)] += 1
            self._sum_s += wait_ms / 1000

    def said(self) -> dict[str, Any]:
        """bounds_s: upper bounds; counts: of each class, and of what is above the last; sum_s."""
        return {"bounds_s": list(self.bounds_s), "counts": list(self._counts), "sum_s": round(self._sum_s, 3)}


class Tally:
    """Since the daemon started. For any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._paths: Counter[str] = Counter()
        self._kinds: Counter[str] = Counter()
        self._ends: Counter[str] = Counter()
        self._empty = self._asked_back = 0
        self._final = Waits(WAIT_S)
        self._words = Waits(WAIT_S)
        self._silence = Waits(SILENCE_S)

    def over(self, exchange: Exchange) -> None:
        """An utterance has ended and been settled."""
        answer, timing = exchange.answer, exchange.timing(realtime=True)
        assert answer is not None and exchange.end is not None
        with self._lock:
            self._paths[answer.path] += 1
            self._ends[exchange.end.reason] += 1
            self._empty += answer.path != "none" and not answer.transcript
            self._asked_back += bool(answer.choices)
            self._final.add(timing.endpoint_to_final)
            self._words.add(timing.onset_to_first_partial)
            if exchange.end.reason == "endpoint":
                self._silence.add(timing.last_sound_to_endpoint)

    def tell(self, event: Event) -> None:
        """What came of an utterance."""
        if event.kind is not Kind.DONE:
            with self._lock:
                self._kinds[event.kind] += 1

    def said(self) -> dict[str, Any]:
        """For `Board.status`."""
        with self._lock:
            return {
                "paths": dict(self._paths),
                "kinds": dict(self._kinds),
                "ends": dict(self._ends),
                "empty": self._empty,
                "asked_back": self._asked_back,
                "final": self._final.said(),
                "words": self._words.said(),
                "silence": self._silence.said(),
            }
