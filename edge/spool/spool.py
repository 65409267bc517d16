"""Keeps what is said on the disk until the service has acknowledged it, and never holds up who speaks.

Everything is handed to a thread of its own, which writes what has gathered in one commit: after `commit_ms` at the
latest, which is what a power cut may cost. Where the disk takes nothing, what was said waits in memory, bounded. Where
there is no room the oldest goes first; each drop is counted, and told.
"""

import fcntl
import logging
import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from common.errors import SettingsError, SpoolError
from edge.asking.answer import Answer
from edge.settings import Spool as SpoolSettings
from edge.speech.utterance import UtteranceEnd, UtteranceHead
from edge.spool.event import Event, Kind
from edge.spool.feedback import Feedback
from edge.spool.sounds import SOUND_FOLDER, Sounds
from edge.spool.store import Piece, Quota, SpoolStore
from edge.spool.twins import Twins
from edge.spool.unwritten import Entry, Unwritten
from edge.spool.writer import SpoolWriter
from edge.worker import Worker

logger = logging.getLogger(__name__)

T = TypeVar("T")

FILE_NAME = "spool.db"

COMMIT_BYTES = 1 << 16
"""So much is written before its time."""

CLOSE_S_MAX = 5.0


class Spool:
    """A context manager. Its methods may be called from any thread, and none of them waits."""

    def __init__(
        self,
        file: Path,
        settings: SpoolSettings,
        *,
        boot_id: str,
        coding: str,
        hop_ms: int,
        on_event: Callable[[Event], None] = lambda event: None,
        clock: Callable[[], float] = time.monotonic,
        unix_us: Callable[[], int] = lambda: time.time_ns() // 1000,
    ) -> None:
        """`boot_id` names the run of the machine that monotonic times belong to, `coding` how pieces are coded.
        `on_event` is called, in whichever thread, with what the user is told."""
        self.settings = settings
        self.boot_id = boot_id
        self.coding = coding
        self.dropped = 0
        """Utterances that were lost for want of room, since the start."""
        self.live: set[str] = set()
        """Ids of utterances that somebody sees to; the others may be sent by whoever finds them."""
        self.services: Sequence[str] = ()
        """Those that keep answers, and are told what people say of them."""
        self._watched: list[set[str]] = []
        self.file = file
        self._lock: int | None = None
        self._on_event = on_event
        self._unix_us = unix_us
        self._twins = Twins()
        self._unwritten = Unwritten(commit_s=settings.commit_ms / 1000, commit_bytes=COMMIT_BYTES, clock=clock)
        quota = Quota(settings.megabytes_max << 20, settings.answers_max)
        self._writer = SpoolWriter(file, quota, self._unwritten, self._drop, hop_ms)
        self.worker = Worker("spool", self._writer.run)
        self.sound_folder = file.parent / SOUND_FOLDER
        self.sounds = Sounds(self.sound_folder, settings.sound_megabytes_max << 20) if settings.sound_days else None
        """Keeps the sound, where that is wanted."""

    def __enter__(self) -> "Spool":
        """SettingsError if another daemon has this spool."""
        self._lock = locked(self.file)
        for worker in self.workers:
            worker.start()
        return self

    def __exit__(self, *cause: object) -> None:
        """Writes what is left, if the disk takes it."""
        self._unwritten.close()
        if self.sounds is not None:
            self.sounds.close()
        for worker in self.workers:
            worker.join(CLOSE_S_MAX)
        if self._lock is not None:
            os.close(self._lock)

    @property
    def workers(self) -> tuple[Worker, ...]:
        """Its threads."""
        return (self.worker,) if self.sounds is None else (self.worker, self.sounds.worker)

    @property
    def trouble(self) -> str | None:
        """What is wrong with the disk, a sentence."""
        return self._writer.trouble

    def begin(self, head: UtteranceHead) -> Entry:
        """A new utterance, which its caller sees to until it releases it."""
        entry = Entry(head)
        self.live.add(head.utterance_id)

        def begin(store: SpoolStore) -> None:
            entry.number = store.begin(head, self.boot_id, self.coding)

        self._put(entry, apply=begin)
        return entry

    def append(self, entry: Entry, piece: Piece) -> None:
        """Frames that follow on."""
        self._put(entry, piece=piece)

    def finish(self, entry: Entry, end: UtteranceEnd) -> None:
        """Its end came."""
        entry.end = end
        self._put(entry, apply=lambda store: store.finish(_number(entry), end))

    def tell(self, entry: Entry, kind: Kind, *, answer: Answer | None = None, sentence: str | None = None) -> None:
        """Records what the user is told of an utterance, and tells it. There is one final at most."""
        event = self._twins.marked(_event(entry, kind, self._unix_us(), answer, sentence))
        if event.is_final:
            if entry.told:
                return
            entry.told = True

        def record(store: SpoolStore) -> None:
            # In one commit, whenever a death comes. What is gone before it was ever written has no row to mark.
            if event.is_final and entry.number is not None:
                store.told(entry.number)
            store.record(event)

        self._put(None, apply=record)
        self._on_event(event)

    def note_done(self, utterance_id: str, spoken_at_unix_us: int, sentence: str) -> None:
        """Records how it went what an utterance asked for, and tells it."""
        event = Event(utterance_id, Kind.DONE, self._unix_us(), spoken_at_unix_us, sentence=sentence)
        self._put(None, apply=lambda store: store.record(event))
        self._on_event(event)

    def release(self, entry: Entry) -> None:
        """Nobody sees to it any more; it waits for whoever sends what is kept."""
        for released in self._watched:
            released.add(entry.head.utterance_id)
        self.live.discard(entry.head.utterance_id)

    @contextmanager
    def released_meanwhile(self) -> Iterator[set[str]]:
        """Ids of utterances that are released within; for the thread that releases them."""
        released: set[str] = set()
        self._watched.append(released)
        try:
            yield released
        finally:
            self._watched = [one for one in self._watched if one is not released]

    def acknowledge(self, entry: Entry) -> None:
        """The service has answered it: it need not be kept."""
        entry.gone = True
        self._put(entry, apply=lambda store: store.delete(_number(entry)))

    def give(self, feedback: Feedback) -> None:
        """What a person said of an answer; it is told to the services. Said twice, or of an utterance that is not known
        here (any more), it changes nothing. SpoolError, a sentence, if no service would take it."""
        if feedback.fault is not None:
            raise SpoolError(feedback.fault)
        self._put(None, apply=lambda store: self._keep(store, feedback))
        self.hurry()

    def hurry(self) -> None:
        """Writes what waits before its time: after a death nobody shall be told a final again."""
        self._unwritten.hurry()

    def failed(self, entry: Entry, attempts: int, why: str) -> None:
        """So many attempts came to nothing, the last one for this reason."""
        self._put(entry, apply=lambda store: store.failed(_number(entry), attempts, why))

    def quarantine(self, entry: Entry, why: str) -> None:
        """The service will never take it: it is kept, and not sent again by itself."""
        self._put(entry, apply=lambda store: store.quarantine(_number(entry), why))

    def ask(self, question: Callable[[SpoolStore], T]) -> "Future[T]":
        """What the database says, with everything before in it. SpoolError if the disk is in trouble."""
        answer: Future[T] = Future()
        self._unwritten.ask((question, answer))
        return answer

    def _keep(self, store: SpoolStore, feedback: Feedback) -> None:
        if not store.give(feedback, self.services) and not store.debts.has_feedback(feedback.feedback_id):
            logger.info("feedback on an utterance that is not known here was not kept")

    def _put(
        self, entry: Entry | None, *, piece: Piece | None = None, apply: Callable[[SpoolStore], None] | None = None
    ) -> None:
        lost = self._unwritten.put(entry, piece=piece, apply=apply)
        if lost is not None:
            self._drop(lost)

    def _drop(self, entry: Entry) -> None:
        self.dropped += 1
        self.acknowledge(entry)
        logger.warning("an utterance was dropped, as there is no room to keep it; %d so far", self.dropped)
        self.tell(entry, Kind.DROPPED, sentence="There was no room to keep it until the service could be asked.")


def locked(file: Path) -> int | None:
    """A lock that ends with the process; None where the disk allows none. SettingsError if another one has it."""
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(file.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(lock)
        raise SettingsError(
            f"Another daemon keeps what is said in {file.parent}; stop it, or set device.state_dir for a second one."
        ) from error
    return lock


def _event(entry: Entry, kind: Kind, at_unix_us: int, answer: Answer | None, sentence: str | None) -> Event:
    head, end = entry.head, entry.end
    return Event(
        head.utterance_id,
        kind,
        at_unix_us,
        head.started_at_unix_us,
        answer,
        sentence,
        ear=head.ear,
        duration_ms=end.duration_ms if end else None,
        snr_db=end.snr_db if end else None,
    )


def _number(entry: Entry) -> int:
    assert entry.number is not None
    return entry.number
