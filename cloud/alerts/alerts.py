"""What was told of changes: once a cause and place, with its end, snoozed where somebody knows; who was right. Pure.

An alert is of a cause (the same text for the same cause) and of where: a board, a group, or "" for all. What is told
again while it stands only counts. What is thought to be another cause later, because more has been seen of the same
change, is the same alert: its cause is put right, those who were told hear of it by an update, and what was thought
before stays in its history. What comes back soon after it was over is the same again, and is told no more often than
once in REST_US, so that a change which comes and goes does not ring all day. Of findings that come in lines it is known
what is the same: there an end is told once it has lasted END_US, and what is found before is no new alert.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Literal

import msgspec

FILE_NAME = "alerts.json"
HISTORY_MAX = 1000
STANDING_MAX = 200
"""Of more causes at a time nobody wants to hear."""
OPINIONS_MAX = 20
"""Of what was thought before; of more, the first stays and the oldest of the others goes."""
REST_US = 6 * 3_600_000_000
END_US = 48 * 3_600_000_000
"""On the lab's streams for tuning, whose changes never end, one change rang 1.4 times by a day, 1.1 by two."""

USUAL = "usual"
"""The line of what is not as usual in a stream: what is found later, while it is not, says more of the same change."""

State = Literal["standing", "over"]
Judgement = Literal["right", "wrong"]
Event = Literal["began", "changed", "over", "cleared", "test"]
"""Changed: its cause is thought to be another one. Cleared: it is over, and nobody wants to hear so; but what was left
somewhere to be seen is to go."""


class Opinion(msgspec.Struct):
    """What an alert's cause was thought to be."""

    cause: str
    sentence: str
    until_unix_us: int


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
    line: str = ""
    """Findings of one line are of one change, whatever their causes; "": the cause says which."""
    before: list[Opinion] = []
    """What it was thought to be, in order."""
    is_ending: bool = False
    """It is over, and nobody was told so yet."""
    changes: int = 0
    """How often its cause was put right."""
    words: list[str] = []
    """That people said and its texts have: erasing.py takes them out once they are in the log no more."""
    moved: list[str] = []
    """Features of cloud/drift that it names, where no cause explains it."""

    @property
    def key(self) -> tuple[str, str]:
        return self.cause, self.where

    @property
    def first_cause(self) -> str:
        """What it was told of at first."""
        return self.before[0].cause if self.before else self.cause

    def has_been(self, cause: str) -> bool:
        """Whether it is thought to be that, or was."""
        return cause == self.cause or any(one.cause == cause for one in self.before)


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
    first_cause: str = ""
    """What the alert was told of at first; "": the same."""
    changes: int = 0
    """How often its cause was put right."""
    words: tuple[str, ...] = ()
    """That people said and the sentence has."""

    @property
    def key(self) -> str:
        """The same whenever it is told again; another where the same happens again, such as a second end."""
        return f"{self.number}-{self.event}-{self.at_unix_us}"


class AlertBook(msgspec.Struct):
    """All alerts of a service, the oldest first; see Record of common/record.py for how it is kept."""

    alerts: list[Alert] = []
    snoozes: list[Snooze] = []
    next_number: int = 1
    waiting: list[Told] = []
    """What the sinks were not told yet: a service that dies in between tells it when it is there again."""
    told: dict[str, list[str]] = {}
    """Of that, who had it already, by Told.key."""
    accepted: list[str] = []
    """Where what is now is to stay; until whoever compares knows it, and learns anew what is usual."""


WAITING_MAX = 200


def report(
    book: AlertBook,
    cause: str,
    where: str,
    sentence: str,
    now_unix_us: int,
    *,
    command: str = "",
    line: str = "",
    words: Iterable[str] = (),
    moved: Iterable[str] = (),
    since_unix_us: int | None = None,
) -> Alert | None:
    """A cause was seen; the alert if it is a new one, which somebody is to hear of, else None. `line`, `words` and
    `moved`: as an Alert has them."""
    seen = Alert(
        number=book.next_number,
        cause=cause,
        where=where,
        sentence=sentence,
        command=command,
        began_unix_us=now_unix_us,
        since_unix_us=since_unix_us,
        last_unix_us=now_unix_us,
        line=line,
        words=list(words),
        moved=list(moved),
    )
    known = _standing(book, cause, where, line) or _resting(book, cause, where, line, now_unix_us)
    if known is not None:
        known.state, known.over_unix_us, known.is_ending = "standing", None, False
        known.times += 1
        known.last_unix_us = max(known.last_unix_us, now_unix_us)
        _put_right(book, known, seen)
        return None
    if sum(one.state == "standing" for one in book.alerts) >= STANDING_MAX:
        return None
    book.next_number += 1
    book.alerts.append(seen)
    _trim(book)
    _tell_beginning(book, seen, now_unix_us)
    return seen


def recover(
    book: AlertBook, cause: str, where: str, now_unix_us: int, sentence: str = "", *, line: str = ""
) -> Alert | None:
    """A cause is over; the alert if one stood."""
    standing = _standing(book, cause, where, line)
    if standing is None:
        return None
    standing.state, standing.over_unix_us = "over", now_unix_us
    if standing.line:
        standing.is_ending = True
    else:
        _tell_end(book, standing, now_unix_us, sentence)
    return standing


