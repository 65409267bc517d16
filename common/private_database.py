"""SQLite files that nobody but their owner may read, and in which what is deleted is overwritten."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from common.private_files import make_private

BUSY_S_MAX = 10.0
"""How long a command and the service wait for one another."""


def open_private(
    file: Path, prepare: Callable[[sqlite3.Connection], object], *, synchronous: Literal["FULL", "NORMAL"] = "FULL"
) -> sqlite3.Connection:
    """A connection in autocommit mode, the file made if need be; `prepare` makes the tables. Any thread may use it, one
    at a time. sqlite3.Error and OSError come through.

    `synchronous` NORMAL: a power cut may take the last commits, and nothing waits for the disk.
    """
    make_private(file)
    if file.stat().st_mode & 0o077:
        # Made by an older release, or put there by hand.
        file.chmod(0o600)
    database = sqlite3.connect(file, timeout=BUSY_S_MAX, isolation_level=None, check_same_thread=False)
    try:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute(f"PRAGMA synchronous = {synchronous}")
        database.execute("PRAGMA secure_delete = ON")
        # 2 MB by default, which take an hour to fill: a leak could not be told from it.
        database.execute("PRAGMA cache_size = -512")
        # VACUUM would leave a copy of everything in the folder of temporary files.
        database.execute("PRAGMA temp_store = MEMORY")
        prepare(database)
    except BaseException:
        database.close()
        raise
    return database


def empty_write_ahead_log(database: sqlite3.Connection, *, waits: bool = True) -> bool:
    """Older pages of what was deleted may lie there: they go. False if somebody reads; it waits for that, or not."""
    (busy_ms,) = database.execute("PRAGMA busy_timeout").fetchone()
    try:
        if not waits:
            database.execute("PRAGMA busy_timeout = 0")
        (busy, _, _) = database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    finally:
        database.execute(f"PRAGMA busy_timeout = {busy_ms}")
    return not busy
