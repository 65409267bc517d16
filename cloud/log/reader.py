"""The utterance log for who looks at it: read-only, beside the service that writes it.

A connection of its own: what is written meanwhile waits for nobody who reads.
"""

import sqlite3
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from cloud.drift.facts import Facts
from cloud.log import facts_table
from cloud.log.answer_store import ANSWERED_AT_UNIX_US, FACTS, Key
from cloud.log.wanted import Wanted
from common.errors import SettingsError
from common.private_database import BUSY_S_MAX
from protos import speech_pb2


class Entry(NamedTuple):
    """An utterance in a list."""

    number: int
    facts: Facts
    transcript: str


class Whole(NamedTuple):
    """All that is kept of an utterance."""

    number: int
    key: Key
    answered_at: str
    """ISO 8601."""
    final: speech_pb2.Final
    facts: Facts | None
    """None of an answer that an older release gave."""
    config: speech_pb2.UtteranceConfig | None
    end: speech_pb2.UtteranceEnd | None
    features: bytes | None
    """See kept_features.py."""
    feedback: list[speech_pb2.FeedbackRequest]


class Logged(NamedTuple):
    """An answer with what people said of it."""

    number: int
    facts: Facts
    final: speech_pb2.Final
    feedback: list[speech_pb2.FeedbackRequest]
    """In the order in which they were given."""


class Final(NamedTuple):
    """An answer alone."""

    key: Key
    answered_at_unix_us: int
    final: speech_pb2.Final


