"""The log of what was run: an entry is on the disk before anything is done, so nothing is done twice whatever dies.

While an action waits, all of it is kept, to be done by a daemon that was started again; from its beginning on no word
of what was said is. For any thread.
"""

import logging
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

import msgspec

from common.errors import ActionError
from common.private_database import empty_write_ahead_log
from edge.actions.action import Action
from edge.spool.erasure import Erasure
from edge.spool.store import DATABASE_ERRORS
from edge.spool.tables import open_tables

logger = logging.getLogger(__name__)

FILE_NAME = "actions.db"

BYTES_MAX = 16 << 20

ENTRIES_MAX = 10_000
"""Far more than are asked for within the shelf life of an answer; of more, the oldest are forgotten."""

STEPS = (
    (
        """CREATE TABLE actions (
            number INTEGER PRIMARY KEY,
            utterance_id TEXT NOT NULL,
            sink TEXT NOT NULL,
            name TEXT NOT NULL,
            spoken_at_unix_us INTEGER NOT NULL,
            at_unix_us INTEGER NOT NULL,
            state TEXT NOT NULL,
            took_ms INTEGER,
            sentence TEXT,
            boot_id TEXT,
            wanted_until_s REAL,
            action BLOB,
            UNIQUE (utterance_id, sink)
        )""",
    ),
)
"""From one version of the tables to the next. A released one is never changed: another is added."""


class State(StrEnum):
    """What became of an action at a sink."""

    WAITING = "waiting"
    STARTED = "started"
    DONE = "done"
    FAILED = "failed"
    TOO_LATE = "too late"
    """Nobody wanted it any more when its turn came."""
    NO_ROOM = "no room"
    """Too many waited."""
    CUT_OFF = "cut off"
    """The board stopped while it ran: it may have been done, and is not done again."""
    DRY_RUN = "dry run"


class Entry(NamedTuple):
    """A line of the log."""

    utterance_id: str
    sink: str
    name: str
    """The action's."""
    spoken_at_unix_us: int
    at_unix_us: int
    """When it was asked for, by the board's clock."""
    state: State
    took_ms: int | None
    sentence: str | None
    """Why it was not done."""


class Waiting(NamedTuple):
    """An action that waits for a sink, and how long it is wanted: by the monotonic clock of that run of the machine."""

    sink: str
    action: Action
    boot_id: str
    wanted_until_s: float


