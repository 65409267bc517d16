"""What people said of answers, and what services are owed: to be told that, and to forget.

Tables of the spool's database; one thread at a time, and sqlite3.Error comes through.
"""

import sqlite3
from collections.abc import Sequence

import msgspec

from edge.spool.erasure import Erasure
from edge.spool.feedback import Feedback
from edge.spool.tables import read_row

Owed = Erasure | Feedback
"""What a service is still to be told."""


class Debts:
    """Of a `SpoolStore`, whose transactions they are part of."""

    def __init__(self, database: sqlite3.Connection, feedback_max: int) -> None:
        self._database = database
        self._feedback_max = feedback_max

    def give(self, feedback: Feedback, spoken_at_unix_us: int, services: Sequence[str]) -> bool:
        """Keeps what was said of an answer, forgets the oldest beyond the bound, and owes it to these services. False,
        and nothing is done, where it is here already."""
        row = (feedback.feedback_id, spoken_at_unix_us, msgspec.json.encode(feedback))
        added = self._database.execute(
            "INSERT INTO feedback (feedback_id, spoken_at_unix_us, feedback) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
            row,
        )
        if added.rowcount < 1:
            return False
        number = added.lastrowid
        assert number is not None
        self._database.executemany(
            "INSERT INTO owed (service, feedback) VALUES (?, ?)", [(service, number) for service in services]
        )
        self._database.execute("DELETE FROM feedback WHERE number <= ?", (number - self._feedback_max,))
        return True

    def feedback(self) -> list[Feedback]:
        """What was said of answers, in the order in which it came."""
        rows = self._database.execute("SELECT feedback FROM feedback ORDER BY number")
        return [read_row(data, Feedback) for (data,) in rows.fetchall()]

    def has_feedback(self, feedback_id: str) -> bool:
        """Whether it is here, sent or not."""
        found = self._database.execute("SELECT 1 FROM feedback WHERE feedback_id = ?", (feedback_id,))
        return found.fetchone() is not None

    def erase(self, erasure: Erasure) -> set[str]:
        """What was said of the answers to these utterances; their ids. It is owed no more."""
        erased = set()
        said = self._database.execute("SELECT number, spoken_at_unix_us, feedback FROM feedback").fetchall()
        for number, spoken_at_unix_us, data in said:
            feedback = read_row(data, Feedback)
            if erasure.fits(feedback.utterance_id, spoken_at_unix_us):
                self._database.execute("DELETE FROM feedback WHERE number = ?", (number,))
                erased.add(feedback.utterance_id)
        return erased

    def erase_all(self) -> list[tuple[int, bytes]]:
        """All feedback, as it was written: it may be damaged."""
        erased = self._database.execute("SELECT number, feedback FROM feedback").fetchall()
        self._database.execute("DELETE FROM feedback")
        return erased

    def owe(self, service: str, erasure: Erasure) -> None:
        """A service is still to be asked to forget."""
        row = (service, msgspec.json.encode(erasure))
        self._database.execute("INSERT INTO owed (service, erasure) VALUES (?, ?)", row)

    def owed(self, service: str) -> list[tuple[int, Owed]]:
        """What it is still to be told, in order; first what it is to forget, which does not wait for what else an older
        service may not take."""
        rows = self._database.execute(
            "SELECT owed.number, erasure, feedback.feedback FROM owed LEFT JOIN feedback "
            "ON feedback.number = owed.feedback WHERE service = ? ORDER BY erasure IS NULL, owed.number",
            (service,),
        )
        return [
            (number, read_row(said, Feedback) if erasure is None else read_row(erasure, Erasure))
            for number, erasure, said in rows.fetchall()
        ]

    def settle(self, number: int) -> None:
        """It has been told."""
        self._database.execute("DELETE FROM owed WHERE number = ?", (number,))
