"""What the board does by itself: timers, lists, and telling what can be said. Its replies are said and shown."""

import re
from collections.abc import Callable, Mapping
from functools import cache

from common.errors import ActionError
from edge.actions.action import BOARD, Action
from edge.actions.durations import given_s, said_s, told
from edge.actions.lists import Lists
from edge.actions.timekeeper import Timekeeper

LIST = "shopping"
"""Where none is named."""

SAID_MAX = 10
"""Items of a list that are said; of more, how many there are."""

Reply = Callable[[Action, str], object]
"""Says and shows a sentence, how it went; must not wait."""


class OwnSink:
    """A Sink."""

    name = BOARD

    def __init__(self, timekeeper: Timekeeper, lists: Lists, reply: Reply) -> None:
        self._timekeeper = timekeeper
        self._lists = lists
        self._reply = reply
        self._does: Mapping[str, Callable[[Action], str]] = {
            "timer.start": self._start_timer,
            "timer.ask": self._ask_how_long,
            "timer.stop": self._stop_timer,
            "timer.left": self._tell_timers,
            "ring.stop": self._stop_ring,
            "list.add": self._add,
            "list.show": self._show,
            "list.clear": self._clear,
            "help.show": _help,
        }

    def wants(self, name: str) -> bool:
        return name in self._does

    def preview(self, action: Action) -> str:
        return f"does {action.name} on the board itself"

    def run(self, action: Action, left_s: float) -> None:
        """See Sink. Why it was not done is said, too."""
        try:
            if said := self._does[action.name](action):
                self._reply(action, said)
        except ActionError as error:
            self._reply(action, str(error))
            raise

    def _start_timer(self, action: Action) -> str:
        lasts_s = _lasts_s(action)
        if lasts_s is None:
            return self._ask_how_long(action)
        self._timekeeper.start(lasts_s)
        return action.response or f"Timer for {told(lasts_s)}."

    def _ask_how_long(self, action: Action) -> str:
        return 'For how long? Say "set a timer for ten minutes".'

    def _stop_timer(self, action: Action) -> str:
        rang = self._timekeeper.rings
        gone = self._timekeeper.stop(_lasts_s(action))
        if not gone:
            return "There is no such timer."
        if rang:
            return "Done."
        if not {"all", "every"} & set(action.transcript.lower().split()):
            return f"The timer for {told(gone[0].lasts_s)} is cancelled."
        while self._timekeeper.stop():
            pass
        return "All timers are cancelled."

    def _stop_ring(self, action: Action) -> str:
        """Its silence tells that it was done."""
        self._timekeeper.silence()
        return ""

    def _tell_timers(self, action: Action) -> str:
        left = self._timekeeper.left()
        if not left:
            return "No timer is running."
        if len(left) == 1:
            return f"{told(left[0][1])} left."
        return " ".join(f"{told(left_s)} left of {told(timer.lasts_s)}." for timer, left_s in left[:SAID_MAX])

    def _add(self, action: Action) -> str:
        name, item = _list(action), action.value("item") or _said_item(action.transcript)
        if not item:
            return f'What shall be added? Say "add milk to the {name} list".'
        if not self._lists.add(name, str(item)):
            return f"{item} is on the {name} list already."
        return action.response or f"{item} is on the {name} list."

    def _show(self, action: Action) -> str:
        name = _list(action)
        items = self._lists.items(name)
        if not items:
            return f"The {name} list is empty."
        more = f", and {len(items) - SAID_MAX} more" if len(items) > SAID_MAX else ""
        return f"On the {name} list: {', '.join(items[:SAID_MAX])}{more}."

    def _clear(self, action: Action) -> str:
        count = self._lists.clear(_list(action))
        return f"The {_list(action)} list was empty." if not count else f"The {_list(action)} list is empty now."


def _lasts_s(action: Action) -> float | None:
    """What the domain understood; else what was said; else what the entry that was found says."""
    understood = given_s(action.values.get)
    said = said_s(action.transcript) if understood is None else understood
    return given_s(action.data.get) if said is None else said


def _list(action: Action) -> str:
    return str(action.value("list") or LIST).strip().lower()


def _said_item(transcript: str) -> str | None:
    match = _adding().match(transcript.strip())
    return match["item"] if match and match["item"].lower() not in ("something", "it") else None


@cache
def _adding() -> re.Pattern[str]:
    """Made when it is first needed: most boards idle most of the time."""
    return re.compile(
        r"^(?:please )?(?:add|put|buy|we need(?: to buy)?|i need(?: to buy)?) (?P<item>.+?)"
        r"(?: (?:to|on|onto) (?:the|my|our)(?: [a-z-]+)* list)?,?(?: please)?[.!]?$",
        re.IGNORECASE,
    )


def _help(action: Action) -> str:
    if action.response:
        return action.response
    raise ActionError("The domain does not tell what can be said.")
