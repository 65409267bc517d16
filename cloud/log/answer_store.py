"""The tables of the utterance log, in one file. One thread at a time; DATABASE_ERRORS come through.

A commit is on the disk when it returns. What is deleted is overwritten.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal, NamedTuple, Protocol

from cloud.drift.facts import Facts
from cloud.log import facts_table
from cloud.log.record import Record
from cloud.log.wanted import Wanted
from common.migration import migrate
from common.private_database import empty_write_ahead_log, open_private

STEPS = (
    (
        # The first release did not number its tables.
        """CREATE TABLE IF NOT EXISTS answers (
            number INTEGER PRIMARY KEY,
            device_id TEXT NOT NULL,
            utterance_id TEXT NOT NULL,
            answered_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
            final BLOB NOT NULL,
            UNIQUE (device_id, utterance_id)
        )""",
        "ALTER TABLE answers ADD COLUMN spoken_at_unix_us INTEGER",
    ),
    (
        # What people said of answers. That of an utterance which is not here may have come before it.
        """CREATE TABLE feedback (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            device_id TEXT NOT NULL,
            utterance_id TEXT NOT NULL,
            feedback_id TEXT NOT NULL,
            given_at_unix_us INTEGER NOT NULL,
            received_at_unix_us INTEGER NOT NULL,
            request BLOB NOT NULL,
            UNIQUE (device_id, feedback_id)
        )""",
        "CREATE INDEX feedback_of_utterance ON feedback (device_id, utterance_id)",
        # However an answer goes: it is forgotten, too old, or one too many.
        """CREATE TRIGGER feedback_goes_with_its_answer AFTER DELETE ON answers BEGIN
            DELETE FROM feedback WHERE device_id = OLD.device_id AND utterance_id = OLD.utterance_id;
        END""",
    ),
    (
        # When and how well it was heard: what other boards of its group heard is compared with it.
        "ALTER TABLE answers ADD COLUMN ended_at_unix_us INTEGER",
        "ALTER TABLE answers ADD COLUMN duration_ms INTEGER",
        "ALTER TABLE answers ADD COLUMN snr_db REAL",
        "CREATE INDEX answers_of_device ON answers (device_id)",
        # A number that was told to who looks on is never another answer's, be it erased.
        "CREATE TABLE last_number (number INTEGER NOT NULL)",
        "INSERT INTO last_number SELECT COALESCE(MAX(number), 0) FROM answers",
        """CREATE TRIGGER a_number_is_given_once AFTER INSERT ON answers BEGIN
            UPDATE last_number SET number = NEW.number;
        END""",
        # How often something of a board was erased: who looks on is to drop it, too.
        "CREATE TABLE erasures (device_id TEXT PRIMARY KEY, times INTEGER NOT NULL) WITHOUT ROWID",
    ),
    (
        # What boards said of utterances, what these were like, and some of their frames; see cloud/log/record.py.
        "ALTER TABLE answers ADD COLUMN config BLOB",
        "ALTER TABLE answers ADD COLUMN end_told BLOB",
        """CREATE TABLE facts (
            number INTEGER PRIMARY KEY,
            transcript TEXT NOT NULL,
            device_id TEXT,
            at_unix_us INTEGER,
            replayed INTEGER,
            path TEXT,
            edge_version TEXT,
            local_model_version TEXT,
            vad TEXT,
            service_version TEXT,
            engine TEXT,
            model TEXT,
            domain TEXT,
            domain_version TEXT,
            level_dbfs REAL,
            peak_dbfs REAL,
            noise_floor_dbfs REAL,
            snr_db REAL,
            clipped_share REAL,
            overruns INTEGER,
            gaps INTEGER,
            duration_ms INTEGER,
            speech_ms INTEGER,
            speech_share REAL,
            silence_before_s REAL,
            end_reason TEXT,
            noise_bands_db BLOB,
            speech_bands_db BLOB,
            band_spread_db BLOB,
            syllables_per_s REAL,
            fall_db_per_s REAL,
            pitch_hz REAL,
            word_count INTEGER,
            words_per_s REAL,
            unknown_share REAL,
            intent TEXT,
            confidence REAL,
            margin REAL,
            results_count INTEGER,
            top_score REAL,
            choices_count INTEGER,
            was_empty INTEGER,
            waiting_ms INTEGER,
            decoding_ms INTEGER,
            endpoint_to_final_ms INTEGER,
            onset_to_partial_ms INTEGER,
            local_agrees INTEGER,
            shadow_agrees INTEGER
        )""",
        "CREATE INDEX facts_of_device ON facts (device_id, at_unix_us)",
        "CREATE INDEX facts_by_time ON facts (at_unix_us)",
        "CREATE TABLE features (number INTEGER PRIMARY KEY, answered_at_unix_us INTEGER NOT NULL, kept BLOB NOT NULL)",
        """CREATE TRIGGER all_of_it_goes_with_its_answer AFTER DELETE ON answers BEGIN
            DELETE FROM facts WHERE number = OLD.number;
            DELETE FROM features WHERE number = OLD.number;
        END""",
    ),
    (
        # With all that cloud/log/summary.py asks of a board: 500 boards are told of without their rows being read.
        "DROP INDEX facts_of_device",
        "CREATE INDEX facts_of_device ON facts (device_id, at_unix_us, path, replayed, was_empty, noise_floor_dbfs, "
        "snr_db, confidence, endpoint_to_final_ms, edge_version)",
    ),
    (
        # How high a voice went, and how low.
        "ALTER TABLE facts ADD COLUMN pitch_low_hz REAL",
        "ALTER TABLE facts ADD COLUMN pitch_high_hz REAL",
    ),
)
"""From one version of the tables to the next. A released one is never changed: another is added."""

_AT_UNIX_US = "COALESCE(spoken_at_unix_us, 1000000 * CAST(strftime('%s', answered_at) AS INTEGER))"

ANSWERED_AT_UNIX_US = "1000 * CAST(86400000 * (julianday(answered_at) - 2440587.5) + 0.5 AS INTEGER)"
"""Of `answers`."""

FACTS = ", ".join(f"facts.{name}" for name in facts_table.COLUMNS)
"""Columns, as `facts_table.facts` takes them."""

_HAS_NO_ANSWER = (
    "NOT EXISTS (SELECT 1 FROM answers WHERE answers.device_id = feedback.device_id "
    "AND answers.utterance_id = feedback.utterance_id)"
)

DATABASE_ERRORS = (sqlite3.Error, OSError)

FEEDBACK_MAX = 32
"""Kept of one utterance; of more, what was said first goes."""


class Key(NamedTuple):
    """What an answer belongs to."""

    device_id: str
    utterance_id: str


class Span(NamedTuple):
    """When something was spoken, or answered where that is not known: from `since` on, before `until`, microseconds
    since 1970."""

    since_unix_us: int | None = None
    until_unix_us: int | None = None

    def holds(self, at_unix_us: int) -> bool:
        """Whether that was then."""
        return (self.since_unix_us is None or self.since_unix_us <= at_unix_us) and (
            self.until_unix_us is None or at_unix_us < self.until_unix_us
        )


class Occasion(NamedTuple):
    """When and how well an utterance was heard, as far as that is known."""

    spoken_at_unix_us: int | None = None
    """Its beginning by the board's clock, where that was synchronised."""
    ended_at_unix_us: int | None = None
    """When its end came, by the service's clock, where it was not sent later."""
    duration_ms: int | None = None
    snr_db: float | None = None


