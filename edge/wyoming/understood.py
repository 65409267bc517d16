"""What was understood of a sentence, as the Wyoming events `intent`, `handled` and their opposites.

A client may ask for it at once (`run-pipeline` to the end `intent` or `handle`), or come back with the transcript, as
Home Assistant's conversation does: then it is looked for among what was answered lately.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import NamedTuple

from wyoming.event import Event
from wyoming.handle import Handled, NotHandled
from wyoming.intent import Entity, Intent, NotRecognized

from edge.asking.answer import Answer

LATELY_S = 120.0
LATELY_MAX = 32

NOT_LATELY = "Only what was transcribed here a moment ago is understood."
NOT_UNDERSTOOD = "That is nothing that is known here."


class _Said(NamedTuple):
    """A transcript and what it meant."""

    at_s: float
    text: str
    answers: tuple[Answer, ...]


class Lately:
    """What was answered lately, by its transcript."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._said: deque[_Said] = deque(maxlen=LATELY_MAX)

    def keep(self, text: str, answers: tuple[Answer, ...]) -> None:
        if text:
            self._said.append(_Said(self._clock(), text, answers))

    def find(self, text: str) -> tuple[Answer, ...] | None:
        """The newest of that transcript; None: there was none lately."""
        since_s = self._clock() - LATELY_S
        while self._said and self._said[0].at_s < since_s:
            self._said.popleft()
        return next((said.answers for said in reversed(self._said) if said.text.strip() == text.strip()), None)


def intent(answers: Iterable[Answer]) -> Event:
    """One event: the first intent, or that there is none."""
    for answer in answers:
        if answer.intent is not None:
            # A value in one form says more than the words, where there is one.
            entities = [Entity(name, value) for name, value in (answer.slots | answer.values).items()]
            return Intent(answer.intent, entities, text=answer.response).event()
    return NotRecognized(NOT_UNDERSTOOD).event()


def handling(answers: Iterable[Answer]) -> Event:
    """One event: what may be said of it, the domain's words or what was found first, or that nothing can be."""
    said = " ".join(filter(None, map(_response, answers)))
    return (Handled(said) if said else NotHandled(NOT_UNDERSTOOD)).event()


def meaning(answers: tuple[Answer, ...] | None) -> Event:
    """One event for a client that wants either; None: that was not said here."""
    if answers is None:
        return NotRecognized(NOT_LATELY).event()
    found = intent(answers)
    return found if Intent.is_type(found.type) or not any(map(_response, answers)) else handling(answers)


def _response(answer: Answer) -> str | None:
    return answer.response or (answer.results[0].title if answer.results else None)
