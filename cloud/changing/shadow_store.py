"""What candidates heard in the shadow, and what is known of their answers beside those that served: one file.

Words go when they are forgotten or too old. The figures of a comparison stay for the gate, without whose they were.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Literal

import msgspec

from cloud.changing.compared import Answered
from cloud.log.answer_store import Key, Span
from common.migration import migrate
from common.private_database import empty_write_ahead_log, open_private

FILE_NAME = "shadow.db"

HEARD_MAX = 50_000
HEARD_DAYS_MAX = 30
"""Of what was heard in the shadow, so much is kept."""

COMPARISONS_MAX = 1_000_000
"""Without words: 200 bytes each."""

TRIALS_MAX = 100
"""Of the rollouts that came last: 20 kB each."""

By = Literal["both", "candidate", "served"]

STEPS = (
    (
        """CREATE TABLE heard (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            rollout INTEGER NOT NULL,
            device_id TEXT NOT NULL,
            utterance_id TEXT NOT NULL,
            at_unix_us INTEGER NOT NULL,
            transcript TEXT NOT NULL,
            intent TEXT NOT NULL,
            confidence REAL,
            decoding_ms INTEGER NOT NULL,
            agrees INTEGER NOT NULL,
            UNIQUE (rollout, device_id, utterance_id)
        )""",
        """CREATE TABLE comparisons (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            rollout INTEGER NOT NULL,
            device_id TEXT,
            utterance_id TEXT,
            at_unix_us INTEGER NOT NULL,
            answered_by TEXT NOT NULL,
            slices TEXT NOT NULL,
            shown BLOB,
            candidate TEXT NOT NULL,
            served TEXT NOT NULL,
            candidate_error REAL,
            served_error REAL,
            settled INTEGER,
            UNIQUE (rollout, device_id, utterance_id, answered_by)
        )""",
        "CREATE INDEX known ON comparisons (rollout, number)",
        "CREATE INDEX settled ON comparisons (rollout, settled) WHERE settled IS NOT NULL",
        "CREATE INDEX of_utterance ON comparisons (device_id, utterance_id)",
    ),
    (
        # Numbers up to which a trial was read, and what it knew then: figures alone, nobody's.
        """CREATE TABLE trials (
            rollout INTEGER PRIMARY KEY,
            known INTEGER NOT NULL,
            settled INTEGER NOT NULL,
            made_by INTEGER NOT NULL,
            state BLOB NOT NULL
        )""",
    ),
)
"""From one version of the tables to the next. A released one is never changed: another is added."""


class ShadowHeard(msgspec.Struct, frozen=True):
    """What a candidate made of an utterance that another answered."""

    transcript: str
    intent: str
    """Its name; empty: none was understood."""
    confidence: float | None
    decoding_ms: int
    agrees: bool
    """Whether it would have done the same."""


class Comparison(msgspec.Struct, frozen=True):
    """What is known of a candidate's answer, or of what serves, or of both, to one utterance."""

    rollout: int
    key: Key
    at_unix_us: int
    """When it was spoken, else answered."""
    by: By
    """Who heard it: both, where one did in the shadow."""
    slices: tuple[str, ...]
    shown: bytes = b""
    """A mark of the words that were shown, see judging.py."""
    candidate: Answered = Answered()
    served: Answered = Answered()