UNKNOWN = Occasion()


class Row(NamedTuple):
    """An answer to be kept."""

    key: Key
    final: bytes
    answered_at_unix_us: int
    occasion: Occasion = UNKNOWN
    record: Record | None = None
    """What else is kept of the utterance."""


class Answered(NamedTuple):
    """An answer that is kept."""

    number: int
    key: Key
    answered_at_unix_us: int
    occasion: Occasion
    final: bytes


class Members(Protocol):
    """Some boards."""

    @property
    def ranges(self) -> Sequence[tuple[str, str]]:
        """They are among the device ids from the first of each up to the second."""

    def has(self, device_id: str) -> bool:
        """Whether that is one of them."""


class FeedbackRow(NamedTuple):
    """What a person said of an answer, to be kept."""

    key: Key
    feedback_id: str
    given_at_unix_us: int
    received_at_unix_us: int
    request: bytes
    """A FeedbackRequest."""


class Numbers(NamedTuple):
    """Of the newest rows."""

    answer: int
    feedback: int


class Logged(NamedTuple):
    """All that is kept of an utterance."""

    key: Key
    answered_at: str | None
    """ISO 8601; None: it has no answer here."""
    spoken_at_unix_us: int | None
    final: bytes | None
    feedback: list[bytes]
    """FeedbackRequests, in the order in which they were given."""
    facts: Facts | None = None
    """What it was like; None where an older release answered."""


