"""What was told of changes: once a cause and place, with its end, snoozed where somebody knows; who was right. Pure.

An alert is of a cause (the same text for the same cause) and of where: a board, a group, or "" for all. What is told
again while it stands only counts. What comes back soon after it was over is the same again, and is told no more often
than once in REST_US, so that a change which comes and goes does not ring all day.
"""

from collections.abc import Sequence
from typing import Literal

import msgspec

HISTORY_MAX = 1000
STANDING_MAX = 200
"""Of more causes at a time nobody wants to hear."""
REST_US = 6 * 3_600_000_000

State = Literal["standing", "over"]
Judgement = Literal["right", "wrong"]
Event = Literal["began", "over", "cleared", "test"]
"""Cleared: it is over, and nobody wants to hear so; but what was left somewhere to be seen is to go."""


class Alert(msgspec.Struct, kw_only=True):
    """One."""

    number: int
    cause: str
    where: str = ""
    sentence: str
    command: str = ""
    """What to type next."""
    state: State = "standing"
    began_unix_us: int
    """When it was told."""
    since_unix_us: int | None = None
    """Since when it seems to have been so, where that is known."""
    last_unix_us: int
    """When it was last told so."""
    over_unix_us: int | None = None
    times: int = 1
    judged: Judgement | None = None
    """Whether it was one, by somebody who looked."""
    snoozed_until_unix_us: int | None = None
    is_told: bool = False
    """That it began."""

    @property
    def key(self) -> tuple[str, str]:
        return self.cause, self.where


class Snooze(msgspec.Struct):
    """Nobody wants to hear of a cause for a time."""

    cause: str
    where: str
    until_unix_us: int


class Told(msgspec.Struct, frozen=True):
    """What the sinks are to say."""

    event: Event
    number: int
    cause: str
    where: str
    sentence: str
    command: str
    at_unix_us: int

    @property
    def key(self) -> str:
        """The same whenever it is told again."""
        return f"{self.number}-{self.event}"


class AlertBook(msgspec.Struct):
    """All alerts of a service, the oldest first; see Record of common/record.py for how it is kept."""

    alerts: list[Alert] = []
    snoozes: list[Snooze] = []
    next_number: int = 1
    waiting: list[Told] = []
    """What the sinks were not told yet: a service that dies in between tells it when it is there again."""
    told: dict[str, list[str]] = {}
    """Of that, who had it already, by Told.key."""


WAITING_MAX = 200


def report(
    book: AlertBook,
    cause: str,
    where: str,
    sentence: str,
    now_unix_us: int,
    *,
    command: str = "",
    since_unix_us: int | None = None,
) -> Alert | None:
    """A cause was seen; the alert if it is a new one, which somebody is to hear of, else None."""
    standing = _standing(book, cause, where)
    if standing is not None:
        standing.times += 1
        standing.last_unix_us = max(standing.last_unix_us, now_unix_us)
        return None
    before = next((one for one in reversed(book.alerts) if one.key == (cause, where)), None)
    if before is not None and before.over_unix_us is not None and now_unix_us - before.began_unix_us < REST_US:
        before.state, before.over_unix_us = "standing", None
        before.times += 1
        before.last_unix_us = now_unix_us
        return None
    if sum(one.state == "standing" for one in book.alerts) >= STANDING_MAX:
        return None
    alert = Alert(
        number=book.next_number,
        cause=cause,
        where=where,
        sentence=sentence,
        command=command,
        began_unix_us=now_unix_us,
        since_unix_us=since_unix_us,
        last_unix_us=now_unix_us,
    )
    book.next_number += 1
    book.alerts.append(alert)
    _trim(book)
    alert.is_told = not is_snoozed(book, cause, where, now_unix_us)
    if alert.is_told:
        _tell(book, alert, "began", alert.sentence, now_unix_us)
    return alert


def recover(book: AlertBook, cause: str, where: str, now_unix_us: int, sentence: str = "") -> Alert | None:
    """A cause is over; the alert if one stood."""
    standing = _standing(book, cause, where)
    if standing is None:
        return None
    standing.state, standing.over_unix_us = "over", now_unix_us
    if not is_snoozed(book, cause, where, now_unix_us):
        _tell(book, standing, "over", sentence or f"It is over: {standing.sentence}", now_unix_us)
    elif standing.is_told:
        _tell(book, standing, "cleared", "", now_unix_us)
    return standing


def snooze(book: AlertBook, cause: str, where: str, until_unix_us: int) -> None:
    """Nobody is told of it until then: neither that it begins nor that it is over."""
    book.snoozes = [one for one in book.snoozes if (one.cause, one.where) != (cause, where)]
    book.snoozes.append(Snooze(cause, where, until_unix_us))
    del book.snoozes[:-STANDING_MAX]
    for alert in book.alerts:
        if alert.key == (cause, where):
            alert.snoozed_until_unix_us = until_unix_us


def is_snoozed(book: AlertBook, cause: str, where: str, now_unix_us: int) -> bool:
    """Whether nobody wants to hear of it now."""
    return any((one.cause, one.where) == (cause, where) and now_unix_us < one.until_unix_us for one in book.snoozes)


def judge(book: AlertBook, number: int, judgement: Judgement) -> Alert | None:
    """Somebody looked; None: there is no such alert."""
    alert = find(book, number)
    if alert is not None:
        alert.judged = judgement
    return alert


def find(book: AlertBook, number: int) -> Alert | None:
    """The alert of that number."""
    return next((one for one in book.alerts if one.number == number), None)


def precision(alerts: Sequence[Alert]) -> tuple[int, int]:
    """How many were right, and how many somebody judged."""
    judged = [one for one in alerts if one.judged is not None]
    return sum(one.judged == "right" for one in judged), len(judged)


def _standing(book: AlertBook, cause: str, where: str) -> Alert | None:
    return next((one for one in book.alerts if one.state == "standing" and one.key == (cause, where)), None)


def _tell(book: AlertBook, alert: Alert, event: Event, sentence: str, now_unix_us: int) -> None:
    book.waiting.append(Told(event, alert.number, alert.cause, alert.where, sentence, alert.command, now_unix_us))
    for late in book.waiting[:-WAITING_MAX]:
        book.told.pop(late.key, None)
    del book.waiting[:-WAITING_MAX]


def _trim(book: AlertBook) -> None:
    """What is over goes first, the oldest of it."""
    while len(book.alerts) > HISTORY_MAX:
        over = next((place for place, one in enumerate(book.alerts) if one.state == "over"), 0)
        del book.alerts[over]
