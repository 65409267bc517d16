"""What is found becomes alerts, and these are told: one thread's, which may wait for whoever is told."""

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from cloud.alerts.alert_sinks import FILE_NAME, Sink, deliver
from cloud.alerts.alerts import AlertBook, recover, report
from cloud.drift.finding import Finding
from cloud.outcomes.concept import Over
from cloud.outcomes.outcome_watch import Change
from common.record import Record

logger = logging.getLogger(__name__)

TRY_S = 30.0
"""How often somebody who could not be told is tried again."""


class Ringing:
    """The alerts of a service."""

    def __init__(
        self,
        state_dir: Path,
        sinks: Sequence[Sink],
        monotonic_s: Callable[[], float] = time.monotonic,
        unix_us: Callable[[], int] = lambda: time.time_ns() // 1000,
    ) -> None:
        self._record = Record(state_dir / FILE_NAME, AlertBook)
        self._sinks = sinks
        self._monotonic_s = monotonic_s
        self._unix_us = unix_us
        self._again_s = monotonic_s()
        self._faults: list[str] = []

    def take(self, found: Sequence[Finding]) -> None:
        """Puts down what was found; `look` tells it. IdentityError if it cannot be."""
        now_us = self._unix_us()
        with self._record.change() as book:
            for finding in found:
                cause, where = finding.cause.name, finding.stream
                if finding.kind == "changed":
                    sentence, began_us = (
                        f"{finding.cause.sentence} {finding.cause.advice}",
                        finding.change.began_at_unix_us,
                    )
                    report(book, cause, where, sentence, now_us, since_unix_us=began_us)
                else:
                    recover(book, cause, where, now_us)

    def take_outcomes(self, found: Iterable[Change]) -> None:
        """The same, of what is right; from any thread. IdentityError."""
        now_us = self._unix_us()
        with self._record.change() as book:
            for one in found:
                if isinstance(one, Over):
                    recover(book, one.concept.cause, "", now_us)
                else:
                    report(book, one.cause, "", one.sentence(), now_us, since_unix_us=one.since_unix_us)

    def look(self) -> None:
        """Tells what waits; who could not be told is tried again after a while. IdentityError."""
        if not self._record.read().waiting or (self._faults and self._monotonic_s() < self._again_s):
            return
        faults = deliver(self._record, self._sinks)
        self._again_s = self._monotonic_s() + TRY_S
        for fault in faults:
            if fault not in self._faults:
                logger.warning("an alert is not told yet: %s", fault)
        self._faults = faults
