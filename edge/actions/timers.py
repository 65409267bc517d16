"""Timers: which run, how long still, and how they outlive a restart. Pure but for the clock and the file it is given.

Within one run of the machine the monotonic clock alone counts, so no jump of the wall clock is noticed. After a restart
the wall clock has to tell how long the machine was off: as it stands, until it is known to be right, and then once for
all. A clock that stood still meanwhile, as a Raspberry Pi's does, lets a timer ring late, never early.
"""

import logging
import math
import uuid
from collections.abc import Sequence
from pathlib import Path

import msgspec

from common.errors import ActionError
from common.private_files import write_private
from edge.clock import SYSTEM_CLOCK, Clock

logger = logging.getLogger(__name__)

FILE_NAME = "timers.json"

TIMERS_MAX = 32
LASTS_S_MAX = 7 * 86_400.0

RING_S_MAX = 180.0
"""Nobody is at home, then."""

LATE_S_MAX = 3600.0
"""A timer that was over so long ago, while the board was off, helps nobody any more."""

LOOK_S = 20.0
"""How often it is looked whether the wall clock is right by now, where that matters."""


class Timer(msgspec.Struct, frozen=True):
    """One of them."""

    number: int
    lasts_s: float
    due_s: float
    """By the monotonic clock of that run of the machine."""
    boot_id: str
    due_unix_us: int
    by_right_clock: bool
    """Whether the wall clock was right when `due_unix_us` was told by it."""


class Timers:
    """For one thread at a time. ActionError, a sentence, where the disk takes nothing: what was asked is done all the
    same, and a restart will not know."""

    def __init__(self, file: Path, boot_id: str, clock: Clock = SYSTEM_CLOCK) -> None:
        """`boot_id` names the run of the machine that the monotonic clock belongs to. A file that cannot be read is
        told in the log, and there are no timers."""
        self._file = file
        # Where nobody names the run of the machine, that of the daemon has to do.
        self._boot_id = boot_id or str(uuid.uuid4())
        self._clock = clock
        self._all: list[Timer] = _read(file)
        self._rings_since_s: dict[int, float] = {}
        """By the number of the timer."""

    @property
    def running(self) -> list[Timer]:
        """Those that do not ring yet, the next one first."""
        return sorted((timer for timer in self._all if timer.number not in self._rings_since_s), key=self._due_s)

    @property
    def ringing(self) -> list[Timer]:
        return [timer for timer in self._all if timer.number in self._rings_since_s]

    def left_s(self, timer: Timer) -> float:
        return max(0.0, self._due_s(timer) - self._clock.monotonic_s())

    def start(self, lasts_s: float) -> Timer:
        """ActionError, too, if it is no length for a timer, or there are too many."""
        if not 1 <= lasts_s <= LASTS_S_MAX:
            raise ActionError("A timer lasts from 1 second to 7 days.")
        if len(self._all) >= TIMERS_MAX:
            raise ActionError(f"{TIMERS_MAX} timers run already.")
        number = max((timer.number for timer in self._all), default=0) + 1
        timer = self._pinned(number, lasts_s, self._clock.monotonic_s() + lasts_s)
        self._all.append(timer)
        self._write()
        return timer

    def stop(self, lasts_s: float | None = None) -> list[Timer]:
        """Silences what rings; where nothing does, drops the timer of that length, or the one that was set last.
        Those that are gone now."""
        gone = self.ringing
        if not gone:
            gone = [timer for timer in self._all if lasts_s in (None, timer.lasts_s)][-1:]
        self._drop(gone)
        return gone

    def look(self) -> float:
        """Lets ring what is over, and ceases what has rung for long enough; seconds until the next look."""
        self._mind_the_clocks()
        now_s = self._clock.monotonic_s()
        for timer in self.running:
            late_s = now_s - self._due_s(timer)
            if late_s >= LATE_S_MAX:
                logger.warning("a timer was over %.0f min ago, while the board was off; it is dropped", late_s / 60)
                self._drop([timer])
            elif late_s >= 0:
                self._rings_since_s[timer.number] = now_s
        self._drop([timer for timer in self.ringing if now_s - self._rings_since_s[timer.number] >= RING_S_MAX])
        waits = [self.left_s(timer) for timer in self.running]
        waits += [since_s + RING_S_MAX - now_s for since_s in self._rings_since_s.values()]
        if any(self._is_unsure(timer) for timer in self._all):
            waits.append(LOOK_S)
        return min(waits, default=math.inf)

    def _due_s(self, timer: Timer) -> float:
        """By this run's monotonic clock."""
        if timer.boot_id == self._boot_id:
            return timer.due_s
        return self._clock.monotonic_s() + (timer.due_unix_us - self._clock.unix_us()) / 1e6

    def _is_unsure(self, timer: Timer) -> bool:
        return timer.boot_id != self._boot_id or not timer.by_right_clock

    def _mind_the_clocks(self) -> None:
        """Once the wall clock is right, each timer is known by both clocks."""
        if any(self._is_unsure(timer) for timer in self._all) and self._clock.is_synchronised():
            self._all = [self._pinned(timer.number, timer.lasts_s, self._due_s(timer)) for timer in self._all]
            self._write_if_possible()

    def _pinned(self, number: int, lasts_s: float, due_s: float) -> Timer:
        due_unix_us = self._clock.unix_us() + round((due_s - self._clock.monotonic_s()) * 1e6)
        return Timer(number, lasts_s, due_s, self._boot_id, due_unix_us, bool(self._clock.is_synchronised()))

    def _drop(self, gone: Sequence[Timer]) -> None:
        if gone:
            numbers = {timer.number for timer in gone}
            self._all = [timer for timer in self._all if timer.number not in numbers]
            for number in numbers:
                self._rings_since_s.pop(number, None)
            self._write_if_possible()

    def _write_if_possible(self) -> None:
        try:
            self._write()
        except ActionError as error:
            logger.warning("%s", error)

    def _write(self) -> None:
        try:
            self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_private(self._file, msgspec.json.encode(self._all))
        except OSError as error:
            raise ActionError(
                f"{self._file}: cannot be written ({error.strerror}); a restart will not know the timers."
            ) from error


def _read(file: Path) -> list[Timer]:
    try:
        return msgspec.json.decode(file.read_bytes(), type=list[Timer])[:TIMERS_MAX]
    except FileNotFoundError:
        return []
    except (OSError, msgspec.MsgspecError) as error:
        logger.warning("%s: the timers of before cannot be read (%s)", file, error)
        return []
