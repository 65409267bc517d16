"""Every final by its key (device, utterance id), so that a key that comes again is answered, not decoded; and what
people said of it.

SQLite in a thread of its own: a commit waits for the disk, and the event loop must not. Where the disk takes nothing,
answers wait in memory and are known there, bounded; the first of a key counts all the same.
"""

import asyncio
import hashlib
import logging
import math
import secrets
import sqlite3
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Protocol, TypeVar

import msgspec

from cloud.beside import beside
from cloud.log.answer_store import (
    DATABASE_ERRORS,
    UNKNOWN,
    Answered,
    AnswerStore,
    FeedbackRow,
    Key,
    Members,
    Numbers,
    Occasion,
    Row,
    Span,
)
from cloud.log.record import Recorder
from cloud.utterance import Utterance
from common.errors import SettingsError
from protos import speech_pb2

__all__ = ["AnswerLog", "Batch", "Key", "Occasion", "Span", "SqliteAnswerLog", "UNKNOWN"]

logger = logging.getLogger(__name__)

T = TypeVar("T")

FILE_NAME = "answers.db"

ANSWERS_MAX = 100_000
ANSWERS_DAYS_MAX = 90

WAITING_MAX = 1000
"""Answers that wait for the disk; beyond, the oldest goes."""

UPKEEP_S = 5.0
"""How often a disk that took nothing is tried again, and what was deleted is wiped off the write-ahead log."""

PRUNE_S = 3600.0

SCRUBS_MAX, SCRUB_PAUSE_S = 100, 0.1
"""Tries of who forgets while somebody reads the file; then upkeep goes on with it."""

ERASED_AT_ONCE = 100
"""Answers; then whoever wants to write has a turn."""

DAY_US = 86_400_000_000

NEWEST_MAX = 100
"""Answers that who begins to look on is told of before."""

BATCH_MAX = 25
"""Answers that are read for who looks on at a time."""


class Batch(NamedTuple):
    """What who looks on at some boards is told next."""

    history: str
    is_anew: bool
    """What was told before counts no more."""
    answers: list[Answered]
    after: int
    """Where the next batch begins."""


class Features(NamedTuple):
    """Of how many utterances frames are kept, how long, and how much of them."""

    share: float
    days_max: int
    megabytes_max: int


NO_FEATURES = Features(0.0, 1, 1)


class AnswerLog(Protocol):
    """Where finals are remembered. Replicas may share one."""

    async def get(self, key: Key) -> speech_pb2.Final | None:
        """The final of this key, if it has one."""

    async def put(
        self, key: Key, final: speech_pb2.Final, occasion: Occasion = UNKNOWN, utterance: Utterance | None = None
    ) -> speech_pb2.Final:
        """Remembers a final, and what else is to be kept of the utterance; returns the final that counts: the first
        that was put. `not_logged` is set in it if it would not survive this process."""

    async def agreed(self, key: Key, *, shadow_agrees: bool) -> None:
        """Remembers, as far as it can, whether a candidate heard in an utterance what was answered."""

    async def give(self, feedback: speech_pb2.FeedbackRequest) -> None:
        """Remembers what was said of an answer. What came before under the same id changes nothing."""

    async def forget(self, device_id: str, utterance_id: str | None, span: Span) -> int:
        """Erases the answers of a device, and what was said of them: one, or those of a time, or all; how many."""

    async def batch(self, members: Members, after: int, history: str | None) -> Batch:
        """The answers to these boards behind a number of that history; none where there are none yet. Of another
        history, or of None, the newest. One of DATABASE_ERRORS if it cannot be read."""


class _Arrival(NamedTuple):
    """Something to be kept."""

    key: Key
    final: speech_pb2.Final
    occasion: Occasion
    utterance: Utterance | None