class ShadowStore:
    """Must be closed. One thread at a time; DATABASE_ERRORS come through."""

    def __init__(self, file: Path) -> None:
        """Made if need be."""
        file.parent.mkdir(parents=True, exist_ok=True)
        self._database = open_private(file, partial(migrate, steps=STEPS), synchronous="NORMAL")

    def close(self) -> None:
        self._database.close()

    def put(self, comparison: Comparison, heard: ShadowHeard | None = None) -> None:
        """What is there of that utterance already stays as it is."""
        one = comparison
        with self._database:
            self._database.execute("BEGIN IMMEDIATE")
            self._database.execute(
                "INSERT INTO comparisons (rollout, device_id, utterance_id, at_unix_us, answered_by, slices, shown, "
                "candidate, served) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                (
                    *(one.rollout, *one.key, one.at_unix_us, one.by, msgspec.json.encode(one.slices).decode()),
                    *(one.shown, _text(one.candidate), _text(one.served)),
                ),
            )
            if heard is not None:
                self._database.execute(
                    "INSERT INTO heard (rollout, device_id, utterance_id, at_unix_us, transcript, intent, confidence, "
                    "decoding_ms, agrees) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                    (one.rollout, *one.key, one.at_unix_us, *msgspec.structs.astuple(heard)),
                )

    def settle(self, rollout: int, key: Key, by: By, *, candidate: float | None, served: float | None) -> bool:
        """Whether they were wrong becomes known, once: what is said later changes nothing. False if it was known."""
        with self._database:
            self._database.execute("BEGIN IMMEDIATE")
            return (
                self._database.execute(
                    "UPDATE comparisons SET candidate_error = ?, served_error = ?, "
                    "settled = (SELECT COALESCE(MAX(settled), 0) + 1 FROM comparisons AS others "
                    "WHERE others.rollout = comparisons.rollout) "
                    "WHERE rollout = ? AND device_id = ? AND utterance_id = ? AND answered_by = ? AND settled IS NULL",
                    (candidate, served, rollout, *key, by),
                ).rowcount
                > 0
            )

    def open_comparisons(self, key: Key) -> list[tuple[int, By, bytes, str | None]]:
        """Those of an utterance of which nobody knows yet who was wrong: rollout, who heard it, the mark of what was
        shown, and what the candidate heard in the shadow."""
        return self._database.execute(
            "SELECT comparisons.rollout, answered_by, shown, transcript FROM comparisons LEFT JOIN heard "
            "ON heard.rollout = comparisons.rollout AND heard.device_id = comparisons.device_id "
            "AND heard.utterance_id = comparisons.utterance_id AND answered_by = 'both' "
            "WHERE comparisons.device_id = ? AND comparisons.utterance_id = ? AND settled IS NULL",
            key,
        ).fetchall()

    def known(self, rollout: int, after: int, rows_max: int = -1) -> Iterator[tuple[int, Comparison]]:
        """What was known of answers at once, in order, from a number on; each with its number. -1: all of it."""
        for number, by, slices, candidate, served in self._database.execute(
            "SELECT number, answered_by, slices, candidate, served FROM comparisons "
            "WHERE rollout = ? AND number > ? ORDER BY number LIMIT ?",
            (rollout, after, rows_max),
        ):
            yield number, _comparison(rollout, None, by, slices, _answered(candidate), _answered(served))

    def settled(self, rollout: int, after: int, rows_max: int = -1) -> Iterator[tuple[int, int, Comparison]]:
        """Errors in the order in which they became known, from a number on; each with its number, and with that of
        what was known at once. -1: all of them."""
        for settled, number, device_id, by, slices, candidate, served in self._database.execute(
            "SELECT settled, number, device_id, answered_by, slices, candidate_error, served_error FROM comparisons "
            "WHERE rollout = ? AND settled > ? ORDER BY settled LIMIT ?",
            (rollout, after, rows_max),
        ):
            errors = Answered(error=candidate), Answered(error=served)
            yield settled, number, _comparison(rollout, device_id, by, slices, *errors)

    def errors_of(self, rollout: int, settled_max: int, before: int | None) -> list[tuple[str, float, int]]:
        """How often what serves was wrong at what both heard, as far as that was settled by then, of what came before a
        number: board, sum of errors, of how many."""
        return self._database.execute(
            "SELECT COALESCE(device_id, ''), SUM(served_error), COUNT(*) FROM comparisons WHERE rollout = ?1 "
            "AND settled <= ?2 AND settled IS NOT NULL AND answered_by = 'both' AND served_error IS NOT NULL "
            "AND (?3 IS NULL OR number < ?3) GROUP BY 1 ORDER BY 1",
            (rollout, settled_max, before),
        ).fetchall()

    def trial(self, rollout: int, made_by: int) -> bytes | None:
        """What was kept of a trial last, if that reader made it."""
        row = self._database.execute(
            "SELECT state FROM trials WHERE rollout = ? AND made_by = ?", (rollout, made_by)
        ).fetchone()
        return None if row is None else row[0]

    def keep_trial(self, rollout: int, known: int, settled: int, made_by: int, state: bytes) -> None:
        """Keeps what a trial knows by what was known and settled up to these numbers, if no more is kept already."""
        with self._database:
            self._database.execute("BEGIN IMMEDIATE")
            self._database.execute(
                "INSERT INTO trials VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET known = excluded.known, "
                "settled = excluded.settled, made_by = excluded.made_by, state = excluded.state "
                "WHERE excluded.made_by != made_by OR (excluded.known >= known AND excluded.settled >= settled)",
                (rollout, known, settled, made_by, state),
            )
            self._database.execute(
                "DELETE FROM trials WHERE rollout <= (SELECT MAX(rollout) FROM trials) - ?", (TRIALS_MAX,)
            )

    def heard(self, rollout: int | None = None) -> Iterator[tuple[Key, ShadowHeard]]:
        """What was heard in the shadow, in order."""
        for device_id, utterance_id, transcript, intent, confidence, decoding_ms, agrees in self._database.execute(
            "SELECT device_id, utterance_id, transcript, intent, confidence, decoding_ms, agrees FROM heard "
            "WHERE ?1 IS NULL OR rollout = ?1 ORDER BY number",
            (rollout,),
        ):
            heard = ShadowHeard(transcript, intent, confidence, decoding_ms, bool(agrees))
            yield Key(device_id, utterance_id), heard

    def settled_since(self, rollout: int, at_unix_us: int, *, by_both: bool) -> tuple[int, int | None]:
        """Utterances from then on of which it is known who was wrong, of those that both heard, or that one of them
        answered: how many, and when the first was."""
        which = "= 'both' AND candidate_error + served_error" if by_both else "!= 'both' AND settled"
        count, first_unix_us = self._database.execute(
            "SELECT COUNT(*), MIN(at_unix_us) FROM comparisons "
            f"WHERE rollout = ? AND at_unix_us >= ? AND answered_by {which} IS NOT NULL",
            (rollout, at_unix_us),
        ).fetchone()
        return count, first_unix_us

    def forget(self, device_id: str | None, utterance_id: str | None, span: Span) -> int:
        """Erases what was heard of utterances that fit all that is given, and whose comparisons were; how many of these
        that were. `scrub` is to follow."""
        given: dict[str, object] = {"device_id = ?": device_id, "utterance_id = ?": utterance_id}
        with self._database:
            self._database.execute("BEGIN IMMEDIATE")
            self._where("DELETE FROM heard", given, span)
            nobody = "UPDATE comparisons SET device_id = NULL, utterance_id = NULL, shown = NULL"
            return self._where(nobody, {"device_id IS NOT NULL AND ?": 1} | given, span)

    def prune(self, before_unix_us: int, heard_max: int = HEARD_MAX) -> int:
        """Erases what was heard before, and of more than that the oldest; how many."""
        with self._database:
            self._database.execute("BEGIN IMMEDIATE")
            gone = self._database.execute("DELETE FROM heard WHERE at_unix_us < ?", (before_unix_us,)).rowcount
            gone += self._database.execute(
                "DELETE FROM heard WHERE number <= (SELECT MAX(number) FROM heard) - ?", (heard_max,)
            ).rowcount
            self._database.execute(
                "UPDATE comparisons SET device_id = NULL, utterance_id = NULL, shown = NULL "
                "WHERE at_unix_us < ? AND device_id IS NOT NULL",
                (before_unix_us,),
            )
            self._database.execute(
                "DELETE FROM comparisons WHERE number <= (SELECT MAX(number) FROM comparisons) - ?", (COMPARISONS_MAX,)
            )
            return gone

    def scrub(self) -> bool:
        """Older pages of what was deleted may lie in the write-ahead log: empties that. False if somebody reads."""
        return empty_write_ahead_log(self._database)

    def _where(self, statement: str, given: dict[str, object], span: Span) -> int:
        rules = given | {"at_unix_us >= ?": span.since_unix_us, "at_unix_us < ?": span.until_unix_us}
        named = {rule: value for rule, value in rules.items() if value is not None}
        where = " AND ".join([*named, "TRUE"])
        return self._database.execute(f"{statement} WHERE {where}", tuple(named.values())).rowcount


def forget_in_shadow(state_dir: Path, device_id: str | None, utterance_id: str | None, span: Span) -> None:
    """Erases what was heard of utterances that fit, where anything was. DATABASE_ERRORS, also while somebody reads."""
    if not (state_dir / FILE_NAME).exists():
        return
    with closing(ShadowStore(state_dir / FILE_NAME)) as store:
        store.forget(device_id, utterance_id, span)
        if not store.scrub():
            raise sqlite3.OperationalError("somebody reads it")


def _text(answered: Answered) -> str:
    return msgspec.json.encode(answered).decode()


def _answered(text: str) -> Answered:
    return msgspec.json.decode(text, type=Answered)


def _comparison(
    rollout: int, device_id: str | None, by: By, slices: str, candidate: Answered, served: Answered
) -> Comparison:
    names = msgspec.json.decode(slices, type=tuple[str, ...])
    return Comparison(rollout, Key(device_id or "", ""), 0, by, names, candidate=candidate, served=served)
