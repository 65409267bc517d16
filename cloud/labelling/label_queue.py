"""Which utterances were drawn for labelling, with which probability, and what became of them: ids and no words, in a
file of its own. One thread at a time; DATABASE_ERRORS of cloud/log/answer_store.py come through.

The labels themselves are feedback, in the utterance log.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Literal, NamedTuple

from cloud.labelling.labelling import Candidate, Chosen, draw
from common.migration import migrate
from common.private_database import open_private

FILE_NAME = "labelling.db"
ROWS_MAX = 100_000
"""Of more, those that were drawn first go."""
DAY_US = 86_400_000_000
FIRST_DAYS = 7
"""Budget of the first draw, and the most of any: who was away for a month does not want to label a month."""

STEPS = (
    (
        """CREATE TABLE chosen (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            device_id TEXT NOT NULL,
            utterance_id TEXT NOT NULL,
            probability REAL,
            is_unsure INTEGER NOT NULL,
            state TEXT NOT NULL DEFAULT 'waiting',
            labeller TEXT,
            settled_at_unix_us INTEGER,
            UNIQUE (device_id, utterance_id)
        )""",
        "CREATE INDEX chosen_by_state ON chosen (state, number)",
        "CREATE TABLE drawn (until_unix_us INTEGER NOT NULL, at_unix_us INTEGER NOT NULL)",
    ),
)
"""From one version of the tables to the next. A released one is never changed: another is added."""

State = Literal["waiting", "labelled", "skipped", "unclear"]


class Waiting(NamedTuple):
    """One that was drawn."""

    device_id: str
    utterance_id: str
    probability: float | None
    """None: somebody picked it; it says nothing of how many are wrong."""
    is_unsure: bool
    state: State
    labeller: str | None


class LabelQueue:
    """Must be closed."""

    def __init__(self, file: Path) -> None:
        """Made if need be."""
        self._database = open_private(file, partial(migrate, steps=STEPS))

    def close(self) -> None:
        self._database.close()

    @property
    def drawn_until_unix_us(self) -> int:
        """What was answered later was in no draw yet; 0: there was none."""
        found = self._database.execute("SELECT COALESCE(MAX(until_unix_us), 0) FROM drawn").fetchone()
        return int(found[0])

    def draw(self, batch: Sequence[Candidate], budget_a_day: float, until_unix_us: int, now_unix_us: int) -> int:
        """Draws of all that was answered since the last draw, up to then; how many. What was drawn once stays so."""
        with self._database:
            self._database.execute("BEGIN IMMEDIATE")
            (before,) = self._database.execute("SELECT MAX(at_unix_us) FROM drawn").fetchone()
            days = FIRST_DAYS if before is None else min(max(now_unix_us - before, 0) / DAY_US, FIRST_DAYS)
            chosen = draw(batch, budget_a_day * days)
            self._add(chosen)
            self._database.execute("DELETE FROM drawn")
            self._database.execute("INSERT INTO drawn VALUES (?, ?)", (until_unix_us, now_unix_us))
            self._database.execute(
                "DELETE FROM chosen WHERE number <= (SELECT MAX(number) FROM chosen) - ?", (ROWS_MAX,)
            )
        return len(chosen)

    def pick(self, device_id: str, utterance_id: str) -> None:
        """One that somebody wants labelled, whatever its chances; no change if it is in already."""
        self._database.execute(
            "INSERT INTO chosen (device_id, utterance_id, is_unsure) VALUES (?, ?, 0) ON CONFLICT DO NOTHING",
            (device_id, utterance_id),
        )

    def of_state(self, state: State) -> list[Waiting]:
        """Those, in the order of the draws."""
        found = self._database.execute(
            "SELECT device_id, utterance_id, probability, is_unsure, state, labeller FROM chosen WHERE state = ? "
            "ORDER BY number",
            (state,),
        )
        return list(map(_waiting, found))

    def has_drawn(self, device_id: str, utterance_id: str) -> bool:
        """Whether that one was drawn by chance, whatever became of it."""
        found = self._database.execute(
            "SELECT 1 FROM chosen WHERE device_id = ? AND utterance_id = ? AND probability IS NOT NULL",
            (device_id, utterance_id),
        )
        return found.fetchone() is not None

    def chances(self) -> Mapping[tuple[str, str], float]:
        """Of all that were drawn by chance, whatever became of them: device and utterance, and the probability."""
        found = self._database.execute(
            "SELECT device_id, utterance_id, probability FROM chosen WHERE probability IS NOT NULL"
        )
        return {(device_id, utterance_id): probability for device_id, utterance_id, probability in found}

    def one(self, device_id: str, utterance_id: str) -> Waiting | None:
        """What became of that one; None: it was not chosen."""
        found = self._database.execute(
            "SELECT device_id, utterance_id, probability, is_unsure, state, labeller FROM chosen "
            "WHERE device_id = ? AND utterance_id = ?",
            (device_id, utterance_id),
        ).fetchone()
        return None if found is None else _waiting(found)

    def waits(self, device_id: str, utterance_id: str) -> bool:
        """Whether a label of it is wanted still; also of what was skipped."""
        found = self._database.execute(
            "SELECT state FROM chosen WHERE device_id = ? AND utterance_id = ?", (device_id, utterance_id)
        ).fetchone()
        return found is not None and found[0] in ("waiting", "skipped")

    def settle(self, device_id: str, utterance_id: str, state: State, labeller: str, now_unix_us: int) -> None:
        """What became of one."""
        self._database.execute(
            "UPDATE chosen SET state = ?, labeller = ?, settled_at_unix_us = ? "
            "WHERE device_id = ? AND utterance_id = ?",
            (state, labeller, now_unix_us, device_id, utterance_id),
        )

    def keep_only(self, is_logged: Callable[[str, str], bool]) -> int:
        """Erases those whose utterance is not in the log any more, which was forgotten or is too old; how many.

        `is_logged`: of device and utterance."""
        drawn = self._database.execute("SELECT device_id, utterance_id FROM chosen").fetchall()
        gone = [key for key in drawn if not is_logged(*key)]
        if not gone:
            return 0
        with self._database:
            self._database.execute("BEGIN IMMEDIATE")
            self._database.executemany("DELETE FROM chosen WHERE device_id = ? AND utterance_id = ?", gone)
        return len(gone)

    def _add(self, chosen: Sequence[Chosen]) -> None:
        self._database.executemany(
            "INSERT INTO chosen (device_id, utterance_id, probability, is_unsure) VALUES (?, ?, ?, ?) "
            "ON CONFLICT DO NOTHING",
            [(one.device_id, one.utterance_id, one.probability, int(one.is_unsure)) for one in chosen],
        )


def _waiting(row: tuple) -> Waiting:  # type: ignore[type-arg]  # What a database has is anything.
    device_id, utterance_id, probability, is_unsure, state, labeller = row
    return Waiting(device_id, utterance_id, probability, bool(is_unsure), state, labeller)
