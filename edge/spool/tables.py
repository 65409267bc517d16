"""The tables of the spool's database, and how it is opened.

A commit is on the disk when it returns (WAL, synchronous FULL). What is deleted is overwritten.
"""

import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import msgspec

from common.migration import Step, migrate

T = TypeVar("T")

PAGE_BYTES = 1024
"""Small pages: a commit writes each page that it touches as a whole, twice."""

BUSY_S_MAX = 5.0
"""How long a command and the daemon wait for one another."""

STEPS = (
    (
        """CREATE TABLE utterances (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            head BLOB NOT NULL,
            boot_id TEXT NOT NULL,
            coding TEXT NOT NULL,
            state INTEGER NOT NULL,
            end BLOB,
            attempts INTEGER NOT NULL DEFAULT 0,
            told INTEGER NOT NULL DEFAULT 0,
            last_error TEXT
        )""",
        # Nobody reads first_frame and frames, which are in data as well; to drop them would rewrite the table.
        """CREATE TABLE pieces (
            number INTEGER PRIMARY KEY,
            first_frame INTEGER NOT NULL,
            frames INTEGER NOT NULL,
            data BLOB NOT NULL
        )""",
        """CREATE TABLE answers (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            event BLOB NOT NULL
        )""",
    ),
    (
        # What the services are still to be asked to forget.
        """CREATE TABLE erasures (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            service TEXT NOT NULL,
            erasure BLOB NOT NULL
        )""",
    ),
    (
        # What people said of answers.
        """CREATE TABLE feedback (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            feedback_id TEXT NOT NULL UNIQUE,
            spoken_at_unix_us INTEGER NOT NULL,
            feedback BLOB NOT NULL
        )""",
        # What the services are still to be told: what to forget, or what was said.
        """CREATE TABLE owed (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            service TEXT NOT NULL,
            erasure BLOB,
            feedback INTEGER
        )""",
        "INSERT INTO owed (number, service, erasure) SELECT number, service, erasure FROM erasures",
        "DROP TABLE erasures",
        # However it goes: nobody is told what is forgotten here.
        """CREATE TRIGGER feedback_that_is_gone_is_not_owed AFTER DELETE ON feedback BEGIN
            DELETE FROM owed WHERE feedback = OLD.number;
        END""",
    ),
)
"""From one version of the tables to the next. A released one is never changed: another is added."""


def open_tables(file: Path, bytes_max: int, steps: Sequence[Step] = STEPS) -> sqlite3.Connection:
    """Made if need be; `steps`: of another database that is kept alike. sqlite3.Error and OSError come through."""
    database = sqlite3.connect(file, timeout=BUSY_S_MAX, isolation_level=None, check_same_thread=False)
    try:
        file.chmod(0o600)
        database.execute(f"PRAGMA page_size = {PAGE_BYTES}")
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = FULL")
        database.execute("PRAGMA secure_delete = ON")
        # 2 MB by default, which take an hour to fill: a leak could not be told from it.
        database.execute("PRAGMA cache_size = -512")
        # The log stays small, and the database below its quota: a disk that is full cannot even delete.
        database.execute("PRAGMA wal_autocheckpoint = 256")
        database.execute("PRAGMA journal_size_limit = 262144")
        database.execute(f"PRAGMA max_page_count = {bytes_max // PAGE_BYTES}")
        migrate(database, steps)
    except BaseException:
        database.close()
        raise
    return database


def read_row(data: bytes, kind: type[T], decode: Callable[..., T] = msgspec.json.decode) -> T:
    """What we wrote. sqlite3.DatabaseError if it is that no more: a card has spoilt it."""
    try:
        return decode(data, type=kind)
    except msgspec.MsgspecError as error:
        raise sqlite3.DatabaseError(f"a row is not what was written: {error}") from error
