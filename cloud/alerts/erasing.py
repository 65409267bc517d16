"""Takes out of alerts what the log has no more, erased there or too old: words that people said, and all of a board of
which nothing is left."""

import re
from collections.abc import Callable, Collection
from contextlib import closing
from pathlib import Path

from cloud.alerts.alerts import FILE_NAME, Alert, AlertBook, clear
from cloud.log.answer_log import FILE_NAME as LOG_FILE
from cloud.log.reader import LogReader
from cloud.outcomes.outcome import plain_words
from common.record import Record

ERASED = "…"
"""In a word's place."""

GONE = "What it stood on is erased."
"""In a sentence's place."""

IsSaid = Callable[[str], bool]
"""Whether what was said is in the log still."""
HasBoard = Callable[[str], bool]
"""Whether anything of a board is."""


def without(text: str, words: Collection[str]) -> str:
    """A text with none of these words in it."""
    for word in sorted(words, key=len, reverse=True):
        text = _pattern(word).sub(ERASED, text)
    return text


def erase_words(book: AlertBook, is_said: IsSaid, now_unix_us: int) -> int:
    """Erases words that are said no more; from how many alerts. One that was of nothing else is over. What a broker
    keeps is cleared: until it is, a day at most, the name of its topic stays."""
    found = [(alert, gone) for alert in book.alerts if (gone := [word for word in alert.words if not is_said(word)])]
    for alert, gone in found:
        _untell(book, alert, now_unix_us)
        _erase(alert, gone)
        if alert.state == "standing" and not alert.words:
            alert.state, alert.over_unix_us = "over", now_unix_us
        alert.is_ending = alert.is_ending and bool(alert.words)
    every = {word for _, gone in found for word in gone}
    for snooze in book.snoozes:
        snooze.cause = without(snooze.cause, every)
    return len(found)


def erase_boards(book: AlertBook, has_board: HasBoard, now_unix_us: int) -> int:
    """Of boards of which nothing is left, that something was told is left, and whether it was right: how their rooms
    and voices sound is not. Nobody would ever find it over; from how many alerts."""
    found = [alert for alert in book.alerts if is_of_gone(alert, has_board)]
    for alert in found:
        _untell(book, alert, now_unix_us)
        alert.sentence, alert.command, alert.words, alert.before = GONE, "", [], []
        if alert.state == "standing":
            alert.state, alert.over_unix_us = "over", now_unix_us
        alert.is_ending = False
    return len(found)


def is_of_gone(alert: Alert, has_board: HasBoard) -> bool:
    """Whether it says something of a board of which nothing is left. What is of several has a space in its name."""
    return bool(alert.where) and " " not in alert.where and alert.sentence != GONE and not has_board(alert.where)


def is_said_in(reader: LogReader) -> IsSaid:
    """Whether a word is in any transcript, or a text in any label."""

    def is_said(text: str) -> bool:
        pattern = _pattern(text)
        # A word that is watched may be a number, which transcripts write as one.
        heard = (words for one in reader.transcripts_like(text) for words in (one, " ".join(plain_words(one))))
        return any(map(pattern.search, heard)) or reader.has_feedback(text)

    return is_said


def forget_in_alerts(state_dir: Path, now_unix_us: int) -> None:
    """Erases what the log beside it has no more, where anything was told. IdentityError or SettingsError, a sentence,
    or one of DATABASE_ERRORS."""
    if not (state_dir / FILE_NAME).exists():
        return
    with closing(LogReader(state_dir / LOG_FILE)) as reader, Record(state_dir / FILE_NAME, AlertBook).change() as book:
        erase_words(book, is_said_in(reader), now_unix_us)
        erase_boards(book, reader.has_board, now_unix_us)


def _untell(book: AlertBook, alert: Alert, now_unix_us: int) -> None:
    """Takes back what waits, and clears what is somewhere to be seen."""
    untold = [told for told in book.waiting if told.number == alert.number]
    book.waiting = [told for told in book.waiting if told.number != alert.number]
    for told in untold:
        book.told.pop(told.key, None)
    if untold or (alert.is_told and (alert.state == "standing" or alert.is_ending)):
        topic = Alert(
            number=alert.number,
            cause=alert.first_cause,
            where=alert.where,
            sentence="",
            began_unix_us=now_unix_us,
            last_unix_us=now_unix_us,
        )
        clear(book, topic, now_unix_us)


def _erase(alert: Alert, words: Collection[str]) -> None:
    alert.words = [word for word in alert.words if word not in words]
    alert.cause, alert.sentence = without(alert.cause, words), without(alert.sentence, words)
    alert.command = without(alert.command, words)
    for one in alert.before:
        one.cause, one.sentence = without(one.cause, words), without(one.sentence, words)


def _pattern(word: str) -> re.Pattern[str]:
    """It, and how it is said, where that follows as in a lexicon.txt."""
    return re.compile(rf"(?<!\w){re.escape(word)}(?!\w)(?-i:  [A-Z]{{1,3}}(?: [A-Z]{{1,3}})*\b)?", re.IGNORECASE)
