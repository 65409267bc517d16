"""What the operator's page is told of labels: from the files of the label desk."""

import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager

from cloud.labelling.label_desk import LabelDesk
from cloud.labelling.label_queue import FILE_NAME as QUEUE_FILE
from cloud.labelling.label_queue import LabelQueue, State
from cloud.labelling.label_session import request
from cloud.log.answer_log import FILE_NAME as LOG_FILE
from cloud.log.answer_store import AnswerStore
from cloud.log.reader import LogReader
from cloud.operating.seams import Says, ToLabel
from cloud.settings import CloudSettings
from common.errors import DataError, SettingsError

_SETTLED: dict[Says, State] = {"unclear": "unclear", "skip": "skipped"}


class Desk:
    """Labels: what was drawn, and where a label goes. Opened anew for each question, for many threads ask."""

    def __init__(self, settings: CloudSettings, unix_us: Callable[[], int] = lambda: time.time_ns() // 1000) -> None:
        self._log = settings.storage.state_dir / LOG_FILE
        self._queue = settings.storage.state_dir / QUEUE_FILE
        self._labels_a_day = settings.drift.labels_a_day
        self._feedback_max = settings.storage.answers_max
        self._unix_us = unix_us

    def waiting(self, limit: int) -> Sequence[ToLabel]:
        """What was drawn so far, and last what was skipped. SettingsError, a sentence."""
        if not self._log.exists():
            return ()
        with self._opened() as (desk, _):
            return [ToLabel(*one.key, one.final.transcript, one.why) for one in desk.waiting(limit)]

    def draw(self) -> int:
        """As `parrotlet-cloud label` does. SettingsError, a sentence."""
        if not self._log.exists():
            return 0
        with self._opened() as (desk, _):
            return desk.draw(self._unix_us())

    def needs(self) -> str:
        """SettingsError, a sentence."""
        if not self._log.exists():
            return ""
        with self._opened() as (desk, _):
            return desk.needs()

    def take(self, device_id: str, utterance_id: str, says: Says, text: str, who: str) -> None:
        """DataError or SettingsError, a sentence."""
        now_us = self._unix_us()
        with self._opened() as (desk, queue):
            shown = desk.shown(device_id, utterance_id) if queue.waits(device_id, utterance_id) else None
            if shown is None:
                raise DataError("It waits for no label any more.")
            if says in _SETTLED:
                desk.settle(shown, _SETTLED[says], who, now_us)
                return
            verdict = {"right": True, "wrong": False}.get(says)
            desk.take(shown, request(shown, who, now_us, verdict=verdict, text=text or None), who, now_us)

    @contextmanager
    def _opened(self) -> Iterator[tuple[LabelDesk, LabelQueue]]:
        with closing(LogReader(self._log)) as reader:
            try:
                with closing(LabelQueue(self._queue)) as queue, closing(AnswerStore(self._log)) as store:
                    yield LabelDesk(store, reader, queue, self._labels_a_day, self._feedback_max), queue
            except (sqlite3.Error, OSError) as error:
                raise SettingsError(f"{self._queue}: labels cannot be read or kept now ({error}).") from error
