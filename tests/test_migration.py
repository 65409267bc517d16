"""Databases of older releases: they become today's whole, or stay as they were."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from common.migration import Step, migrate

FIRST: Step = ("CREATE TABLE kept (number INTEGER PRIMARY KEY, words TEXT)",)
SECOND: Step = ("ALTER TABLE kept ADD COLUMN told INTEGER NOT NULL DEFAULT 0", "UPDATE kept SET told = number")
BROKEN: Step = ("ALTER TABLE kept ADD COLUMN told INTEGER NOT NULL DEFAULT 0", "UPDATE nothing SET told = 1")


@pytest.fixture
def database(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    opened = sqlite3.connect(tmp_path / "a.db", isolation_level=None)
    yield opened
    opened.close()


def dump(database: sqlite3.Connection) -> list[str]:
    return [*database.iterdump(), str(database.execute("PRAGMA user_version").fetchone()[0])]


def test_a_new_database_has_today_s_tables(database: sqlite3.Connection) -> None:
    migrate(database, [FIRST, SECOND])
    assert [row[1] for row in database.execute("PRAGMA table_info(kept)")] == ["number", "words", "told"]
    before = dump(database)
    migrate(database, [FIRST, SECOND])
    assert dump(database) == before


def test_an_older_one_keeps_what_is_in_it(database: sqlite3.Connection) -> None:
    migrate(database, [FIRST])
    database.execute("INSERT INTO kept VALUES (7, 'hello')")
    migrate(database, [FIRST, SECOND])
    assert database.execute("SELECT * FROM kept").fetchall() == [(7, "hello", 7)]


def test_a_migration_that_fails_leaves_it_as_it_was(database: sqlite3.Connection) -> None:
    migrate(database, [FIRST])
    database.execute("INSERT INTO kept VALUES (7, 'hello')")
    before = dump(database)
    with pytest.raises(sqlite3.OperationalError, match="nothing"):
        migrate(database, [FIRST, BROKEN])
    assert dump(database) == before


def test_a_newer_one_is_refused_and_left(database: sqlite3.Connection) -> None:
    migrate(database, [FIRST, SECOND])
    before = dump(database)
    with pytest.raises(sqlite3.OperationalError, match=r"newer Parrotlet: its tables have version 2, here 1 is known"):
        migrate(database, [FIRST])
    assert dump(database) == before
