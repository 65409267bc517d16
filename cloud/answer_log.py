"""Every final by its key (device, utterance id), so that a key that comes again is answered, not decoded.

SQLite in a thread of its own: a commit waits for the disk, and the event loop must not.
"""

import asyncio
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Protocol

from common.errors import SettingsError
from protos import speech_pb2

ANSWERS_MAX = 100_000
"""The oldest go first; a board's spool is far smaller."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS answers (
    number INTEGER PRIMARY KEY,
    device_id TEXT NOT NULL,
    utterance_id TEXT NOT NULL,
    answered_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    final BLOB NOT NULL,
    UNIQUE (device_id, utterance_id)
);
"""


class Key(NamedTuple):
    """What an answer belongs to."""

    device_id: str
    utterance_id: str


class AnswerLog(Protocol):
    """Where finals are remembered. Replicas may share one."""

    async def get(self, key: Key) -> speech_pb2.Final | None:
        """The final of this key, if it has one."""

    async def put(self, key: Key, final: speech_pb2.Final) -> speech_pb2.Final:
        """Remembers a final; returns the one that counts: the first that was put."""


class SqliteAnswerLog:
    """The log in one file, as a context manager."""

    def __init__(self, file: Path, answers_max: int = ANSWERS_MAX) -> None:
        self._file = file
        self._answers_max = answers_max
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="answer-log")
        self._database: sqlite3.Connection

    def __enter__(self) -> "SqliteAnswerLog":
        """SettingsError if the file cannot be used."""
        try:
            self._database = self._thread.submit(self._open).result()
        except (sqlite3.Error, OSError) as error:
            self._thread.shutdown()
            raise SettingsError(f"{self._file}: the answers' log cannot be opened: {error}.") from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._thread.submit(self._database.close).result()
        self._thread.shutdown()

    async def get(self, key: Key) -> speech_pb2.Final | None:
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._get, key)

    async def put(self, key: Key, final: speech_pb2.Final) -> speech_pb2.Final:
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._put, key, final)

    def _open(self) -> sqlite3.Connection:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        database = sqlite3.connect(self._file, timeout=10, isolation_level=None)
        try:
            database.execute("PRAGMA journal_mode = WAL")
            database.execute("PRAGMA synchronous = FULL")
            database.executescript(_SCHEMA)
        except sqlite3.Error:
            database.close()
            raise
        return database

    def _get(self, key: Key) -> speech_pb2.Final | None:
        row = self._database.execute(
            "SELECT final FROM answers WHERE device_id = ? AND utterance_id = ?", key
        ).fetchone()
        return None if row is None else speech_pb2.Final.FromString(row[0])

    def _put(self, key: Key, final: speech_pb2.Final) -> speech_pb2.Final:
        inserted = self._database.execute(
            "INSERT INTO answers (device_id, utterance_id, final) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
            (*key, final.SerializeToString()),
        )
        if inserted.rowcount == 1 and inserted.lastrowid is not None:
            self._database.execute("DELETE FROM answers WHERE number <= ?", (inserted.lastrowid - self._answers_max,))
            return final
        return self._get(key) or final
