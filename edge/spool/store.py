"""The spool's database: what was said and is not acknowledged yet, what came of it, and what people said of that. One
thread at a time.

Frames are kept as they were coded, some pieces a row; a row's key begins with its utterance's number, so that no index
is written.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from enum import IntEnum
from pathlib import Path
from typing import NamedTuple

import msgspec

from common.private_database import empty_write_ahead_log
from edge.asking.answer import Answer
from edge.asking.answer import Path as AnswerPath
from edge.speech.utterance import UtteranceEnd, UtteranceHead
from edge.spool.debts import Debts
from edge.spool.erasure import Erasure
from edge.spool.event import Event
from edge.spool.feedback import TRANSCRIPT_LENGTH_MAX, Feedback
from edge.spool.tables import PAGE_BYTES, open_tables, read_row

PIECES_MAX = 1 << 16
"""Rows of frames that one utterance may have."""

DATABASE_ERRORS = (sqlite3.Error, OSError)


class State(IntEnum):
    """Of a kept utterance."""

    SPEAKING = 0
    """Its end has not come yet."""
    WAITING = 1
    """To be sent, again or for the first time."""
    QUARANTINED = 2
    """The service refused it for good."""


class Piece(NamedTuple):
    """Frames that follow on, as they were coded."""

    first_frame: int
    frames: int
    data: bytes


class Kept(NamedTuple):
    """An utterance in the spool, without its frames."""

    number: int
    """Rises with each utterance, whatever the clock says."""
    head: UtteranceHead
    boot_id: str
    """Of the run of the machine that head's monotonic times belong to."""
    coding: str
    """Feature spec and codec of its pieces."""
    state: State
    end: UtteranceEnd | None
    attempts: int
    told: bool
    """Its user has had a final."""
    last_error: str | None
    bytes: int


class Figures(NamedTuple):
    """What is in the spool. Quick, however full it is: whoever watches a board asks again and again, in the thread that
    writes."""

    waiting: int
    quarantined: int
    bytes: int
    """Of the quota, that are used."""
    oldest_at_unix_us: int | None
    """When the oldest that waits was spoken, by the board's clock."""


class Quota(NamedTuple):
    """What the database may hold."""

    bytes_max: int
    answers_max: int


