"""The watch for what is right, of a running service: follows the log some minutes behind, so that what people say of
answers has come. In a thread of its own, as following.py.

It keeps only how far it has told: what it knows it learns again from the log, which takes a second.
"""

import sqlite3
import time
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path
from typing import Protocol

import msgspec

from cloud.labelling.label_queue import FILE_NAME as QUEUE_FILE_NAME
from cloud.labelling.label_queue import LabelQueue
from cloud.log.reader import Logged, LogReader
from cloud.outcomes.outcome_watch import Answer, Change, OutcomeWatch
from common.record import Record

FILE_NAME = "outcomes.json"

BEHIND_US = 600_000_000
"""Feedback that comes later than this after its answer is no complaint: but labels count whenever they come."""
BATCH = 200
LEARN_MAX = 20_000
"""Answers of before that are learnt from at a start."""


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
            self._feedback = self._reader.last_feedback() if not told.feedback else told.feedback
        except BaseException:
            self._reader.close()
            raise
        return self

    def __exit__(self, *cause: object) -> None:
        self._reader.close()

    def look(self) -> bool:
        """Sees what has come; whether there is more. ParrotletError, a sentence."""
        chosen = self._chosen()
        answers = self._reader.answers(self._number, self._unix_us() - BEHIND_US, BATCH)
        found = [(one.number, change) for one in answers for change in self._watch.push(_answer(one, chosen))]
        if answers:
            self._number = answers[-1].number
        told = self._record.read()
        new = [change for number, change in found if number > told.answer]
        if caught_up := len(answers) < BATCH:
            # What is said of later answers is looked at with them.
            said, self._feedback = self._reader.said_since(self._feedback, self._number)
            new += [change for one in said for change in self._watch.label(_answer(one, chosen))]
        if new:
            self._told.take_outcomes(new)
        if self._number > told.answer or self._feedback > told.feedback:
            with self._record.change() as kept:
                kept.answer, kept.feedback = max(self._number, kept.answer), self._feedback
        return not caught_up

    def _chosen(self) -> frozenset[tuple[str, str]]:
        """What was drawn for labelling by chance."""
        if not self._queue_file.exists():
            return frozenset()
        try:
            with closing(LabelQueue(self._queue_file)) as queue:
                return frozenset(
                    (one.device_id, one.utterance_id)
                    for state in ("waiting", "labelled", "skipped", "unclear")
                    for one in queue.of_state(state)
                    if one.probability is not None
                )
        except sqlite3.Error:
            return frozenset()


def _answer(one: Logged, chosen: frozenset[tuple[str, str]]) -> Answer:
    return Answer(one.facts, one.final, one.feedback, (one.facts.device_id, one.facts.utterance_id) in chosen)
