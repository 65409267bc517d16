"""A private database: whose it is at every moment, and what is left of one that cannot be prepared."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Literal

import pytest

from common.private_database import empty_write_ahead_log, open_private


def mode(file: Path) -> int:
    return file.stat().st_mode & 0o777


def test_a_file_and_its_neighbours_are_their_owner_s_alone_before_anything_is_in_them(tmp_path: Path) -> None:
    file = tmp_path / "a.db"
    seen = []

    def prepare(database: sqlite3.Connection) -> None:
        seen.append(mode(file))
        database.execute("CREATE TABLE kept (words TEXT)")

    with closing(open_private(file, prepare)) as database:
        database.execute("INSERT INTO kept VALUES ('a secret word')")
        assert {mode(one) for one in tmp_path.iterdir()} == {0o600}
    assert seen == [0o600]


def test_one_that_others_may_read_is_so_no_more(tmp_path: Path) -> None:
    file = tmp_path / "a.db"
    file.touch()
    file.chmod(0o644)
    open_private(file, lambda database: None).close()
    assert mode(file) == 0o600


def test_what_is_deleted_is_overwritten(tmp_path: Path) -> None:
    file = tmp_path / "a.db"
    with closing(open_private(file, lambda database: database.execute("CREATE TABLE kept (words TEXT)"))) as database:
        database.execute("INSERT INTO kept VALUES ('a secret word')")
        database.execute("DELETE FROM kept")
    assert b"secret" not in file.read_bytes()


@pytest.mark.parametrize(("synchronous", "number"), [("FULL", 2), ("NORMAL", 1)])
def test_a_commit_waits_for_the_disk_where_that_is_wanted(
    tmp_path: Path, synchronous: Literal["FULL", "NORMAL"], number: int
) -> None:
    opened = open_private(tmp_path / "a.db", lambda database: None, synchronous=synchronous)
    with closing(opened) as database:
        assert database.execute("PRAGMA synchronous").fetchone() == (number,)


def test_one_that_cannot_be_prepared_is_closed(tmp_path: Path) -> None:
    given = []

    def prepare(database: sqlite3.Connection) -> None:
        given.append(database)
        raise sqlite3.OperationalError("a fault")

    with pytest.raises(sqlite3.OperationalError, match="a fault"):
        open_private(tmp_path / "a.db", prepare)
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        given[0].execute("SELECT 1")


def test_the_write_ahead_log_is_emptied_once_nobody_reads(tmp_path: Path) -> None:
    file = tmp_path / "a.db"
    log = tmp_path / "a.db-wal"
    with closing(open_private(file, lambda database: database.execute("CREATE TABLE IF NOT EXISTS a (b)"))) as database:
        with closing(sqlite3.connect(file, isolation_level=None)) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT * FROM a").fetchall()
            database.execute("INSERT INTO a VALUES (1)")
            assert not empty_write_ahead_log(database, waits=False)
            assert database.execute("PRAGMA busy_timeout").fetchone() == (10_000,)
        assert empty_write_ahead_log(database, waits=False)
        assert log.stat().st_size == 0