class SqliteAnswerLog:
    """The log in one file, as a context manager."""

    def __init__(
        self,
        file: Path,
        answers_max: int = ANSWERS_MAX,
        days_max: int = ANSWERS_DAYS_MAX,
        features: Features = NO_FEATURES,
        unix_us: Callable[[], int] = lambda: time.time_ns() // 1000,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self.trouble: str | None = None
        """What is wrong with the disk, a sentence."""
        self.lost = 0
        """Answers that could not be kept, since the start."""
        self._file = file
        self._answers_max = answers_max
        self._days_max = days_max
        self._features = features
        self._recorder = Recorder(features.share)
        self._unix_us = unix_us
        self._monotonic_s = monotonic_s
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="answer-log")
        self._store: AnswerStore | None = None
        self._arriving: deque[_Arrival] = deque()
        """Not seen by the thread yet; as many as there are streams."""
        self._waiting: dict[Key, Row] = {}
        self._to_scrub = False
        self._started_s = monotonic_s()
        self._pruned_s = -math.inf
        # The file may be an older copy of what it was, and groups may be set otherwise: nobody goes on from before.
        self._id = secrets.token_hex(8)
        self._numbers_before = Numbers(0, 0)
        """What has numbers up to these is from before the start: how old it is, only the wall clock tells."""

    def __enter__(self) -> "SqliteAnswerLog":
        """SettingsError if the file cannot be used."""
        try:
            self._thread.submit(self._open).result()
        except DATABASE_ERRORS as error:
            self._thread.shutdown()
            raise SettingsError(f"{self._file}: the utterance log cannot be opened: {error}.") from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._thread.submit(self._close).result()
        self._thread.shutdown()

    @asynccontextmanager
    async def kept_up(self) -> AsyncIterator[None]:
        """Meanwhile, what waits is written once that is possible, and what is too old is erased."""

        async def keep_up() -> None:
            while True:
                while await self._run(self._keep_up):
                    pass
                await asyncio.sleep(UPKEEP_S)

        async with beside(keep_up):
            yield

    async def get(self, key: Key) -> speech_pb2.Final | None:
        return await self._run(self._get, key)

    async def put(
        self, key: Key, final: speech_pb2.Final, occasion: Occasion = UNKNOWN, utterance: Utterance | None = None
    ) -> speech_pb2.Final:
        # Whoever comes while the disk is written to is written together with the next ones.
        self._arriving.append(_Arrival(key, final, occasion, utterance))
        # Shielded: what has arrived is the thread's before anything that comes later, also where nobody waits for it
        # any more; or whoever forgets would not find it.
        return await asyncio.shield(asyncio.get_running_loop().run_in_executor(self._thread, self._put, key, final))

    async def agreed(self, key: Key, *, shadow_agrees: bool) -> None:
        await self._run(self._agreed, key, shadow_agrees)

    async def give(self, feedback: speech_pb2.FeedbackRequest) -> None:
        """One of DATABASE_ERRORS if the disk takes nothing."""
        await self._run(self._give, feedback)

    async def forget(self, device_id: str, utterance_id: str | None, span: Span) -> int:
        """One of DATABASE_ERRORS if the disk takes nothing."""
        erased = await self._run(self._forget_waiting, device_id, utterance_id, span)
        gone = ERASED_AT_ONCE
        while gone == ERASED_AT_ONCE:
            gone = await self._run(self._forget, device_id, utterance_id, span)
            erased += gone
        for _ in range(SCRUBS_MAX):
            if await self._run(self._scrub):
                break
            # Not in the thread: who is answered waits for that.
            await asyncio.sleep(SCRUB_PAUSE_S)
        return erased

    async def batch(self, members: Members, after: int, history: str | None) -> Batch:
        return await self._run(self._batch, members, after, history)

    async def newest_of(self, members: Members, count: int) -> list[Answered]:
        """So many of the answers to these boards, in order. One of DATABASE_ERRORS if they cannot be read."""
        return await self._run(lambda: self._opened().newest_of(members, count))

    async def _run(self, do: Callable[..., T], *arguments: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, do, *arguments)

    def _open(self) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._opened()
        except sqlite3.OperationalError as error:
            # A full disk is no reason to answer nobody.
            if getattr(error, "sqlite_errorcode", 0) & 0xFF not in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR):
                raise
            self._say_trouble(error)

    def _opened(self) -> AnswerStore:
        if self._store is None:
            self._store = AnswerStore(self._file)
            self._numbers_before = self._store.last_numbers()
        return self._store

    def _close(self) -> None:
        self._take_arrived()
        self._write_waiting()
        if self._store is not None:
            self._store.close()

    def _get(self, key: Key) -> speech_pb2.Final | None:
        if (row := self._waiting.get(key)) is not None:
            return _not_logged(row)
        try:
            final = self._opened().get(key)
        except DATABASE_ERRORS as error:
            self._say_trouble(error)
            return None
        return None if final is None else speech_pb2.Final.FromString(final)

    def _put(self, key: Key, final: speech_pb2.Final) -> speech_pb2.Final:
        self._take_arrived()
        if self._write_waiting():
            return self._get(key) or final
        kept = _not_logged(self._waiting[key]) if key in self._waiting else _unkept(final)
        while len(self._waiting) > WAITING_MAX:
            del self._waiting[next(iter(self._waiting))]
            self.lost += 1
        return kept

    def _agreed(self, key: Key, shadow_agrees: bool) -> None:
        row = self._waiting.get(key)
        if row is None:
            try:
                self._opened().agreed(key, shadow_agrees=shadow_agrees)
            except DATABASE_ERRORS as error:
                logger.warning("%s: whether a candidate agrees cannot be kept now: %s", self._file, error)
        elif row.record is not None:
            facts = msgspec.structs.replace(row.record.facts, shadow_agrees=shadow_agrees)
            self._waiting[key] = row._replace(record=row.record._replace(facts=facts))

    def _take_arrived(self) -> None:
        while self._arriving:
            arrival = self._arriving.popleft()
            now_us = self._unix_us()
            record = None
            if arrival.utterance is not None and arrival.utterance.end is not None:
                record = self._recorder.record(arrival.utterance, arrival.final, now_us)
            row = Row(arrival.key, arrival.final.SerializeToString(), now_us, arrival.occasion, record)
            self._waiting.setdefault(arrival.key, row)

    def _write_waiting(self) -> bool:
        """Whether nothing waits any more."""
        if not self._waiting:
            return True
        try:
            self._to_scrub |= self._opened().add(self._waiting.values(), self._answers_max)
        except DATABASE_ERRORS as error:
            self._say_trouble(error)
            return False
        self._waiting.clear()
        if self.trouble is not None:
            self.trouble = None
            logger.info("%s: answers are kept again; %d were lost", self._file, self.lost)
        return True

    def _keep_up(self) -> bool:
        """Whether there is more to be erased."""
        self._write_waiting()
        try:
            if self._monotonic_s() - self._pruned_s >= PRUNE_S:
                if self._prune():
                    return True
                self._pruned_s = self._monotonic_s()
            if self._to_scrub:
                self._scrub()
        except DATABASE_ERRORS as error:
            self._say_trouble(error)
        return False

    def _scrub(self) -> bool:
        """False while somebody reads."""
        self._to_scrub = not self._opened().scrub()
        return not self._to_scrub

    def _prune(self) -> bool:
        """By the wall clock; but what was answered since the start is no older, whatever the clock did. Whether there
        is more."""
        store, now_s, days_us = self._opened(), self._monotonic_s(), self._days_max * DAY_US
        numbers_max = self._numbers_before if (now_s - self._started_s) * 1e6 < days_us else store.last_numbers()
        gone = store.prune(self._unix_us() - days_us, numbers_max, ERASED_AT_ONCE)
        self._to_scrub |= gone > 0
        if gone >= ERASED_AT_ONCE:
            return True
        oldest_us = self._unix_us() - self._features.days_max * DAY_US
        self._to_scrub |= store.prune_features(oldest_us, self._features.megabytes_max * 1_000_000) > 0
        return False

    def _give(self, feedback: speech_pb2.FeedbackRequest) -> None:
        row = FeedbackRow(
            Key(feedback.device_id, feedback.utterance_id),
            feedback.feedback_id,
            feedback.given_at_unix_us,
            self._unix_us(),
            feedback.SerializeToString(),
        )
        self._to_scrub |= self._opened().give(row, self._answers_max)

    def _forget_waiting(self, device_id: str, utterance_id: str | None, span: Span) -> int:
        waiting = [row for row in self._waiting.values() if _fits(row, device_id, utterance_id, span)]
        for row in waiting:
            del self._waiting[row.key]
        return len(waiting)

    def _forget(self, device_id: str, utterance_id: str | None, span: Span) -> int:
        gone = self._opened().forget(device_id, utterance_id, span, ERASED_AT_ONCE)
        # Also where who asked goes away before it is done.
        self._to_scrub = True
        return gone

    def _batch(self, members: Members, after: int, history: str | None) -> Batch:
        store = self._opened()
        facts = repr((self._id, store.erasures(members)))
        now = hashlib.blake2b(facts.encode(), digest_size=8).hexdigest()
        # A number that nobody has been given yet: an older copy was put back while the service runs.
        if now != history or after > store.last_number():
            newest = store.newest_of(members, NEWEST_MAX)
            return Batch(now, True, [], newest[0].number - 1 if newest else store.last_number())
        answers = store.next_of(members, after, BATCH_MAX)
        return Batch(now, False, answers, answers[-1].number if answers else after)

    def _say_trouble(self, error: Exception) -> None:
        sentence = f"{self._file}: answers are given, but cannot be kept ({error}); they wait in memory."
        if self.trouble is None:
            logger.warning("%s", sentence)
        self.trouble = sentence


def _fits(row: Row, device_id: str, utterance_id: str | None, span: Span) -> bool:
    spoken_at_us = row.occasion.spoken_at_unix_us
    at_us = row.answered_at_unix_us if spoken_at_us is None else spoken_at_us
    return row.key.device_id == device_id and utterance_id in (None, row.key.utterance_id) and span.holds(at_us)


def _unkept(final: speech_pb2.Final) -> speech_pb2.Final:
    copy = speech_pb2.Final()
    copy.CopyFrom(final)
    copy.not_logged = True
    return copy


def _not_logged(row: Row) -> speech_pb2.Final:
    final = speech_pb2.Final.FromString(row.final)
    final.not_logged = True
    return final
