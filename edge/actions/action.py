"""What an answer asks the board to do, and what does such things."""

from typing import Any, Protocol

import msgspec

from edge.asking.answer import Answer
from edge.spool.event import Event

NAME_CHARACTERS_MAX = 128

BROKER = "mqtt"
"""The name of the sink that publishes."""
BOARD = "board"
"""Name of the sink of what the board does by itself."""


class Action(msgspec.Struct, frozen=True):
    """One thing to do; an utterance asks for one at most."""

    utterance_id: str
    device_id: str
    name: str
    """Such as "timer.start". Whatever the owner of the domain called it: printable, and not empty."""
    spoken_at_unix_us: int
    """When the utterance began, by the board's clock."""
    values: dict[str, str] = {}
    """What was said, in one form: from a slot's name to such as "20 oz", or "600"."""
    slots: dict[str, str] = {}
    """The words of each slot."""
    data: dict[str, Any] = {}
    """What the catalogue's entry says, where the action is an entry's."""
    intent: str | None = None
    transcript: str = ""
    response: str | None = None
    """What may be said in answer."""
    ear: str | None = None
    """Who heard it, as in UtteranceHead."""

    def value(self, name: str) -> Any:
        """What was said for that slot, else what the catalogue's entry says; None: neither says anything."""
        return self.values.get(name, self.data.get(name))


class Sink(Protocol):
    """What does things. `run` is called in one thread, with one action at a time, and once for each."""

    name: str
    """Not that of another."""

    def wants(self, name: str) -> bool:
        """Whether actions of that name are for it."""

    def preview(self, action: Action) -> str:
        """What it would do, in a line for whoever set it up. ActionError as `run`, where that can be told before."""

    def run(self, action: Action, left_s: float) -> None:
        """Does it, and has an end: `left_s` is how long anybody still wants it begun. ActionError, a sentence without a
        word of what was said, if it could not be done."""


def action_of(event: Event, device_id: str) -> Action | None:
    """What the event lets the board do; None: nothing."""
    if not event.may_act or event.answer is None:
        return None
    return asked_for(
        event.answer,
        utterance_id=event.utterance_id,
        device_id=device_id,
        spoken_at_unix_us=event.spoken_at_unix_us,
        ear=event.ear,
    )


def asked_for(
    answer: Answer, *, utterance_id: str, device_id: str, spoken_at_unix_us: int, ear: str | None = None
) -> Action | None:
    """The intent's action, else that of the best result. None where the answer asks back, or holds none."""
    if answer.choices:
        return None
    name, data = answer.action, {}
    # Where a part could not be searched, the first may not be the best.
    if name is None and answer.results and not answer.results_are_partial:
        name, data = answer.results[0].action, answer.results[0].data
    if not name or not name.isprintable() or len(name) > NAME_CHARACTERS_MAX:
        return None
    return Action(
        utterance_id=utterance_id,
        device_id=device_id,
        name=name,
        spoken_at_unix_us=spoken_at_unix_us,
        values=answer.values,
        slots=answer.slots,
        data=data,
        intent=answer.intent,
        transcript=answer.transcript,
        response=answer.response,
        ear=ear,
    )
