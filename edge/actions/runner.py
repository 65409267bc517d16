"""Does what was understood: once, while somebody wants it, and without holding up whoever tells of it.

An event is looked at where it is told, and handed to a thread that puts its action down in the log; then each sink that
wants it has it in its lane. What a daemon that died has put down and not begun is done by the next one, if somebody
may still want it; what it had begun never is.
"""

import logging
import queue
import time
from collections.abc import Sequence
from typing import Any, Self

from common.errors import ActionError
from edge.actions.action import Sink, action_of
from edge.actions.action_log import ActionLog, State, Waiting
from edge.actions.lane import Lane, Wanted
from edge.clock import SYSTEM_CLOCK, Clock
from edge.spool.ageing import DAY_US, PLAUSIBLE_SINCE_UNIX_US
from edge.spool.erasure import Erasure
from edge.spool.event import Event, Kind
from edge.worker import Worker

logger = logging.getLogger(__name__)

INBOX_MAX = 64
"""Actions that wait to be put down."""

TRIM_S = 3600.0
"""How often the log is looked through for what is old."""

STOP_S_MAX = 1.0


class Runner:
    """A context manager. Without sinks it does nothing, and makes no file."""

    def __init__(
        self,
        sinks: Sequence[Sink],
        log: ActionLog,
        *,
        device_id: str,
        age_s_max: float,
        days_max: int,
        boot_id: str,
        dry_run: bool = False,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        """`boot_id` names the run of the machine that the monotonic clock belongs to."""
        self._lanes = [Lane(sink, log, dry_run=dry_run, clock=clock.monotonic_s) for sink in sinks]
        self._log = log
        self._device_id = device_id
        self._age_s_max = age_s_max
        self._days_max = days_max
        self._boot_id = boot_id
        self._dry_run = dry_run
        self._clock = clock
        # None is the last one.
        self._inbox: queue.Queue[Wanted | None] = queue.Queue(INBOX_MAX)
        self._overflowed = 0
        self._clerk = Worker("actions", self._put_down)

    def __enter__(self) -> Self:
        """Only where no other daemon keeps the same log."""
        if self._lanes:
            for worker in self.workers:
                worker.start()
        return self

    def __exit__(self, *cause: object) -> None:
        """What waits stays in the log."""
        until_s = time.monotonic() + STOP_S_MAX
        if self._lanes and self._clerk.alive:
            self._inbox.put(None)
            self._clerk.join(STOP_S_MAX)
        for lane in self._lanes:
            lane.close(until_s)
        self._log.close()

    @property
    def workers(self) -> list[Worker]:
        """Threads that are missed when they die."""
        return [self._clerk, *(lane.worker for lane in self._lanes)] if self._lanes else []

    def take(self, event: Event) -> None:
        """What came of an utterance. Never waits; of too many, the new one is not done."""
        if not self._lanes or (action := action_of(event, self._device_id)) is None:
            return
        # A live answer is as old as its waiting; what the wall clock says of it may be anything.
        age_s = abs(event.at_unix_us - event.spoken_at_unix_us) / 1e6 if event.kind is Kind.LATE else 0.0
        try:
            self._inbox.put_nowait(Wanted(action, self._clock.monotonic_s() + self._age_s_max - age_s))
        except queue.Full:
            self._overflowed += 1
            logger.warning("an action was not done, as %d wait to be put down", INBOX_MAX)

    def status(self) -> dict[str, Any]:
        """How it is; see Board.status."""
        return {
            "dry_run": self._dry_run,
            "overflowed": self._overflowed,
            "sinks": [lane.status() for lane in self._lanes],
        }

    def _put_down(self) -> None:
        """Runs in a thread of its own."""
        self._recover()
        self._trim()
        trimmed_s = self._clock.monotonic_s()
        while True:
            try:
                wanted = self._inbox.get(timeout=TRIM_S)
            except queue.Empty:
                pass
            else:
                if wanted is None:
                    return
                self._hand_on(wanted)
            if self._clock.monotonic_s() - trimmed_s >= TRIM_S:
                self._trim()
                trimmed_s = self._clock.monotonic_s()

    def _hand_on(self, wanted: Wanted) -> None:
        action = wanted.action
        lanes = {lane.sink.name: lane for lane in self._lanes if lane.sink.wants(action.name)}
        waiting = [Waiting(name, action, self._boot_id, wanted.until_s) for name in lanes]
        try:
            added = self._log.add(waiting, self._clock.unix_us()) if waiting else []
        except ActionError as error:
            for lane in lanes.values():
                lane.refuse(action, error)
            return
        for one in added:
            lanes[one.sink].offer(wanted)

    def _recover(self) -> None:
        """What an earlier daemon has put down. By another run of the machine's clock nobody knows how old it is."""
        lanes = {lane.sink.name: lane for lane in self._lanes}
        try:
            for one in self._log.recover():
                until_s = one.wanted_until_s if one.boot_id == self._boot_id else float("-inf")
                if one.sink in lanes:
                    lanes[one.sink].offer(Wanted(one.action, until_s))
                else:
                    why = "It is not set any more."
                    self._log.end(one.action.utterance_id, one.sink, State.TOO_LATE, why=why)
        except ActionError as error:
            logger.error("what was to be done before is not known: %s", error)

    def _trim(self) -> None:
        old = None
        if self._clock.is_synchronised():
            old = Erasure(
                since_unix_us=PLAUSIBLE_SINCE_UNIX_US,
                until_unix_us=self._clock.unix_us() - self._days_max * DAY_US,
            )
        try:
            self._log.trim(old)
        except ActionError as error:
            logger.warning("old entries are not erased: %s", error)
