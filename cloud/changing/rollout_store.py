"""What serves, what is tried, and who changed that, when and why: one file, changed by commands and the service.

Each change is one transaction, with its line of history in it, and on the disk when the call returns; whatever is
killed leaves the state before or the state after. The history is only added to.
"""

import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from cloud.changing.gate import Figure, Rules
from cloud.changing.rollout import Action, Kind, Rollout, Serving, State, Step, Subject, called
from common.errors import RolloutError
from common.migration import migrate
from common.private_database import open_private

FILE_NAME = "rollouts.db"

BACK_MAX = 10
"""Promotions of a subject that may be taken back, one by one; the next rollback leads to what the settings say. What
is older is of the history alone, and its copy of a domain is erased."""

STEPS = (
    (
        """CREATE TABLE rollouts (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            kind TEXT NOT NULL,
            name TEXT NOT NULL,
            candidate TEXT NOT NULL,
            version TEXT NOT NULL,
            state TEXT NOT NULL CHECK (state IN ('shadow', 'canary', 'promoted', 'returned')),
            share REAL NOT NULL,
            automatic INTEGER NOT NULL,
            rules TEXT NOT NULL,
            began_at_unix_us INTEGER NOT NULL
        )""",
        # One candidate of a subject at a time: two would be compared with each other.
        "CREATE UNIQUE INDEX active ON rollouts (kind, name) WHERE state IN ('shadow', 'canary')",
        # What serves in place of the settings, the newest on top: a rollback takes it off.
        """CREATE TABLE serving (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            kind TEXT NOT NULL,
            name TEXT NOT NULL,
            rollout INTEGER NOT NULL UNIQUE REFERENCES rollouts (number)
        )""",
        """CREATE TABLE history (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            at_unix_us INTEGER NOT NULL,
            who TEXT NOT NULL,
            kind TEXT NOT NULL,
            name TEXT NOT NULL,
            action TEXT NOT NULL,
            rollout INTEGER NOT NULL REFERENCES rollouts (number),
            before TEXT NOT NULL,
            after TEXT NOT NULL,
            serves TEXT NOT NULL,
            why TEXT NOT NULL,
            figures TEXT NOT NULL
        )""",
        "CREATE TRIGGER history_is_not_rewritten BEFORE UPDATE ON history "
        "BEGIN SELECT RAISE(ABORT, 'history is only added to'); END",
        "CREATE TRIGGER history_is_not_erased BEFORE DELETE ON history "
        "BEGIN SELECT RAISE(ABORT, 'history is only added to'); END",
    ),
    ("ALTER TABLE history ADD COLUMN share REAL",),
)
"""From one version of the tables to the next. A released one is never changed: another is added."""

_ROLLOUT = "number, kind, name, candidate, version, state, share, automatic, rules, began_at_unix_us"


