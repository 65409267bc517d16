"""Keeps a watch in a file, so that a service that is killed goes on where it was: SQLite, a row a stream.

What was touched since is written in one transaction with the log's number that it belongs to; whoever reads it again
shows the watch the log's lines behind that number.
"""

import sqlite3
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from cloud.drift.watch import Watch
from common.errors import SettingsError
from common.private_database import BUSY_S_MAX, empty_write_ahead_log, open_private

FORMAT = 2
"""Another one is learnt anew."""
NIL = msgspec.msgpack.encode(None)


class WatchFile:
    """A context manager. Belongs to one thread."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def __enter__(self) -> Self:
        """SettingsError if the file cannot be used."""
        try:
            self._database = open_private(self._file, _prepare)
        except (sqlite3.Error, OSError) as error:
            raise SettingsError(f"{self._file}: what is usual cannot be kept there: {error}.") from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._database.close()

    def save(self, watch: Watch) -> None:
        """Writes what was touched since. SettingsError if the disk takes nothing."""
        kept = watch.touched()
        try:
            with self._database:
                self._database.execute("BEGIN IMMEDIATE")
                for stream, state in kept.items():
                    if state is None:
                        self._database.execute("DELETE FROM streams WHERE name = ?", (stream,))
                    else:
                        self._database.execute("REPLACE INTO streams VALUES (?, ?)", (stream, state))
                self._database.execute("REPLACE INTO log VALUES (0, ?)", (watch.number,))
        except sqlite3.Error as error:
            watch.touch(kept)
            raise SettingsError(f"{self._file}: what is usual cannot be kept there: {error}.") from error

    def scrub(self) -> None:
        """Older pages of what was erased may lie in the write-ahead log: empties that. SettingsError, as of `save`."""
        try:
            empty_write_ahead_log(self._database)
        except sqlite3.Error as error:
            raise SettingsError(f"{self._file}: what is usual cannot be kept there: {error}.") from error

    def load(self, watch: Watch) -> None:
        """Into a new watch. SettingsError if the file is damaged."""
        try:
            number = self._database.execute("SELECT number FROM log").fetchone()
            # In the order in which they were written last, so that of too many the newest are left.
            rows = self._database.execute("SELECT name, state FROM streams ORDER BY rowid").fetchall()
            watch.go_on(number[0] if number else 0, rows)
        except (sqlite3.Error, msgspec.DecodeError, ValueError) as error:
            sentence = f"{self._file}: is damaged ({error}); delete it, and what is usual is learnt anew."
            raise SettingsError(sentence) from error


class _BoardHead(msgspec.Struct):
    """Of a BoardState, as little as tells whether it learns."""

    known: msgspec.Raw


def learning(file: Path) -> list[str]:
    """Boards of which it is not known yet what is usual, in order, as it was kept last; none where nothing is kept.
    SettingsError if it cannot be read."""
    if not file.exists():
        return []
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True, timeout=BUSY_S_MAX)) as database:
            rows = database.execute("SELECT name, state FROM streams ORDER BY name")
            # Groups and words have spaces in their names.
            boards = [(name, msgspec.msgpack.decode(state, type=_BoardHead)) for name, state in rows if " " not in name]
    except (sqlite3.Error, msgspec.DecodeError) as error:
        raise SettingsError(f"{file}: what is usual cannot be read ({error}).") from error
    return [name for name, head in boards if bytes(head.known) == NIL]


def _prepare(database: sqlite3.Connection) -> None:
    (format_,) = database.execute("PRAGMA user_version").fetchone()
    if format_ != FORMAT:
        database.executescript(
            "DROP TABLE IF EXISTS streams; DROP TABLE IF EXISTS log;"
            "CREATE TABLE streams (name TEXT PRIMARY KEY, state BLOB NOT NULL);"
            "CREATE TABLE log (one INTEGER PRIMARY KEY, number INTEGER NOT NULL);"
            f"PRAGMA user_version = {FORMAT};"
        )
