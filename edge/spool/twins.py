"""One utterance that several microphones have heard: told for each, done once.

Of a board's own ears, which are its microphone and phones, it is found here; of several boards, by their service.
"""

import threading
from collections import deque

import msgspec

from common.twins import Said, are_twins
from edge.spool.event import Event

KEPT = 32
"""Answers that the next ones are compared with."""

OWN = "board"
"""The board's own microphone."""


class Twins:
    """For any thread."""

    def __init__(self) -> None:
        self._told: deque[Event] = deque(maxlen=KEPT)
        self._lock = threading.Lock()

    def marked(self, event: Event) -> Event:
        """The event; where another ear or board has heard the same before, it says so, and who heard it best."""
        if not event.may_act or event.answer is None:
            return event
        if (twin := event.answer.twin) is not None:
            best = twin.heard_best or event.ear or OWN
            return msgspec.structs.replace(event, twin_of=twin.utterance_id, twin_board=twin.board, heard_best=best)
        with self._lock:
            first = next((told for told in self._told if _is_twin(told, event)), None)
            self._told.append(event)
        if first is None:
            return event
        louder = event if (event.snr_db or 0.0) > (first.snr_db or 0.0) else first
        return msgspec.structs.replace(event, twin_of=first.utterance_id, heard_best=louder.ear or OWN)


def _is_twin(first: Event, second: Event) -> bool:
    return first.ear != second.ear and are_twins(_said(first), _said(second))


def _said(event: Event) -> Said:
    assert event.answer is not None
    answer = event.answer
    return Said(event.spoken_at_unix_us, event.duration_ms or 0, answer.transcript, answer.intent, answer.slots)