def has_ending(book: AlertBook, now_unix_us: int) -> bool:
    """Whether anything has been over for so long that it is to be told."""
    return any(_has_ended(one, now_unix_us) for one in book.alerts)


def end(book: AlertBook, now_unix_us: int) -> None:
    """Tells the end of what has been over for so long."""
    for one in book.alerts:
        if _has_ended(one, now_unix_us):
            one.is_ending = False
            since = datetime.fromtimestamp((one.over_unix_us or 0) / 1e6)
            _tell_end(book, one, now_unix_us, f"It is over since {since:%A %H:%M}: {one.sentence}")


def clear(book: AlertBook, alert: Alert, now_unix_us: int) -> None:
    """Nothing of it is to be seen anywhere any more."""
    _tell(book, alert, "cleared", "", now_unix_us)


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


def accept(book: AlertBook, number: int, now_unix_us: int) -> Alert | None:
    """What it told is to stay; None: there is no such alert that stands and is of what is usual."""
    alert = find(book, number)
    if alert is None or alert.state == "over" or alert.line != USUAL:
        return None
    alert.state, alert.over_unix_us = "over", now_unix_us
    book.accepted = [*(where for where in book.accepted if where != alert.where), alert.where]
    _tell_end(book, alert, now_unix_us, f"It is to stay so: {alert.sentence}")
    return alert


def find(book: AlertBook, number: int) -> Alert | None:
    """The alert of that number."""
    return next((one for one in book.alerts if one.number == number), None)


def precision(alerts: Sequence[Alert]) -> tuple[int, int]:
    """How many were right, and how many somebody judged."""
    judged = [one for one in alerts if one.judged is not None]
    return sum(one.judged == "right" for one in judged), len(judged)


def _standing(book: AlertBook, cause: str, where: str, line: str) -> Alert | None:
    """Of the same line rather than of the same cause."""
    here = [one for one in book.alerts if one.state == "standing" and one.where == where]
    of_line = [one for one in here if line and one.line == line]
    return next(iter([*of_line, *(one for one in here if one.cause == cause)]), None)


def _resting(book: AlertBook, cause: str, where: str, line: str, now_unix_us: int) -> Alert | None:
    """The same, that was over a short while ago."""
    of_line = [one for one in book.alerts if line and one.is_ending and (one.line, one.where) == (line, where)]
    if of_line and not _has_ended(of_line[-1], now_unix_us):
        return of_line[-1]
    last = next((one for one in reversed(book.alerts) if one.where == where and one.has_been(cause)), None)
    is_resting = last is not None and last.state == "over" and now_unix_us - last.began_unix_us < REST_US
    return last if is_resting else None


def _put_right(book: AlertBook, alert: Alert, seen: Alert) -> None:
    """More is known of it, if anything is."""
    new_words = [word for word in seen.words if word not in alert.words]
    if seen.cause == alert.cause and not new_words:
        return
    alert.before.append(Opinion(alert.cause, alert.sentence, seen.began_unix_us))
    if len(alert.before) > OPINIONS_MAX:
        del alert.before[1]
    alert.cause, alert.sentence, alert.command, alert.moved = seen.cause, seen.sentence, seen.command, seen.moved
    alert.words += new_words
    alert.changes += 1
    if not alert.is_told:
        _tell_beginning(book, alert, seen.began_unix_us)
    elif not _is_quiet(book, alert, seen.began_unix_us):
        _tell(book, alert, "changed", f"Now: {alert.sentence}", seen.began_unix_us)


def _tell_beginning(book: AlertBook, alert: Alert, now_unix_us: int) -> None:
    alert.is_told = not _is_quiet(book, alert, now_unix_us)
    if alert.is_told:
        _tell(book, alert, "began", alert.sentence, now_unix_us)


def _has_ended(alert: Alert, now_unix_us: int) -> bool:
    return alert.is_ending and alert.over_unix_us is not None and now_unix_us - alert.over_unix_us >= END_US


def _tell_end(book: AlertBook, alert: Alert, now_unix_us: int, sentence: str = "") -> None:
    if not _is_quiet(book, alert, now_unix_us):
        _tell(book, alert, "over", sentence or f"It is over: {alert.sentence}", now_unix_us)
    elif alert.is_told:
        clear(book, alert, now_unix_us)


def _is_quiet(book: AlertBook, alert: Alert, now_unix_us: int) -> bool:
    """Whether nobody wants to hear of it now, under any name that it had."""
    causes = (alert.cause, *(one.cause for one in alert.before))
    return any(is_snoozed(book, cause, alert.where, now_unix_us) for cause in causes)


def _tell(book: AlertBook, alert: Alert, event: Event, sentence: str, now_unix_us: int) -> None:
    book.waiting.append(
        Told(
            event,
            alert.number,
            alert.cause,
            alert.where,
            sentence,
            alert.command,
            now_unix_us,
            alert.first_cause,
            alert.changes,
            tuple(alert.words),
        )
    )
    for late in book.waiting[:-WAITING_MAX]:
        book.told.pop(late.key, None)
    del book.waiting[:-WAITING_MAX]


def _trim(book: AlertBook) -> None:
    """What is over goes first, the oldest of it."""
    while len(book.alerts) > HISTORY_MAX:
        over = next((place for place, one in enumerate(book.alerts) if one.state == "over"), 0)
        del book.alerts[over]