class LogReader:
    """Must be closed. One thread's."""

    def __init__(self, file: Path) -> None:
        """SettingsError if there is none, or it is of an older release and no service of this one has run since."""
        self._database = read_only(file)

    def close(self) -> None:
        self._database.close()

    def newest(self, wanted: Wanted, limit: int) -> list[Entry]:
        """So many of those that are wanted, the newest first."""
        where, values = wanted.where()
        found = self._database.execute(
            f"SELECT facts.number, answers.utterance_id, facts.transcript, {FACTS} FROM facts "
            f"JOIN answers USING (number) WHERE {where} ORDER BY facts.number DESC LIMIT ?",
            (*values, limit),
        )
        return [_entry(row) for row in found]

    def since(self, number: int, limit: int) -> list[Entry]:
        """So many of those behind a number, in order."""
        found = self._database.execute(
            f"SELECT facts.number, answers.utterance_id, facts.transcript, {FACTS} FROM facts "
            "JOIN answers USING (number) WHERE facts.number > ? ORDER BY facts.number LIMIT ?",
            (number, limit),
        )
        return [_entry(row) for row in found]

    def every(self, wanted: Wanted) -> Iterator[Entry]:
        """Those that are wanted, in order."""
        where, values = wanted.where()
        found = self._database.execute(
            f"SELECT facts.number, answers.utterance_id, facts.transcript, {FACTS} FROM facts "
            f"JOIN answers USING (number) WHERE {where} ORDER BY facts.number",
            values,
        )
        return map(_entry, found)

    def count(self, wanted: Wanted) -> int:
        """How many are wanted."""
        where, values = wanted.where()
        return int(self._database.execute(f"SELECT count(*) FROM facts WHERE {where}", values).fetchone()[0])

    def one(self, utterance_id: str, device_id: str | None = None) -> Whole | None:
        """All of the newest utterance with that id."""
        # By the index of keys, in which the device comes first.
        among = [device_id] if device_id is not None else devices(self._database)
        key = "SELECT number FROM answers WHERE device_id = ? AND utterance_id = ?"
        numbers = [number for device in among for (number,) in self._database.execute(key, (device, utterance_id))]
        return self._whole(max(numbers)) if numbers else None

    def answers(self, number: int, until_unix_us: int, limit: int, feedback_max: int) -> list[Logged]:
        """So many of those behind a number that were answered before then, in order, with what was said of each, up to
        that feedback."""
        found = self._database.execute(
            f"SELECT facts.number, answers.utterance_id, final, {FACTS} FROM facts JOIN answers USING (number) "
            "WHERE facts.number > ? AND answered_at < strftime('%Y-%m-%dT%H:%M:%fZ', ?, 'unixepoch') "
            "ORDER BY facts.number LIMIT ?",
            (number, until_unix_us / 1e6, limit),
        ).fetchall()
        return [self._logged(row, feedback_max) for row in found]

    def finals(self, after_unix_us: int = 0) -> Iterator[Final]:
        """Those that were given after then, in order."""
        found = self._database.execute(
            f"SELECT device_id, utterance_id, {ANSWERED_AT_UNIX_US}, final FROM answers "
            f"WHERE {ANSWERED_AT_UNIX_US} > ? ORDER BY number",
            (after_unix_us,),
        )
        for device_id, utterance_id, answered_at_unix_us, final in found:
            yield Final(Key(device_id, utterance_id), answered_at_unix_us, speech_pb2.Final.FromString(final))

    def has(self, device_id: str, utterance_id: str) -> bool:
        """Whether that one is there still."""
        found = self._database.execute(
            "SELECT 1 FROM answers WHERE device_id = ? AND utterance_id = ?", (device_id, utterance_id)
        )
        return found.fetchone() is not None

    def said_since(self, feedback: int, number_max: int) -> tuple[list[Logged], int]:
        """Answers up to that number of which something was said behind that feedback, with that alone; the newest
        feedback there is now."""
        newest = self.last_feedback()
        found = self._database.execute(
            f"SELECT request, facts.number, answers.utterance_id, final, {FACTS} FROM feedback "
            "JOIN answers USING (device_id, utterance_id) JOIN facts ON facts.number = answers.number "
            "WHERE feedback.number > ? AND feedback.number <= ? AND facts.number <= ? ORDER BY feedback.number",
            (feedback, newest, number_max),
        ).fetchall()
        logged = []
        for request, number, utterance_id, final, *values in found:
            said = [speech_pb2.FeedbackRequest.FromString(request)]
            facts = facts_table.facts(utterance_id, values)
            logged.append(Logged(number, facts, speech_pb2.Final.FromString(final), said))
        return logged, newest

    def last_feedback(self) -> int:
        """Number of the newest."""
        return int(self._database.execute("SELECT COALESCE(MAX(number), 0) FROM feedback").fetchone()[0])

    def last_number(self) -> int:
        """The greatest there ever was; less where an older copy was put back."""
        return int(self._database.execute("SELECT number FROM last_number").fetchone()[0])

    def erasures(self) -> dict[str, int]:
        """How often something of a board was erased, by device id."""
        return dict(self._database.execute("SELECT device_id, times FROM erasures").fetchall())

    def has_board(self, device_id: str) -> bool:
        """Whether anything of it is left."""
        found = self._database.execute("SELECT 1 FROM answers WHERE device_id = ? LIMIT 1", (device_id,)).fetchone()
        return found is not None

    def transcripts(self, keys: Iterable[tuple[str, str]]) -> Iterator[str]:
        """What was said in those utterances (device, utterance) that are still there."""
        for key in keys:
            found = self._database.execute(
                "SELECT transcript FROM facts JOIN answers USING (number) "
                "WHERE answers.device_id = ? AND answers.utterance_id = ?",
                key,
            ).fetchone()
            if found is not None:
                yield str(found[0])

    def transcripts_of(self, device_id: str) -> Iterator[str]:
        """All that a board was understood to say, as far as it is still there."""
        found = self._database.execute("SELECT transcript FROM facts WHERE device_id = ?", (device_id,))
        return (str(transcript) for (transcript,) in found)

    def _logged(
        self,
        row: tuple,  # type: ignore[type-arg]  # What a database has is anything.
        feedback_max: int,
    ) -> Logged:
        number, utterance_id, final, *values = row
        facts = facts_table.facts(utterance_id, values)
        said = self._said_of(facts.device_id, utterance_id, feedback_max)
        return Logged(number, facts, speech_pb2.Final.FromString(final), said)

    def _said_of(
        self, device_id: str, utterance_id: str, number_max: int = sys.maxsize
    ) -> list[speech_pb2.FeedbackRequest]:
        found = self._database.execute(
            "SELECT request FROM feedback WHERE device_id = ? AND utterance_id = ? AND number <= ? "
            "ORDER BY given_at_unix_us, feedback_id",
            (device_id, utterance_id, number_max),
        )
        return [speech_pb2.FeedbackRequest.FromString(request) for (request,) in found]

    def _whole(self, number: int) -> Whole:
        device_id, utterance_id, answered_at, final, config, end, features = self._database.execute(
            "SELECT device_id, utterance_id, answered_at, final, config, end_told, features.kept FROM answers "
            "LEFT JOIN features USING (number) WHERE number = ?",
            (number,),
        ).fetchone()
        facts = self._database.execute(f"SELECT {FACTS} FROM facts WHERE number = ?", (number,)).fetchone()
        return Whole(
            number,
            Key(device_id, utterance_id),
            answered_at,
            speech_pb2.Final.FromString(final),
            None if facts is None else facts_table.facts(utterance_id, facts),
            None if config is None else speech_pb2.UtteranceConfig.FromString(config),
            None if end is None else speech_pb2.UtteranceEnd.FromString(end),
            features,
            self._said_of(device_id, utterance_id),
        )


def read_only(file: Path) -> sqlite3.Connection:
    """A connection to the log beside the one that writes. SettingsError, as of LogReader."""
    if not file.exists():
        raise SettingsError(f"There is no utterance log at {file}.")
    database = sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True, timeout=BUSY_S_MAX)
    try:
        database.execute("SELECT 1 FROM facts LIMIT 1")
    except sqlite3.Error as error:
        database.close()
        raise SettingsError(f"{file}: cannot be read as an utterance log ({error}).") from error
    return database


def devices(database: sqlite3.Connection) -> list[str]:
    """Boards that said anything, in order: from one to the next by the index, not through all that they said."""
    found = database.execute(
        "WITH RECURSIVE board (id) AS (SELECT MIN(device_id) FROM answers UNION ALL "
        "SELECT (SELECT MIN(device_id) FROM answers WHERE device_id > board.id) FROM board WHERE board.id IS NOT NULL) "
        "SELECT id FROM board WHERE id IS NOT NULL"
    )
    return [device_id for (device_id,) in found]


def _entry(row: tuple) -> Entry:  # type: ignore[type-arg]  # What a database has is anything.
    number, utterance_id, transcript, *values = row
    return Entry(number, facts_table.facts(utterance_id, values), transcript)
