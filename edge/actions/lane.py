"""The way to one sink: a bounded queue and a thread of its own, so that a slow sink holds up no other and no caller."""

import logging
import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from typing import Any, NamedTuple

from common.errors import ActionError
from edge.actions.action import Action, Sink
from edge.actions.action_log import ActionLog, State
from edge.worker import Worker

logger = logging.getLogger(__name__)

WAITING_MAX = 32
"""Actions that wait for one sink; nobody says so many within a minute."""


class Wanted(NamedTuple):
    """An action, and until when somebody wants it begun, by the monotonic clock."""

    action: Action
    until_s: float


class Lane:
    """What is offered is in the log already, as waiting."""

    def __init__(
        self, sink: Sink, log: ActionLog, *, dry_run: bool = False, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.sink = sink
        self.worker = Worker(f"actions: {sink.name}", self._work)
        self._log = log
        self._dry_run = dry_run
        self._clock = clock
        self._waiting: deque[Wanted] = deque()
        self._closing = False
        self._changed = threading.Condition()
        self._counts: Counter[State] = Counter()
        self._last_error: str | None = None

    def close(self, until_s: float) -> None:
        """What has begun is waited for so long; what waits stays in the log, for the next daemon."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self.worker.join(max(0.0, until_s - time.monotonic()))

    def offer(self, wanted: Wanted) -> None:
        """Never waits for the sink. Of too many, the new one is not done."""
        with self._changed:
            if len(self._waiting) < WAITING_MAX:
                self._waiting.append(wanted)
                self._changed.notify()
                return
        self._end(wanted.action, State.NO_ROOM, why=f"{WAITING_MAX} actions waited already.")

    def refuse(self, action: Action, why: ActionError) -> None:
        """It could not be put down, so it is not done."""
        self._count(action, State.FAILED, str(why))

    def status(self) -> dict[str, Any]:
        """What became of actions since the start."""
        with self._changed:
            return {
                "name": self.sink.name,
                "waiting": len(self._waiting),
                "outcomes": {state.name.lower(): self._counts[state] for state in ENDS},
                "last_error": self._last_error,
            }

    def _work(self) -> None:
        while (wanted := self._next()) is not None:
            self._do(wanted)

    def _next(self) -> Wanted | None:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closing)
            return None if self._closing else self._waiting.popleft()

    def _do(self, wanted: Wanted) -> None:
        action, left_s = wanted.action, wanted.until_s - self._clock()
        if left_s <= 0:
            self._end(action, State.TOO_LATE, why="Nobody wanted it any more when its turn came.")
            return
        try:
            if not self._log.start(action.utterance_id, self.sink.name):
                logger.info("an action for %s was forgotten before its turn came", self.sink.name)
                return
        except ActionError as error:
            self.refuse(action, error)
            return
        if self._dry_run:
            logger.debug("%s would: %s", self.sink.name, _preview(self.sink, action))
            self._end(action, State.DRY_RUN)
            return
        began_s = self._clock()
        try:
            self.sink.run(action, left_s)
        except ActionError as error:
            self._end(action, State.FAILED, began_s, str(error))
        else:
            self._end(action, State.DONE, began_s)

    def _end(self, action: Action, state: State, began_s: float | None = None, why: str | None = None) -> None:
        took_ms = None if began_s is None else round((self._clock() - began_s) * 1000)
        self._count(action, state, why)
        try:
            self._log.end(action.utterance_id, self.sink.name, state, took_ms, why)
        except ActionError as error:
            logger.warning("what became of an action is not in the log: %s", error)

    def _count(self, action: Action, state: State, why: str | None) -> None:
        with self._changed:
            self._counts[state] += 1
            self._last_error = why if why is not None else self._last_error
        level = logging.INFO if why is None else logging.WARNING
        logger.log(level, "action by %s: %s%s", self.sink.name, state, f": {why}" if why else "")
        logger.debug("%s: %s", action.utterance_id, action.name)


ENDS = (State.DONE, State.FAILED, State.TOO_LATE, State.NO_ROOM, State.DRY_RUN)


def _preview(sink: Sink, action: Action) -> str:
    try:
        return sink.preview(action)
    except ActionError as error:
        return str(error)
