"""What systemd is told of a program of ours; see sd_notify(3). Told to nobody where systemd did not start it."""

import os
import time
from collections.abc import Callable, Mapping
from typing import Protocol


class Notifier(Protocol):
    """sdnotify.SystemdNotifier is one."""

    def notify(self, state: str) -> None: ...


class Supervision:
    """READY, STATUS, WATCHDOG and STOPPING, each when it is due."""

    def __init__(
        self,
        notifier: Notifier,
        environment: Mapping[str, str] = os.environ,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._notifier = notifier
        self._clock = clock
        meant_for_us = environment.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        watchdog_us = environment.get("WATCHDOG_USEC", "") if meant_for_us else ""
        # A third: two feeds may be late before the last one counts.
        self._period_s = int(watchdog_us) / 3e6 if watchdog_us.isdigit() else None
        self._fed_at_s = float("-inf")
        self._status = ""

    def ready(self) -> None:
        self._notifier.notify("READY=1")

    def stopping(self) -> None:
        self._notifier.notify("STOPPING=1")

    def status(self, text: str) -> None:
        """One line for `systemctl status`; told when it changes."""
        if text != self._status:
            self._status = text
            self._notifier.notify(f"STATUS={text}")

    def feed(self) -> None:
        """All is well. To be called often; the watchdog is fed about three times in its period."""
        now_s = self._clock()
        if self._period_s is not None and now_s - self._fed_at_s >= self._period_s:
            self._fed_at_s = now_s
            self._notifier.notify("WATCHDOG=1")
