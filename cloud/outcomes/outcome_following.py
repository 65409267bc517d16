"""The watch for what is right, of a running service: follows the log some minutes behind, so that what people say of
answers has come. In a thread of its own, as following.py.

It keeps only how far it has told: what it knows it learns again from the log, and so keeps no word of what was erased
there. It learns from the answers that are its reference and from those of a short while ago: what it knows of others
has been told, or is too old to count.
"""

import sqlite3
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Protocol

import msgspec

from cloud.alerts.erasing import is_said_in
from cloud.labelling.label_queue import FILE_NAME as QUEUE_FILE_NAME
from cloud.labelling.label_queue import LabelQueue
from cloud.log.reader import Logged, LogReader
from cloud.outcomes.concept import Over
from cloud.outcomes.outcome_watch import Answer, Change, OutcomeWatch
from common.errors import SettingsError
from common.record import Record

FILE_NAME = "outcomes.json"

BEHIND_US = 600_000_000
"""Feedback that comes later than this after its answer is no complaint: but labels count whenever they come."""
LOOK_S = 30.0
"""How often it looks: it is that late anyway."""
BATCH = 200
LEARN_MAX = 20_000
"""So many answers before what was told last its reference begins, at a start."""
LEARN_NEWEST = 4_000
"""So many of the newest are learnt from besides. All would take 2 s of a processor."""


class ToldUpTo(msgspec.Struct):
    """Numbers in the log; what is found by what lies before was told."""

    answer: int = 0
    feedback: int = 0


class Told(Protocol):
    """Who is told what is found: `cloud.alerts.ringing.Ringing`."""

    def take_outcomes(self, found: Iterable[Change]) -> None:
        """Something was found. Quick, and sure to be told later: it is not found again."""


class OutcomeFollowing:
    """A context manager; all of it in one thread."""

    def __init__(
        self,
        log_file: Path,
        state_dir: Path,
        told: Told,
        unix_us: Callable[[], int] = lambda: time.time_ns() // 1000,
    ) -> None:
        self._log_file = log_file
        self._queue_file = state_dir / QUEUE_FILE_NAME
        self._record = Record(state_dir / FILE_NAME, ToldUpTo)
        self._told = told
        self._unix_us = unix_us
        self._watch = OutcomeWatch()
        self._number = 0
        self._feedback = 0

    def __enter__(self) -> "OutcomeFollowing":
        """SettingsError or IdentityError, a sentence, if the log or what is kept cannot be read."""
        self._reader = LogReader(self._log_file)
        try:
            told = self._record.read()
            self._number = max(0, min(told.answer, self._reader.last_number()) - LEARN_MAX)
            self._feedback = told.feedback if told.answer else self._reader.last_feedback()
        except BaseException:
            self._reader.close()
            raise
        return self

    def __exit__(self, *cause: object) -> None:
        self._reader.close()

    def look(self) -> bool:
        """Sees what has come; whether there is more. ParrotletError, a sentence."""
        told = self._told_up_to()
        if self._number < told.answer:
            self._learn(told)
            return True
        said, self._feedback = self._reader.said_since(self._feedback, self._number)
        found = [change for answer in self._answers(said) for change in self._watch.label(answer)]
        # With what was said of each so far; what is said later comes as above: nothing twice.
        logged = self._reader.answers(self._number, self._unix_us() - BEHIND_US, BATCH, self._feedback)
        found += [change for answer in self._answers(logged) for change in self._watch.push(answer)]
        if logged:
            self._number = logged[-1].number
        if found:
            # The log may have lost meanwhile what is known here still.
            is_said = is_said_in(self._reader)
            self._told.take_outcomes(one for one in found if isinstance(one, Over) or all(map(is_said, one.words)))
        if (self._number, self._feedback) != (told.answer, told.feedback):
            with self._record.change() as kept:
                kept.answer, kept.feedback = self._number, self._feedback
        return len(logged) == BATCH

    def _learn(self, told: ToldUpTo) -> None:
        """Again, of a part of what was told, with what had been said of it then."""
        logged = self._reader.answers(self._number, self._unix_us(), BATCH, told.feedback)
        known = [one for one in logged if one.number <= told.answer]
        for answer in self._answers(known):
            self._watch.push(answer)
        self._number = known[-1].number if len(known) == BATCH else told.answer
        if self._watch.knows_usual:
            self._number = max(self._number, told.answer - LEARN_NEWEST)

    def _told_up_to(self) -> ToldUpTo:
        """An older copy of the log may have been put back: then its numbers are given again."""
        last = self._reader.last_number()
        if self._record.read().answer > last:
            self._number = min(self._number, last)
            with self._record.change() as kept:
                kept.answer = last
        return self._record.read()

    def _answers(self, logged: Sequence[Logged]) -> list[Answer]:
        """Each with whether it was drawn for labelling by chance."""
        if not logged or not self._queue_file.exists():
            return [Answer(one.facts, one.final, one.feedback) for one in logged]
        try:
            with closing(LabelQueue(self._queue_file)) as queue:
                return [
                    Answer(
                        one.facts,
                        one.final,
                        one.feedback,
                        queue.has_drawn(one.facts.device_id, one.facts.utterance_id),
                    )
                    for one in logged
                ]
        except (sqlite3.Error, OSError) as error:
            raise SettingsError(f"{self._queue_file}: what waits for labels cannot be read ({error}).") from error