class ActionLog:
    """Must be closed. ActionError, a sentence, wherever the disk takes nothing; it is tried again at the next call."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._database: sqlite3.Connection | None = None

    def close(self) -> None:
        with self._lock:
            self._close()

    def add(self, waiting: Sequence[Waiting], at_unix_us: int) -> list[Waiting]:
        """Puts them down; those that were not there before. Others have been done, or will be."""
        with self._changing() as database:
            return [one for one in waiting if _add(database, one, at_unix_us)]

    def start(self, utterance_id: str, sink: str) -> bool:
        """It may begin now; False where it has begun before, or was forgotten."""
        with self._changing() as database:
            changed = database.execute(
                "UPDATE actions SET state = ?, action = NULL WHERE utterance_id = ? AND sink = ? AND state = ?",
                (State.STARTED, utterance_id, sink, State.WAITING),
            )
            return changed.rowcount == 1

    def end(
        self, utterance_id: str, sink: str, state: State, took_ms: int | None = None, why: str | None = None
    ) -> None:
        """What became of it."""
        with self._changing() as database:
            database.execute(
                "UPDATE actions SET state = ?, took_ms = ?, sentence = ?, action = NULL "
                "WHERE utterance_id = ? AND sink = ?",
                (state, took_ms, why, utterance_id, sink),
            )

    def recover(self) -> list[Waiting]:
        """What an earlier daemon left: what it had begun is not begun again; what still waits is returned, in order."""
        with self._changing() as database:
            database.execute(
                "UPDATE actions SET state = ?, sentence = ? WHERE state = ?",
                (State.CUT_OFF, "The board stopped while it ran; it is not done again.", State.STARTED),
            )
            rows = database.execute(
                "SELECT sink, action, boot_id, wanted_until_s FROM actions WHERE state = ? ORDER BY number",
                (State.WAITING,),
            )
            return [Waiting(sink, _action(data), boot_id, until_s) for sink, data, boot_id, until_s in rows]

    def entries(self, limit: int = -1) -> list[Entry]:
        """The newest, the oldest of them first."""
        with self._changing() as database:
            rows = database.execute(
                "SELECT utterance_id, sink, name, spoken_at_unix_us, at_unix_us, state, took_ms, sentence "
                "FROM actions ORDER BY number DESC LIMIT ?",
                (limit,),
            ).fetchall()
        return [_entry(*row) for row in reversed(rows)]

    def erase(self, erasure: Erasure) -> set[str]:
        """Forgets what it fits, also what waits; the utterances' ids."""
        with self._changing() as database:
            rows = database.execute("SELECT number, utterance_id, spoken_at_unix_us FROM actions").fetchall()
            fitting = [(number, id_) for number, id_, spoken in rows if erasure.fits(id_, spoken)]
            database.executemany("DELETE FROM actions WHERE number = ?", [(number,) for number, _ in fitting])
        if fitting:
            self._truncate()
        return {id_ for _, id_ in fitting}

    def trim(self, old: Erasure | None) -> None:
        """Forgets what is too much, and what is `old`."""
        with self._changing() as database:
            database.execute(
                "DELETE FROM actions WHERE number <= (SELECT MAX(number) FROM actions) - ?", (ENTRIES_MAX,)
            )
        if old is not None:
            self.erase(old)

    def _truncate(self) -> None:
        """Older pages of what was deleted may lie in the write-ahead log: empties that."""
        with self._usable() as database:
            emptied = empty_write_ahead_log(database)
        if not emptied:
            raise ActionError(f"{self._file}: somebody reads it: copies may be left beside it; try again.")

    @contextmanager
    def _changing(self) -> Iterator[sqlite3.Connection]:
        """All of it or nothing; on the disk afterwards."""
        with self._usable() as database:
            database.execute("BEGIN IMMEDIATE")
            yield database
            database.execute("COMMIT")

    @contextmanager
    def _usable(self) -> Iterator[sqlite3.Connection]:
        """What fails is opened anew the next time, and loses what was not committed."""
        with self._lock:
            try:
                if self._database is None:
                    self._database = self._open()
                yield self._database
            except DATABASE_ERRORS as error:
                self._close()
                if _is_damage(error):
                    self._begin_anew()
                raise ActionError(f"{self._file}: the log of actions cannot be used ({error}).") from error
            except BaseException:
                self._close()
                raise

    def _open(self) -> sqlite3.Connection:
        self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return open_tables(self._file, BYTES_MAX, STEPS)

    def _begin_anew(self) -> None:
        """A card has spoilt it. What it told of is nothing that anybody could ask for again by now."""
        logger.error("%s: is damaged; it is erased, and a new log of actions begun", self._file)
        for suffix in ("-wal", "-shm", ""):
            self._file.with_name(self._file.name + suffix).unlink(missing_ok=True)

    def _close(self) -> None:
        if self._database is not None:
            self._database.close()
            self._database = None


def _is_damage(error: Exception) -> bool:
    """Not where a disk takes nothing just now."""
    return isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.OperationalError)


def _add(database: sqlite3.Connection, one: Waiting, at_unix_us: int) -> bool:
    action = one.action
    added = database.execute(
        "INSERT OR IGNORE INTO actions "
        "(utterance_id, sink, name, spoken_at_unix_us, at_unix_us, state, boot_id, wanted_until_s, action) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            action.utterance_id,
            one.sink,
            action.name,
            action.spoken_at_unix_us,
            at_unix_us,
            State.WAITING,
            one.boot_id,
            one.wanted_until_s,
            msgspec.json.encode(action),
        ),
    )
    return added.rowcount == 1


def _entry(
    utterance_id: str,
    sink: str,
    name: str,
    spoken_at_unix_us: int,
    at_unix_us: int,
    state: str,
    took_ms: int | None,
    sentence: str | None,
) -> Entry:
    return Entry(utterance_id, sink, name, spoken_at_unix_us, at_unix_us, State(state), took_ms, sentence)


def _action(data: bytes) -> Action:
    """sqlite3.DatabaseError if it is not what was written: a card has spoilt it."""
    try:
        return msgspec.json.decode(data, type=Action)
    except (msgspec.MsgspecError, TypeError) as error:
        raise sqlite3.DatabaseError(f"a row is not what was written: {error}") from error
