"""The spool's thread: one commit for all that has gathered, room made by dropping the oldest, trouble outlived."""

import logging
import sqlite3
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from common.errors import SpoolError
from edge.speech.utterance import cut_off
from edge.spool import damaged
from edge.spool.store import DATABASE_ERRORS, Kept, Piece, Quota, SpoolStore, State
from edge.spool.unwritten import Change, Entry, Question, Unwritten

logger = logging.getLogger(__name__)

TROUBLE_S = 2.0
"""Pause before a disk that took nothing is tried again."""

ROOM_BYTES_MIN = 1 << 16
"""Of the quota; with less left, the oldest utterances make room."""


class SpoolWriter:
    """Runs in a thread of its own until `unwritten` is closed."""

    def __init__(
        self, file: Path, quota: Quota, unwritten: Unwritten, on_dropped: Callable[[Entry], None], hop_ms: int
    ) -> None:
        """`on_dropped` is called with each utterance that had to make room."""
        self._trouble: str | None = None
        self._damage: str | None = None
        self._file = file
        self._quota = quota
        self._unwritten = unwritten
        self._on_dropped = on_dropped
        self._hop_ms = hop_ms
        self._opened = False
        """Once; from then on, what has no end is being spoken."""

    @property
    def trouble(self) -> str | None:
        """What is wrong with the disk, a sentence."""
        return self._trouble or self._damage

    def run(self) -> None:
        """Opens the database and writes what is due; after trouble, again and again."""
        while True:
            try:
                store = self._open()
            except DATABASE_ERRORS as error:
                self._say_trouble(error)
            else:
                try:
                    if self._serve(store):
                        return
                finally:
                    store.close()
            rest = self._unwritten.rest(TROUBLE_S)
            self._refuse(rest.questions)
            if rest.closing:
                return

    def _open(self) -> SpoolStore:
        self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            store = self._open_file()
        except sqlite3.OperationalError:
            raise
        except (sqlite3.DatabaseError, ValueError) as error:
            aside, gone = damaged.set_aside(self._file)
            logger.error(
                "%s: cannot be read (%s); it is kept as %s, and a new one begun", self._file, error, aside.name
            )
            for other in gone:
                logger.warning("%s, which could not be read either, was erased: there are enough of them", other)
            store = self._open_file()
        self._opened = True
        return store

    def _open_file(self) -> SpoolStore:
        store = SpoolStore(self._file, self._quota)
        if not self._opened:
            try:
                with store.transaction():
                    store.check()
                    self._end_what_was_cut_off(store)
            except BaseException:
                store.close()
                raise
        return store

    def _serve(self, store: SpoolStore) -> bool:
        """Whether all is done; False if the disk took nothing."""
        while True:
            due = self._unwritten.due()
            try:
                lost = self._write(store, due.changes) if due.changes else []
            except DATABASE_ERRORS as error:
                self._unwritten.put_back(due.changes)
                self._say_trouble(error)
                self._refuse(due.questions)
                return due.closing
            self._recover()
            for kept in lost:
                self._on_dropped(Entry(kept.head, number=kept.number, told=kept.told))
            for question, answer in due.questions:
                self._answer(store, question, answer)
            if due.closing:
                return True

    def _write(self, store: SpoolStore, changes: list[Change]) -> list[Kept]:
        """One commit; the utterances that made room for it."""
        entries = {change.entry for change in changes if change.entry is not None}
        before = [(entry, entry.number, entry.rows) for entry in entries]
        try:
            with store.transaction():
                lost = _make_room(store, sum(change.bytes for change in changes))
                _apply(store, changes)
        except BaseException:
            for entry, number, rows in before:
                entry.number, entry.rows = number, rows
            raise
        return lost

    def _end_what_was_cut_off(self, store: SpoolStore) -> None:
        """What an earlier run of the daemon was hearing when it died: it ends with the last frame that was kept."""
        for kept in store.kept(State.SPEAKING):
            pieces = store.pieces(kept.number)
            if not pieces:
                store.delete(kept.number)
                continue
            duration_ms = (pieces[-1].first_frame + pieces[-1].frames) * self._hop_ms
            store.finish(kept.number, cut_off(kept.head, duration_ms))

    def _answer(self, store: SpoolStore, question: Callable[[SpoolStore], Any], answer: "Future[Any]") -> None:
        if not answer.set_running_or_notify_cancel():
            return
        try:
            answer.set_result(question(store))
        except (*DATABASE_ERRORS, ValueError) as error:
            if isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.OperationalError):
                self._say_damage(error)
            answer.set_exception(SpoolError(f"The spool cannot be read: {error}."))

    def _say_damage(self, error: Exception) -> None:
        """Not set aside while what is spoken has its rows in it; that is done at the next start."""
        if self._damage is None:
            self._damage = f"{self._file}: is damaged ({error}); what is in it is not sent until a restart."
            logger.error("%s", self._damage)

    def _say_trouble(self, error: Exception) -> None:
        sentence = f"{self._file}: what is said cannot be kept ({error}); it waits in memory."
        if self._trouble != sentence:
            self._trouble = sentence
            logger.error("%s", sentence)

    def _recover(self) -> None:
        if self._trouble is not None:
            self._trouble = None
            logger.info("%s: what is said is kept again", self._file)

    def _refuse(self, questions: list[Question]) -> None:
        for _, answer in questions:
            answer.set_exception(SpoolError(self.trouble or f"{self._file}: cannot be read now."))


def _apply(store: SpoolStore, changes: list[Change]) -> None:
    """Frames of one utterance that gathered become one row. What is gone before it was ever there is never written."""
    gathered: dict[Entry, list[Piece]] = {}
    for change in changes:
        entry = change.entry
        if entry is not None and entry.gone and entry.number is None:
            continue
        if change.piece is not None and entry is not None:
            gathered.setdefault(entry, []).append(change.piece)
        elif change.apply is not None:
            change.apply(store)
    for entry, pieces in gathered.items():
        if entry.number is not None and not entry.gone:
            store.append(entry.number, entry.rows, pieces)
            entry.rows += 1


def _make_room(store: SpoolStore, bytes_needed: int) -> list[Kept]:
    lost: list[Kept] = []
    while store.room_bytes() < 2 * bytes_needed + ROOM_BYTES_MIN:
        oldest = store.kept(State.WAITING, State.QUARANTINED, limit=1)
        if not oldest:
            break
        store.delete(oldest[0].number)
        lost += oldest
    return lost
