"""What the operator's page is told of drift and labels: from the files of the watch and of the label desk."""

import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import islice

from cloud.alerts.alert_sinks import FILE_NAME as ALERTS_FILE
from cloud.alerts.alerts import AlertBook
from cloud.labelling.label_desk import LabelDesk
from cloud.labelling.label_queue import FILE_NAME as QUEUE_FILE
from cloud.labelling.label_queue import LabelQueue, State
from cloud.labelling.label_session import request
from cloud.log.answer_log import FILE_NAME as LOG_FILE
from cloud.log.answer_store import AnswerStore
from cloud.log.reader import LogReader
from cloud.operating.seams import Drifted, Says, ToLabel
from cloud.settings import CloudSettings
from common.errors import DataError, SettingsError
from common.record import Record

EVERYWHERE = "All boards"

_UNSURE, _EVENLY = "the service was unsure of it", "drawn evenly, so that rates are true"
_SETTLED: dict[Says, State] = {"unclear": "unclear", "skip": "skipped"}


class StandingAlerts:
    """A Drift: what was told and is not over."""

    def __init__(self, settings: CloudSettings) -> None:
        self._record = Record(settings.storage.state_dir / ALERTS_FILE, AlertBook)

    def drifted(self) -> Sequence[Drifted]:
        standing = [one for one in self._record.read().alerts if one.state == "standing"]
        return [
            Drifted(
                one.where or EVERYWHERE,
                one.sentence,
                one.began_unix_us,
                one.command or f"Not so? parrotlet-cloud alerts wrong {one.number}",
            )
            for one in reversed(standing)
        ]


class Desk:
    """Labels: what was drawn, and where a label goes. Opened anew for each question, for many threads ask."""

    def __init__(self, settings: CloudSettings, unix_us: Callable[[], int] = lambda: time.time_ns() // 1000) -> None:
        self._log = settings.storage.state_dir / LOG_FILE
        self._queue = settings.storage.state_dir / QUEUE_FILE
        self._labels_a_day = settings.drift.labels_a_day
        self._feedback_max = settings.storage.answers_max
        self._unix_us = unix_us

    def waiting(self, limit: int) -> Sequence[ToLabel]:
        """What was drawn so far, and last what was skipped; `parrotlet-cloud label` draws anew. SettingsError, a
        sentence."""
        if not self._queue.exists():
            return ()
        with self._opened() as queue:
            drawn = [*queue.of_state("waiting"), *queue.of_state("skipped")]
        with closing(LogReader(self._log)) as reader:
            there = (
                ToLabel(one.device_id, one.utterance_id, whole.final.transcript, _UNSURE if one.is_unsure else _EVENLY)
                for one in drawn
                if (whole := reader.one(one.utterance_id, one.device_id)) is not None
            )
            return list(islice(there, limit))

    def take(self, device_id: str, utterance_id: str, says: Says, text: str, who: str) -> None:
        """DataError or SettingsError, a sentence."""
        now_us = self._unix_us()
        with (
            closing(LogReader(self._log)) as reader,
            self._opened() as queue,
            closing(AnswerStore(self._log)) as store,
        ):
            desk = LabelDesk(store, reader, queue, self._labels_a_day, self._feedback_max)
            shown = desk.shown(device_id, utterance_id) if queue.waits(device_id, utterance_id) else None
            if shown is None:
                raise DataError("It waits for no label any more.")
            if says in _SETTLED:
                desk.settle(shown, _SETTLED[says], who, now_us)
                return
            verdict = {"right": True, "wrong": False}.get(says)
            desk.take(shown, request(shown, who, now_us, verdict=verdict, text=text or None), who, now_us)

    @contextmanager
    def _opened(self) -> Iterator[LabelQueue]:
        try:
            with closing(LabelQueue(self._queue)) as queue:
                yield queue
        except (sqlite3.Error, OSError) as error:
            raise SettingsError(f"{self._queue}: labels cannot be read or kept now ({error}).") from error
