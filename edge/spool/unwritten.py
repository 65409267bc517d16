"""What waits to be written to the spool, and what is asked of it: handed from any thread to the one that writes."""

import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, NamedTuple

from edge.speech.utterance import UtteranceEnd, UtteranceHead
from edge.spool.store import Piece, SpoolStore

BYTES_MAX = 4 << 20
"""An hour of speech."""

CHANGE_BYTES = 200
"""What a change takes besides its frames, about."""


class Entry:
    """An utterance in the spool. Its number and rows are the writer's own business."""

    def __init__(
        self, head: UtteranceHead, end: UtteranceEnd | None = None, *, number: int | None = None, told: bool = False
    ) -> None:
        self.head = head
        self.end = end
        self.number = number
        """In the database; None while it is not there."""
        self.rows = 0
        self.told = told
        """Its user has had a final."""
        self.gone = False
        """It need not be kept any more."""


class Change(NamedTuple):
    """What is to be written: frames that follow on, or something else."""

    entry: Entry | None
    made_s: float
    piece: Piece | None = None
    apply: Callable[[SpoolStore], None] | None = None

    @property
    def bytes(self) -> int:
        return CHANGE_BYTES + (len(self.piece.data) if self.piece else 0)


Question = tuple[Callable[[SpoolStore], Any], "Future[Any]"]


class Due(NamedTuple):
    """What the writer has to do."""

    changes: list[Change]
    questions: list[Question]
    closing: bool


class Unwritten:
    """Bounded: of what is too much, the oldest utterance goes."""

    def __init__(self, *, commit_s: float, commit_bytes: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._commit_s = commit_s
        self._commit_bytes = commit_bytes
        self._clock = clock
        self._changes: deque[Change] = deque()
        self._bytes = 0
        self._questions: list[Question] = []
        self._closing = False
        self._hurry = False
        self._changed = threading.Condition()

    def put(
        self, entry: Entry | None, *, piece: Piece | None = None, apply: Callable[[SpoolStore], None] | None = None
    ) -> Entry | None:
        """Never waits. The utterance that had to go for it, if one had."""
        change = Change(entry, self._clock(), piece, apply)
        with self._changed:
            self._changes.append(change)
            self._bytes += change.bytes
            # The writer is asleep while there is nothing to write, and until it is time.
            if len(self._changes) == 1 or self._bytes >= self._commit_bytes:
                self._changed.notify()
            return self._drop() if self._bytes > BYTES_MAX else None

    def ask(self, question: Question) -> None:
        with self._changed:
            self._questions.append(question)
            self._changed.notify()

    def hurry(self) -> None:
        """What waits is due now."""
        with self._changed:
            self._hurry = True
            self._changed.notify()

    def close(self) -> None:
        with self._changed:
            self._closing = True
            self._changed.notify()

    def due(self) -> Due:
        """Waited for: what is to be written because it is time, or much, or asked about, or the last."""
        with self._changed:
            while not (self._closing or self._hurry or self._questions or self._bytes >= self._commit_bytes):
                left_s = self._changes[0].made_s + self._commit_s - self._clock() if self._changes else None
                if left_s is not None and left_s <= 0:
                    break
                self._changed.wait(left_s)
            due = Due(list(self._changes), self._questions, self._closing)
            self._changes.clear()
            self._questions = []
            self._bytes = 0
            self._hurry = False
            return due

    def put_back(self, changes: list[Change]) -> None:
        """They could not be written."""
        with self._changed:
            self._changes.extendleft(reversed(changes))
            self._bytes += sum(change.bytes for change in changes)

    def rest(self, seconds: float) -> Due:
        """A pause, unless the spool is closed: only what was asked is taken."""
        with self._changed:
            self._changed.wait_for(lambda: self._closing, seconds)
            questions, self._questions = self._questions, []
            return Due([], questions, self._closing)

    def _drop(self) -> Entry | None:
        """Makes room: what nobody needs any more goes first, then the oldest utterance, then what was told of others
        long ago."""
        self._keep(lambda change: change.piece is None or change.entry is None or not change.entry.gone)
        if self._bytes <= BYTES_MAX:
            return None
        oldest = next((change.entry for change in self._changes if change.entry and not change.entry.gone), None)
        if oldest is not None:
            oldest.gone = True
            self._keep(lambda change: change.entry is not oldest)
        else:
            self._changes.popleft()
            self._bytes = sum(change.bytes for change in self._changes)
        return oldest

    def _keep(self, is_kept: Callable[[Change], bool]) -> None:
        self._changes = deque(change for change in self._changes if is_kept(change))
        self._bytes = sum(change.bytes for change in self._changes)