class RolloutStore:
    """Must be closed. One thread at a time; RolloutError where the file cannot be used."""

    def __init__(self, file: Path, unix_us: Callable[[], int] = lambda: time.time_ns() // 1000) -> None:
        """Made if need be."""
        self._file = file
        self._unix_us = unix_us
        with self._told():
            file.parent.mkdir(parents=True, exist_ok=True)
            self._database = open_private(file, _prepare)

    def close(self) -> None:
        self._database.close()

    def version(self) -> int:
        """Another number whenever somebody else has changed something."""
        with self._told():
            return int(self._database.execute("PRAGMA data_version").fetchone()[0])

    def active(self, subject: Subject) -> Rollout | None:
        """The candidate that is being tried."""
        found = self._rollouts("kind = ? AND name = ? AND state IN ('shadow', 'canary')", subject.kind, subject.name)
        return found[0] if found else None

    def all_active(self) -> list[Rollout]:
        """The candidates that are being tried, in the order in which they came."""
        return self._rollouts("state IN ('shadow', 'canary')")

    def all_returned(self) -> list[Rollout]:
        """What was tried or promoted, and taken back, in the order in which it came."""
        return self._rollouts("state = 'returned'")

    def numbered(self, number: int) -> Rollout:
        """The candidate of that number."""
        return self._rollouts("number = ?", number)[0]

    def serving(self, subject: Subject) -> Serving | None:
        """What serves in place of what the settings say; None: nothing does."""
        with self._told():
            row = self._database.execute(
                "SELECT candidate, version, rollouts.number FROM serving JOIN rollouts ON rollouts.number = rollout "
                "WHERE serving.kind = ? AND serving.name = ? ORDER BY serving.number DESC LIMIT 1",
                (subject.kind, subject.name),
            ).fetchone()
        return None if row is None else Serving(*row)

    def all_serving(self) -> dict[Subject, Serving]:
        """What serves in place of what the settings say."""
        with self._told():
            rows = self._database.execute("SELECT DISTINCT kind, name FROM serving ORDER BY kind, name").fetchall()
        found = {Subject(*row): self.serving(Subject(*row)) for row in rows}
        return {subject: serving for subject, serving in found.items() if serving is not None}

    def needed(self, kind: Kind) -> list[str]:
        """Candidates that are tried, that serve, or that may be gone back to."""
        with self._told():
            rows = self._database.execute(
                "SELECT candidate FROM rollouts WHERE kind = ? "
                "AND (state IN ('shadow', 'canary') OR number IN (SELECT rollout FROM serving))",
                (kind,),
            ).fetchall()
        return [candidate for (candidate,) in rows]

    def history(self, kind: str | None = None, name: str | None = None) -> list[Step]:
        """What was changed, the oldest first."""
        with self._told():
            rows = self._database.execute(
                "SELECT history.number, at_unix_us, who, history.kind, history.name, action, rollout, candidate, "
                "before, after, serves, why, figures, history.share "
                "FROM history JOIN rollouts ON rollouts.number = rollout "
                "WHERE ?1 IN (history.kind, '') AND ?2 IN (history.name, '') ORDER BY history.number",
                (kind or "", name or ""),
            ).fetchall()
        return [
            Step(number, at_unix_us, who, Subject(its_kind, its_name), *rest)
            for number, at_unix_us, who, its_kind, its_name, *rest in rows
        ]

    def begin(
        self,
        subject: Subject,
        candidate: str,
        version: str,
        *,
        who: str,
        why: str,
        share: float = 0.0,
        automatic: bool = False,
        rules: Rules | None = None,
    ) -> Rollout:
        """Takes a candidate into the shadow; with a share, before so many of the boards at once."""
        with self._changing():
            if (other := self.active(subject)) is not None:
                raise RolloutError(
                    f"{called(other.candidate)} is being tried already ({other.state}): roll it back first."
                )
            serving = self.serving(subject)
            if serving is not None and (serving.what, serving.version) == (candidate, version):
                raise RolloutError(f"{called(candidate)} serves already.")
            state: State = "canary" if share else "shadow"
            rules_text = msgspec.json.encode(rules or Rules()).decode()
            number = self._database.execute(
                "INSERT INTO rollouts (kind, name, candidate, version, state, share, automatic, rules, "
                "began_at_unix_us) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (*_of(subject), candidate, version, state, share, automatic, rules_text, self._unix_us()),
            ).lastrowid
            assert number is not None
            self._log(number, subject, "canary" if share else "shadow", "", state, who, why, ())
        return self.numbered(number)

    def canary(
        self, subject: Subject, share: float, *, who: str, why: str, automatic: bool = False, figures: Sequence[Figure]
    ) -> Rollout:
        """The candidate answers that share of the boards."""
        with self._changing():
            before = self._needed(subject, "canary")
            state = before.after("canary")
            self._database.execute(
                "UPDATE rollouts SET state = ?, share = ?, automatic = ? WHERE number = ?",
                (state, share, automatic or before.automatic, before.number),
            )
            self._log(before.number, subject, "canary", before.state, state, who, why, figures)
        return self.numbered(before.number)

    def promote(
        self,
        subject: Subject,
        *,
        who: str,
        why: str,
        figures: Sequence[Figure],
        number: int | None = None,
        anyway: bool = False,
    ) -> Rollout:
        """The candidate serves from now on; with a number, if it is still that rollout's. `anyway`: its gate has not
        let it through, which the history says."""
        action: Action = "promote anyway" if anyway else "promote"
        with self._changing():
            before = self._needed(subject, "promote")
            if number not in (None, before.number):
                raise RolloutError(
                    f"Meanwhile another candidate for {subject} is being tried: {called(before.candidate)}."
                )
            state = before.after(action)
            self._set_state(before.number, state)
            self._database.execute(
                "INSERT INTO serving (kind, name, rollout) VALUES (?, ?, ?)", (*_of(subject), before.number)
            )
            self._database.execute(
                "DELETE FROM serving WHERE kind = ?1 AND name = ?2 AND number NOT IN (SELECT number FROM serving "
                "WHERE kind = ?1 AND name = ?2 ORDER BY number DESC LIMIT ?3)",
                (*_of(subject), BACK_MAX),
            )
            self._log(before.number, subject, action, before.state, state, who, why, figures)
        return self.numbered(before.number)

    def give_back(self, number: int, *, who: str, why: str, figures: Sequence[Figure]) -> Rollout | None:
        """The candidate of that number is tried no more; None if it is not being tried."""
        with self._changing():
            before = self.numbered(number)
            if not before.is_active:
                return None
            state = before.after("return")
            self._set_state(number, state)
            self._log(number, before.subject, "return", before.state, state, who, why, figures)
        return self.numbered(number)

    def rollback(self, subject: Subject, *, who: str, why: str, figures: Sequence[Figure] = ()) -> Step:
        """Takes back the last step: the candidate that is being tried, else the one that was promoted last."""
        with self._changing():
            undone = self.active(subject)
            if undone is None:
                serving = self.serving(subject)
                if serving is None:
                    raise RolloutError(f"There is nothing to roll back: {subject} is what the settings say.")
                (undone,) = self._rollouts("number = ?", serving.rollout)
                self._database.execute("DELETE FROM serving WHERE rollout = ?", (undone.number,))
            self._set_state(undone.number, "returned")
            self._log(undone.number, subject, "rollback", undone.state, "returned", who, why, figures)
        return self.history(subject.kind, subject.name)[-1]

    def _needed(self, subject: Subject, action: Action) -> Rollout:
        active = self.active(subject)
        if active is None:
            raise RolloutError(f"No candidate for {subject} is being tried, so there is nothing to {action}.")
        return active

    def _set_state(self, number: int, state: State) -> None:
        self._database.execute("UPDATE rollouts SET state = ? WHERE number = ?", (state, number))

    def _log(
        self,
        number: int,
        subject: Subject,
        action: Action,
        before: str,
        after: State,
        who: str,
        why: str,
        figures: Sequence[Figure],
    ) -> None:
        serving = self.serving(subject)
        share = self.numbered(number).share if after == "canary" else None
        self._database.execute(
            "INSERT INTO history (at_unix_us, who, kind, name, action, rollout, before, after, serves, why, figures, "
            "share) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *(self._unix_us(), who, *_of(subject), action, number, before, after),
                *("" if serving is None else serving.what, why),
                *(msgspec.json.encode(figures).decode() if figures else "", share),
            ),
        )

    def _rollouts(self, where: str, *values: object) -> list[Rollout]:
        with self._told():
            rows = self._database.execute(
                f"SELECT {_ROLLOUT} FROM rollouts WHERE {where} ORDER BY number", values
            ).fetchall()
        return [
            Rollout(
                number,
                Subject(kind, name),
                candidate,
                version,
                state,
                share,
                bool(automatic),
                msgspec.json.decode(rules, type=Rules),
                began,
            )
            for number, kind, name, candidate, version, state, share, automatic, rules, began in rows
        ]

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """All that is changed meanwhile, or nothing; nobody else changes anything."""
        with self._told(), self._database:
            self._database.execute("BEGIN IMMEDIATE")
            yield

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError, msgspec.MsgspecError) as error:
            raise RolloutError(f"{self._file}: cannot be used ({error}); try sudo.") from error


def _prepare(database: sqlite3.Connection) -> None:
    database.execute("PRAGMA foreign_keys = ON")
    migrate(database, STEPS)


def _of(subject: Subject) -> tuple[str, str]:
    return subject.kind, subject.name