class AnswerStore:
    """Must be closed."""

    def __init__(self, file: Path) -> None:
        """Made if need be."""
        self._database = open_private(file, _prepare)

    def close(self) -> None:
        self._database.close()

    def get(self, key: Key) -> bytes | None:
        """The final of this key."""
        found = self._database.execute("SELECT final FROM answers WHERE device_id = ? AND utterance_id = ?", key)
        row: tuple[bytes] | None = found.fetchone()
        return row[0] if row else None

    def add(self, rows: Iterable[Row], answers_max: int) -> bool:
        """All of them, or none; a key that is there stays as it is. Whether the oldest had to go."""
        with self._database:
            self._database.execute("BEGIN IMMEDIATE")
            for row in rows:
                values = (*row.key, row.final, row.answered_at_unix_us / 1e6, *row.occasion)
                added = self._database.execute(
                    "INSERT INTO answers (number, device_id, utterance_id, final, answered_at, spoken_at_unix_us, "
                    "ended_at_unix_us, duration_ms, snr_db) SELECT number + 1, ?, ?, ?, "
                    "strftime('%Y-%m-%dT%H:%M:%fZ', ?, 'unixepoch'), ?, ?, ?, ? FROM last_number WHERE TRUE "
                    "ON CONFLICT DO NOTHING",
                    values,
                )
                if added.rowcount == 1 and row.record is not None:
                    self._add_record(int(added.lastrowid or 0), row.record, row.answered_at_unix_us)
            oldest = self.last_numbers().answer - answers_max
            return self._database.execute("DELETE FROM answers WHERE number <= ?", (oldest,)).rowcount > 0

    def _add_record(self, number: int, record: Record, answered_at_unix_us: int) -> None:
        self._database.execute(
            "UPDATE answers SET config = ?, end_told = ? WHERE number = ?", (record.config, record.end, number)
        )
        self._database.execute(
            f"INSERT INTO facts (number, transcript, {', '.join(facts_table.COLUMNS)}) "
            f"VALUES (?, ?, {facts_table.PLACEHOLDERS})",
            (number, record.transcript, *facts_table.row(record.facts)),
        )
        if record.features is not None:
            self._database.execute(
                "INSERT INTO features VALUES (?, ?, ?)", (number, answered_at_unix_us, record.features)
            )

    def give(self, row: FeedbackRow, feedback_max: int) -> bool:
        """What was given before stays as it is. Whether the oldest had to go, of that utterance or of all."""
        with self._database:
            self._database.execute("BEGIN IMMEDIATE")
            self._database.execute(
                "INSERT INTO feedback (device_id, utterance_id, feedback_id, given_at_unix_us, received_at_unix_us, "
                "request) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                (*row.key, *row[1:]),
            )
            oldest = self.last_numbers().feedback - feedback_max
            gone = self._database.execute("DELETE FROM feedback WHERE number <= ?", (oldest,)).rowcount
            of_utterance = (
                "SELECT number FROM feedback WHERE device_id = ? AND utterance_id = ? "
                "ORDER BY given_at_unix_us DESC, feedback_id DESC LIMIT -1 OFFSET ?"
            )
            gone += self._database.execute(
                f"DELETE FROM feedback WHERE number IN ({of_utterance})", (*row.key, FEEDBACK_MAX)
            ).rowcount
            return gone > 0

    def everything(self, wanted: Wanted | None = None) -> Iterator[Logged]:
        """All answers in order, each with what was said of it; then what was said of utterances without an answer. Or
        those answers that are wanted."""
        where, values = ("TRUE", []) if wanted is None else wanted.where()
        of_answers = self._database.execute(
            "SELECT answers.device_id, answers.utterance_id, answered_at, spoken_at_unix_us, final, facts.number, "
            f"{FACTS} FROM answers {'LEFT ' if wanted is None else ''}JOIN facts USING (number) WHERE {where} "
            "ORDER BY answers.number",
            values,
        )
        for device_id, utterance_id, answered_at, spoken_at_unix_us, final, number, *facts in of_answers:
            key = Key(device_id, utterance_id)
            read = None if number is None else facts_table.facts(utterance_id, facts)
            yield Logged(key, answered_at, spoken_at_unix_us, final, self._said_of(key), read)
        if wanted is not None:
            return
        others = self._database.execute(
            f"SELECT device_id, utterance_id FROM feedback WHERE {_HAS_NO_ANSWER} "
            "GROUP BY device_id, utterance_id ORDER BY MIN(number)"
        )
        for key in map(Key._make, others):
            yield Logged(key, None, None, None, self._said_of(key))

    def erasures(self, members: Members) -> list[tuple[str, int]]:
        """How often something of each of these boards was erased."""
        return [
            erased
            for low, high in members.ranges
            for erased in self._database.execute(
                "SELECT device_id, times FROM erasures WHERE device_id >= ? AND device_id < ? ORDER BY device_id",
                (low, high),
            )
            if members.has(erased[0])
        ]

    def last_number(self) -> int:
        """The greatest there ever was."""
        return int(self._database.execute("SELECT number FROM last_number").fetchone()[0])

    def newest_of(self, members: Members, count: int) -> list[Answered]:
        """So many of the answers to these boards, in order."""
        return self._answered(sorted(self._numbers(members, 0, count, "DESC"))[-count:])

    def next_of(self, members: Members, after: int, count: int) -> list[Answered]:
        """The next ones behind a number, in order."""
        return self._answered(sorted(self._numbers(members, after, count, "ASC"))[:count])

    def _numbers(self, members: Members, after: int, count: int, order: Literal["ASC", "DESC"]) -> list[int]:
        """Of each board the first ones in that order; by the index of boards, whose entries have the number behind."""
        return [
            number
            for low, high in members.ranges
            for (device_id,) in self._database.execute(
                "SELECT DISTINCT device_id FROM answers WHERE device_id >= ? AND device_id < ?", (low, high)
            ).fetchall()
            if members.has(device_id)
            for (number,) in self._database.execute(
                "SELECT number FROM answers INDEXED BY answers_of_device WHERE device_id = ? AND number > ? "
                f"ORDER BY number {order} LIMIT ?",
                (device_id, after, count),
            )
        ]

    def _answered(self, numbers: Sequence[int]) -> list[Answered]:
        rows = self._database.execute(
            f"SELECT number, device_id, utterance_id, {ANSWERED_AT_UNIX_US}, "
            "spoken_at_unix_us, ended_at_unix_us, duration_ms, snr_db, final FROM answers "
            f"WHERE number IN ({', '.join(map(str, numbers))}) ORDER BY number"
        )
        return [
            Answered(number, Key(device_id, utterance_id), answered_at_us, Occasion(*occasion), final)
            for number, device_id, utterance_id, answered_at_us, *occasion, final in rows
        ]

    def last_numbers(self) -> Numbers:
        """Of the newest answer and feedback."""
        newest = [f"SELECT COALESCE(MAX(number), 0) FROM {table}" for table in ("answers", "feedback")]
        return Numbers(*(self._database.execute(query).fetchone()[0] for query in newest))

    def prune(self, before_unix_us: int, numbers_max: Numbers, limit: int) -> int:
        """Erases answers that were given before, up to that number, and feedback without an answer that came before;
        how many, up to the limit of each."""
        was_answered = "answered_at < strftime('%Y-%m-%dT%H:%M:%fZ', ?, 'unixepoch')"
        answers = {was_answered: before_unix_us / 1e6, "number <= ?": numbers_max.answer}
        stray = {"received_at_unix_us < ?": before_unix_us, "number <= ?": numbers_max.feedback}
        return self._delete("answers", answers, "TRUE", limit) + self._delete("feedback", stray, _HAS_NO_ANSWER, limit)

    def prune_features(self, before_unix_us: int, bytes_max: int) -> int:
        """Erases frames that are older, and the oldest of those that are more than so many bytes; of how many
        utterances."""
        with self._database:
            self._database.execute("BEGIN IMMEDIATE")
            gone = self._database.execute(
                "DELETE FROM features WHERE answered_at_unix_us < ?", (before_unix_us,)
            ).rowcount
            gone += self._database.execute(
                "DELETE FROM features WHERE number IN (SELECT number FROM (SELECT number, SUM(LENGTH(kept)) "
                "OVER (ORDER BY number DESC) AS bytes FROM features) WHERE bytes > ?)",
                (bytes_max,),
            ).rowcount
            return gone

    def forget(self, device_id: str | None, utterance_id: str | None, span: Span, limit: int | None = None) -> int:
        """Erases utterances that fit all that is given; how many answers that were, up to the limit, which has the
        oldest go. `scrub` is to follow.

        Where there is only feedback, the utterance may have been spoken at any time before that came."""
        which = {"device_id = ?": device_id, "utterance_id = ?": utterance_id}
        answers = which | {f"{_AT_UNIX_US} >= ?": span.since_unix_us, f"{_AT_UNIX_US} < ?": span.until_unix_us}
        stray = which | {"received_at_unix_us >= ?": span.since_unix_us}
        with self._database:
            self._database.execute("BEGIN IMMEDIATE")
            self._delete("feedback", stray, _HAS_NO_ANSWER)
            return self._delete("answers", answers, "TRUE", limit)

    def scrub(self, *, waits: bool = False) -> bool:
        """Older pages of what was deleted may lie in the write-ahead log: empties that. False if somebody reads; or, if
        it waits, does so all the while."""
        return empty_write_ahead_log(self._database, waits=waits)

    def _delete(self, table: str, rules: Mapping[str, object | None], rule: str, limit: int | None = None) -> int:
        """What fits the rule, and those of the rules that have a value; the oldest up to a limit."""
        given = {rule: value for rule, value in rules.items() if value is not None}
        where = " AND ".join([*given, rule])
        if limit is not None:
            where = f"number IN (SELECT number FROM {table} WHERE {where} ORDER BY number LIMIT {limit})"
        if table == "answers":
            self._database.execute(
                f"INSERT INTO erasures SELECT DISTINCT device_id, 1 FROM answers WHERE {where} "
                "ON CONFLICT DO UPDATE SET times = times + 1",
                tuple(given.values()),
            )
        return self._database.execute(f"DELETE FROM {table} WHERE {where}", tuple(given.values())).rowcount

    def _said_of(self, key: Key) -> list[bytes]:
        found = self._database.execute(
            "SELECT request FROM feedback WHERE device_id = ? AND utterance_id = ? "
            "ORDER BY given_at_unix_us, feedback_id",
            key,
        )
        return [request for (request,) in found]


def _prepare(database: sqlite3.Connection) -> None:
    (version,) = database.execute("PRAGMA user_version").fetchone()
    migrate(database, STEPS)
    if version == 0:
        # The first release did not overwrite what it deleted.
        database.execute("VACUUM")
        empty_write_ahead_log(database)
