"""The tables of the answers' log, in one file. One thread at a time; DATABASE_ERRORS come through.

A commit is on the disk when it returns. What is deleted is overwritten.
"""

import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from common.migration import migrate

BUSY_S_MAX = 10.0
"""How long a command and the service wait for one another."""

STEPS = (
    (
        # The first release did not number its tables.
        """CREATE TABLE IF NOT EXISTS answers (
            number INTEGER PRIMARY KEY,
            device_id TEXT NOT NULL,
            utterance_id TEXT NOT NULL,
            answered_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
            final BLOB NOT NULL,
            UNIQUE (device_id, utterance_id)
        )""",
        "ALTER TABLE answers ADD COLUMN spoken_at_unix_us INTEGER",
    ),
)
"""From one version of the tables to the next. A released one is never changed: another is added."""

_AT_UNIX_US = "COALESCE(spoken_at_unix_us, 1000000 * CAST(strftime('%s', answered_at) AS INTEGER))"


DATABASE_ERRORS = (sqlite3.Error, OSError)


class Key(NamedTuple):
    """What an answer belongs to."""

    device_id: str
    utterance_id: str


class Span(NamedTuple):
    """When something was spoken, or answered where that is not known: from `since` on, before `until`, microseconds
    since 1970."""

    since_unix_us: int | None = None
    until_unix_us: int | None = None

    def holds(self, at_unix_us: int) -> bool:
        """Whether that was then."""
        return (self.since_unix_us is None or self.since_unix_us <= at_unix_us) and (
            self.until_unix_us is None or at_unix_us < self.until_unix_us
        )


class Row(NamedTuple):
    """An answer to be kept."""

    key: Key
    final: bytes
    answered_at_unix_us: int
    spoken_at_unix_us: int | None


class AnswerStore:
    """Must be closed."""

    def __init__(self, file: Path) -> None:
        """Made if need be."""
        self._database = sqlite3.connect(file, timeout=BUSY_S_MAX, isolation_level=None, check_same_thread=False)
        try:
            self._prepare(file)
        except BaseException:
            self._database.close()
            raise

    def close(self) -> None:
        self._database.close()

    def get(self, key: Key) -> bytes | None:
        """The final of this key."""
        found = self._database.execute("SELECT final FROM answers WHERE device_id = ? AND utterance_id = ?", key)
        row: tuple[bytes] | None = found.fetchone()
        return row[0] if row else None

    def add(self, rows: Iterable[Row], answers_max: int) -> bool:
        """All of them, or none; a key that is there stays as it is. Whether the oldest had to go."""
        with self._database:
            self._database.execute("BEGIN IMMEDIATE")
            for row in rows:
                values = (*row.key, row.final, row.answered_at_unix_us / 1e6, row.spoken_at_unix_us)
                self._database.execute(
                    "INSERT INTO answers (device_id, utterance_id, final, answered_at, spoken_at_unix_us) "
                    "VALUES (?, ?, ?, strftime('%Y-%m-%dT%H:%M:%fZ', ?, 'unixepoch'), ?) ON CONFLICT DO NOTHING",
                    values,
                )
            oldest = self.last_number() - answers_max
            return self._database.execute("DELETE FROM answers WHERE number <= ?", (oldest,)).rowcount > 0

    def last_number(self) -> int:
        """Of the newest answer."""
        number: int = self._database.execute("SELECT COALESCE(MAX(number), 0) FROM answers").fetchone()[0]
        return number

    def prune(self, before_unix_us: int, number_max: int) -> int:
        """Erases answers that were given before, up to that number; how many."""
        old = "answered_at < strftime('%Y-%m-%dT%H:%M:%fZ', ?, 'unixepoch') AND number <= ?"
        return self._database.execute(f"DELETE FROM answers WHERE {old}", (before_unix_us / 1e6, number_max)).rowcount

    def forget(self, device_id: str | None, utterance_id: str | None, span: Span) -> int:
        """Erases answers that fit all that is given; how many. `scrub` is to follow."""
        rules = {
            "device_id = ?": device_id,
            "utterance_id = ?": utterance_id,
            f"{_AT_UNIX_US} >= ?": span.since_unix_us,
            f"{_AT_UNIX_US} < ?": span.until_unix_us,
        }
        given = {rule: value for rule, value in rules.items() if value is not None}
        where = " AND ".join(given) or "TRUE"
        return self._database.execute(f"DELETE FROM answers WHERE {where}", tuple(given.values())).rowcount

    def scrub(self) -> bool:
        """Older pages of what was deleted may lie in the write-ahead log: empties that. False if somebody reads."""
        (busy, _, _) = self._database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        return not busy

    def _prepare(self, file: Path) -> None:
        if file.stat().st_mode & 0o077:
            file.chmod(0o600)
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = FULL")
        self._database.execute("PRAGMA secure_delete = ON")
        # 2 MB by default, which take an hour to fill: a leak could not be told from it.
        self._database.execute("PRAGMA cache_size = -512")
        # VACUUM would leave a copy of everything in the folder of temporary files.
        self._database.execute("PRAGMA temp_store = MEMORY")
        (version,) = self._database.execute("PRAGMA user_version").fetchone()
        migrate(self._database, STEPS)
        if version == 0:
            # The first release did not overwrite what it deleted.
            self._database.execute("VACUUM")
            self.scrub()
