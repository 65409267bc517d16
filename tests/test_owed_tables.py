"""Spools of the release before, which owed services nothing but erasures."""

import sqlite3
from contextlib import closing
from pathlib import Path

import msgspec

from edge.spool.erasure import Erasure
from edge.spool.store import Quota, SpoolStore
from edge.spool.tables import STEPS, open_tables


def test_what_was_to_be_forgotten_still_is(tmp_path: Path) -> None:
    file = tmp_path / "spool.db"
    with closing(open_tables(file, 1 << 20, STEPS[:2])) as before:
        for erasure in (Erasure("u1"), Erasure(since_unix_us=5)):
            row = ("cloud", msgspec.json.encode(erasure))
            before.execute("INSERT INTO erasures (service, erasure) VALUES (?, ?)", row)
        before.execute("DELETE FROM erasures WHERE number = 1")
    with closing(SpoolStore(file, Quota(1 << 20, 1000))) as store:
        assert store.debts.owed("cloud") == [(2, Erasure(since_unix_us=5))]
        store.debts.owe("cloud", Erasure())
        assert [number for number, _ in store.debts.owed("cloud")] == [2, 3]
    with closing(sqlite3.connect(file)) as database:
        assert not database.execute("SELECT 1 FROM sqlite_master WHERE name = 'erasures'").fetchall()
