"""One utterance that two ears of the board have heard, its own microphone and a phone's: told twice, done once."""

import threading
from collections import deque

import msgspec

from edge.asking.answer import Answer
from edge.spool.event import Event

KEPT = 32
"""Answers that the next ones are compared with."""
OVERLAP_MIN = 0.5
"""Of the shorter one: of what was said at the same time as the other."""
LIKENESS_MIN = 0.75
"""Of two transcripts, by their letters."""

OWN = "board"
"""The board's own microphone."""


class Twins:
    """For any thread."""

    def __init__(self) -> None:
        self._told: deque[Event] = deque(maxlen=KEPT)
        self._lock = threading.Lock()

    def marked(self, event: Event) -> Event:
        """The event; where another ear has heard the same before, it says so, and who heard it best."""
        if not event.may_act or event.answer is None:
            return event
        with self._lock:
            first = next((told for told in self._told if _is_twin(told, event)), None)
            self._told.append(event)
        if first is None:
            return event
        best = event if (event.snr_db or 0.0) > (first.snr_db or 0.0) else first
        return msgspec.structs.replace(event, twin_of=first.utterance_id, heard_best=best.ear or OWN)


def _is_twin(first: Event, second: Event) -> bool:
    return (
        first.ear != second.ear
        and _overlap(first, second) >= OVERLAP_MIN
        and first.answer is not None
        and second.answer is not None
        and _same(first.answer, second.answer)
    )


def _overlap(first: Event, second: Event) -> float:
    """Share of the shorter one."""
    if not first.duration_ms or not second.duration_ms:
        return 0.0
    begin_us = max(first.spoken_at_unix_us, second.spoken_at_unix_us)
    end_us = min(one.spoken_at_unix_us + 1000 * (one.duration_ms or 0) for one in (first, second))
    return (end_us - begin_us) / (1000 * min(first.duration_ms, second.duration_ms))


def _same(first: Answer, second: Answer) -> bool:
    """What was meant, or else what was said."""
    if first.intent and second.intent:
        return (first.intent, first.slots) == (second.intent, second.slots)
    import difflib  # Most boards have one ear.

    matcher = difflib.SequenceMatcher(None, first.transcript.lower(), second.transcript.lower(), autojunk=False)
    return matcher.ratio() >= LIKENESS_MIN
