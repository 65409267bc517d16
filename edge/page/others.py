"""What the other boards of the group are answered, for whoever looks on at this one.

The service is asked for it while somebody looks and a while after; nothing of it is on this board's disk. What is told
has a number of the service's own, beside those of this board's answers.
"""

import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from edge.page.audience import Place, Told, told
from edge.page.card import card
from edge.spool.event import Event, Kind

if TYPE_CHECKING:
    from edge.asking.group_watch import Other, Watcher

Watch = Callable[["Watcher"], Callable[[], None]]
"""Begins to tell a watcher; gives what ends it."""

KEPT = 100
"""Answers of others, the newest."""

LEFT_S_MAX = 60.0
"""So long the service is still asked when nobody looks any more: a phone comes back soon."""


class Others:
    """Belongs to the page's loop, but for what a Watcher does."""

    def __init__(
        self,
        watch: Watch,
        tell: Callable[[Told], None],
        soon: Callable[..., None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`tell`: everybody who looks on; `soon`: from any thread, in the page's loop."""
        self._watch = watch
        self._tell = tell
        self._soon = soon
        self._clock = clock
        self._end: Callable[[], None] | None = None
        self._watched_s = 0.0
        self._history: str | None = None
        self._why_not: str | None = None
        self._kept: deque[Told] = deque(maxlen=KEPT)

    def look(self, *, is_watched: bool) -> None:
        """Whether anybody looks on: begins, or ends after a while."""
        now_s = self._clock()
        if is_watched:
            self._watched_s = now_s
            if self._end is None:
                self._end = self._watch(self)
        elif self._end is not None and now_s - self._watched_s >= LEFT_S_MAX:
            self.close()

    def close(self) -> None:
        """Nothing is asked any more, and nothing kept."""
        if self._end is not None:
            self._end()
        self._end, self._history, self._why_not = None, None, None
        self._kept.clear()

    def since(self, known: Place | None) -> list[Told]:
        """What there is behind what somebody knows; with all of it, where they know another history."""
        if self._history is None and self._why_not is None:
            return []
        number = known.number if known is not None and known.history == self._history else 0
        return [self._state(), *(item for item in self._kept if item.place is not None and item.place.number > number)]

    # As a Watcher, in the network's thread.

    def watching(self, history: str, *, is_anew: bool) -> None:
        self._soon(self._begin, history, is_anew)

    def other(self, other: "Other") -> None:
        self._soon(self._put, other)

    def not_watching(self, why: str | None) -> None:
        self._soon(self._break_off, why)

    def _begin(self, history: str, is_anew: bool) -> None:
        if self._end is None:
            return
        if is_anew:
            self._kept.clear()
        self._history, self._why_not = history, None
        self._tell(self._state())

    def _put(self, other: "Other") -> None:
        if self._end is None or self._history is None:
            return
        item = told("answer", _card(other), place=Place(self._history, other.number))
        self._kept.append(item)
        self._tell(item)

    def _break_off(self, why: str | None) -> None:
        if self._end is not None and why != self._why_not:
            self._why_not = why
            self._tell(self._state())

    def _state(self) -> Told:
        """Which history what follows belongs to, and why nothing new comes."""
        place = Place(self._history, 0) if self._history is not None else None
        return told("others", {"history": self._history, "sentence": self._why_not}, place=place)


def _card(other: "Other") -> dict[str, object]:
    """As the page shows it."""
    answered_at_us = other.answered_at_unix_us
    twin = other.answer.twin
    event = Event(
        other.utterance_id,
        Kind.FINAL,
        answered_at_us,
        answered_at_us if other.spoken_at_unix_us is None else other.spoken_at_unix_us,
        other.answer,
        snr_db=other.snr_db,
        twin_of=twin.utterance_id if twin else None,
        twin_board=twin.board if twin else None,
        heard_best=(twin.heard_best or other.board) if twin else None,
    )
    return card(event) | {"board": other.board, "number": other.number}