class SpoolStore:
    """Must be closed. sqlite3.Error and OSError come through as they are: the caller knows what they mean there."""

    def __init__(self, file: Path, quota: Quota) -> None:
        self._quota = quota
        self._database = open_tables(file, quota.bytes_max)
        # Only to count: a database of before without any room for it goes without.
        with suppress(sqlite3.OperationalError):
            self._database.execute("CREATE INDEX IF NOT EXISTS utterances_by_state ON utterances (state)")
        self.debts = Debts(self._database, quota.answers_max)
        """What people said of answers, and what services are owed."""

    def close(self) -> None:
        self._database.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of it or nothing; on the disk afterwards."""
        with self._database:
            self._database.execute("BEGIN IMMEDIATE")
            yield

    def begin(self, head: UtteranceHead, boot_id: str, coding: str) -> int:
        """The number of a new utterance."""
        row = (msgspec.json.encode(head), boot_id, coding, State.SPEAKING)
        added = self._database.execute("INSERT INTO utterances (head, boot_id, coding, state) VALUES (?, ?, ?, ?)", row)
        assert added.lastrowid is not None
        return added.lastrowid

    def append(self, number: int, index: int, pieces: Sequence[Piece]) -> None:
        """Frames that follow on those before; `index` rises with each call for one utterance."""
        frames = sum(piece.frames for piece in pieces)
        row = (number * PIECES_MAX + index, pieces[0].first_frame, frames, msgspec.msgpack.encode(pieces))
        self._database.execute("INSERT INTO pieces VALUES (?, ?, ?, ?)", row)

    def finish(self, number: int, end: UtteranceEnd) -> None:
        encoded = msgspec.json.encode(end)
        self._set(number, "end = ?, state = ?", encoded, State.WAITING)

    def failed(self, number: int, attempts: int, why: str) -> None:
        """Counts attempts that came to nothing."""
        self._set(number, "attempts = ?, last_error = ?", attempts, why)

    def quarantine(self, number: int, why: str) -> None:
        self._set(number, "state = ?, last_error = ?", State.QUARANTINED, why)

    def retry(self, number: int) -> None:
        """Out of quarantine."""
        self._set(number, "state = ?", State.WAITING)

    def told(self, number: int) -> None:
        """Its user has had a final."""
        self._set(number, "told = ?", 1)

    def delete(self, number: int) -> None:
        self._database.execute("DELETE FROM utterances WHERE number = ?", (number,))
        span = (number * PIECES_MAX, (number + 1) * PIECES_MAX - 1)
        self._database.execute("DELETE FROM pieces WHERE number BETWEEN ? AND ?", span)

    def kept(self, *states: State, untold: bool = False, limit: int = -1) -> list[Kept]:
        """Those in one of `states`, or all; where wanted, only those without a final. The oldest first."""
        among = ", ".join(str(int(state)) for state in states or State)
        # Of several states by number: by the index all would have to be sorted.
        state = "state" if len(states) == 1 else "+state"
        rows = self._database.execute(
            "SELECT number, head, boot_id, coding, state, end, attempts, told, last_error, "
            "(SELECT COALESCE(SUM(LENGTH(data)), 0) FROM pieces WHERE pieces.number "
            f"BETWEEN utterances.number * {PIECES_MAX} AND (utterances.number + 1) * {PIECES_MAX} - 1) "
            f"FROM utterances WHERE {state} IN ({among}) AND told <= ? ORDER BY number LIMIT ?",
            (not untold, limit),
        )
        return [_kept(row) for row in rows.fetchall()]

    def check(self) -> None:
        """Reads all that is there. sqlite3.DatabaseError if any of it is damaged."""
        (said,) = self._database.execute("PRAGMA quick_check(1)").fetchone()
        if said != "ok":
            raise sqlite3.DatabaseError(str(said))
        self.events()
        self.debts.feedback()
        for kept in self.kept():
            self.pieces(kept.number)

    def figures(self) -> Figures:
        """What is in it."""
        counts = dict(self._database.execute("SELECT state, COUNT(*) FROM utterances GROUP BY state").fetchall())
        waiting = self.kept(State.WAITING, limit=1)
        return Figures(
            waiting=counts.get(State.WAITING, 0),
            quarantined=counts.get(State.QUARANTINED, 0),
            bytes=self._used_bytes(),
            oldest_at_unix_us=waiting[0].head.started_at_unix_us if waiting else None,
        )

    def pieces(self, number: int) -> list[Piece]:
        """The frames of an utterance, in order."""
        span = (number * PIECES_MAX, (number + 1) * PIECES_MAX - 1)
        rows = self._database.execute("SELECT data FROM pieces WHERE number BETWEEN ? AND ? ORDER BY number", span)
        return [piece for (data,) in rows for piece in read_row(data, list[Piece], msgspec.msgpack.decode)]

    def record(self, event: Event) -> None:
        """Adds an event, and forgets the oldest beyond the bound."""
        added = self._database.execute("INSERT INTO answers (event) VALUES (?)", (msgspec.json.encode(event),))
        assert added.lastrowid is not None
        self._database.execute("DELETE FROM answers WHERE number <= ?", (added.lastrowid - self._quota.answers_max,))

    def events(self, after: int = 0, *, before: int | None = None, last: int | None = None) -> list[tuple[int, Event]]:
        """Events with a greater number, and a lesser one where that is given, in order; of these the newest `last`."""
        rows = self._database.execute(
            "SELECT number, event FROM answers WHERE number > ?1 AND (?2 IS NULL OR number < ?2) "
            "ORDER BY number DESC LIMIT ?3",
            (after, before, -1 if last is None else last),
        )
        return [(number, read_row(event, Event)) for number, event in reversed(rows.fetchall())]

    def event_numbers(self) -> list[int]:
        """Of the events that are there, in order."""
        return [number for (number,) in self._database.execute("SELECT number FROM answers ORDER BY number")]

    def last_event_number(self) -> int:
        """Of the newest event there ever was; 0: there was none."""
        row = self._database.execute("SELECT seq FROM sqlite_sequence WHERE name = 'answers'").fetchone()
        return 0 if row is None else int(row[0])

    def told_by(self, utterance_id: str, path: AnswerPath) -> Answer | None:
        """What its user was told that came by this path, as far as that is remembered."""
        told = [event.answer for _, event in self.events() if event.utterance_id == utterance_id]
        return next((answer for answer in told if answer is not None and answer.path == path), None)

    def erase(self, erasure: Erasure) -> int:
        """Utterances, what was told of them, and what was said of that; how many. What is being said is left.
        `truncate_log` is to follow."""
        if erasure.is_everything:
            return self._erase_all()
        erased = set()
        for kept in self.kept(State.WAITING, State.QUARANTINED):
            if erasure.fits(kept.head.utterance_id, kept.head.started_at_unix_us):
                self.delete(kept.number)
                erased.add(kept.head.utterance_id)
        for number, event in self.events():
            if erasure.fits(event.utterance_id, event.spoken_at_unix_us):
                self._database.execute("DELETE FROM answers WHERE number = ?", (number,))
                erased.add(event.utterance_id)
        return len(erased | self.debts.erase(erasure))

    def _erase_all(self) -> int:
        """Also what cannot be read any more."""
        ended = self._database.execute("SELECT number, head FROM utterances WHERE state != ?", (State.SPEAKING,))
        heads = ended.fetchall()
        for number, _ in heads:
            self.delete(number)
        events = self._database.execute("SELECT number, event FROM answers").fetchall()
        self._database.execute("DELETE FROM answers")
        told = events + self.debts.erase_all()
        return len({_id_in(data) or -number for number, data in heads + told})

    def give(self, feedback: Feedback, services: Sequence[str]) -> bool:
        """Keeps what was said of an answer, and owes it to these services. False, and nothing is done, where it is here
        already, or the utterance is not known here: it may have been forgotten."""
        known = self._known(feedback.utterance_id)
        if known is None:
            return False
        if feedback.of_transcript is None and known.transcript is not None:
            feedback = msgspec.structs.replace(feedback, of_transcript=known.transcript)
        return self.debts.give(feedback, known.spoken_at_unix_us, services)

    def _known(self, utterance_id: str) -> "_Known | None":
        """When it was spoken, and the latest words its user was told; None where it is not known here."""
        told = [event for _, event in self.events() if event.utterance_id == utterance_id]
        if told:
            shown = [event.answer.transcript for event in told if event.answer is not None]
            short = [transcript for transcript in shown[-1:] if len(transcript) <= TRANSCRIPT_LENGTH_MAX]
            return _Known(told[0].spoken_at_unix_us, *short)
        for kept in self.kept():
            if kept.head.utterance_id == utterance_id:
                return _Known(kept.head.started_at_unix_us)
        return None

    def truncate_log(self) -> bool:
        """What was deleted is overwritten, but older pages of it may lie in the write-ahead log: empties that. False if
        somebody reads."""
        return empty_write_ahead_log(self._database)

    def room_bytes(self) -> int:
        """What may still be added."""
        return self._quota.bytes_max - self._used_bytes()

    def _used_bytes(self) -> int:
        (pages,) = self._database.execute("PRAGMA page_count").fetchone()
        (free,) = self._database.execute("PRAGMA freelist_count").fetchone()
        return int(pages - free) * PAGE_BYTES

    def _set(self, number: int, assignments: str, *values: object) -> None:
        self._database.execute(f"UPDATE utterances SET {assignments} WHERE number = ?", (*values, number))


class _Named(msgspec.Struct):
    utterance_id: str


class _Known(NamedTuple):
    spoken_at_unix_us: int
    transcript: str | None = None


def _id_in(data: bytes) -> str | None:
    """Of a head or an event; None where it is damaged."""
    try:
        return read_row(data, _Named).utterance_id
    except sqlite3.DatabaseError:
        return None


def _kept(row: tuple[int, bytes, str, str, int, bytes | None, int, int, str | None, int]) -> Kept:
    number, head, boot_id, coding, state, end, attempts, told, last_error, size = row
    return Kept(
        number,
        read_row(head, UtteranceHead),
        boot_id,
        coding,
        State(state),
        None if end is None else read_row(end, UtteranceEnd),
        attempts,
        bool(told),
        last_error,
        size,
    )
