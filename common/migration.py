"""Tables of an older release become today's, all of them or none."""

import sqlite3
from collections.abc import Sequence

Step = Sequence[str]
"""Statements that bring the tables from one version to the next."""


def migrate(database: sqlite3.Connection, steps: Sequence[Step]) -> None:
    """Brings the tables to version len(steps), from 0 if there are none. The connection is in autocommit mode.

    What fails leaves the database as it was. sqlite3.OperationalError also where the tables are of a newer release.
    """
    if _version(database) == len(steps):
        return
    with database:
        database.execute("BEGIN IMMEDIATE")
        # Another process may have been first.
        version = _version(database)
        if version > len(steps):
            raise sqlite3.OperationalError(
                f"it was made by a newer Parrotlet: its tables have version {version}, here {len(steps)} is known"
            )
        for step in steps[version:]:
            for statement in step:
                database.execute(statement)
        database.execute(f"PRAGMA user_version = {len(steps)}")


def _version(database: sqlite3.Connection) -> int:
    return int(database.execute("PRAGMA user_version").fetchone()[0])
