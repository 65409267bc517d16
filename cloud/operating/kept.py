"""What a page worked out, for a while: until somebody says something of an answer, or anything is erased."""

import threading
import time
from collections.abc import Callable, Hashable
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from cloud.log.reader import LogReader

AGE_S_MAX = 300.0
"""Answers that came since are missing so long."""
KEPT_MAX = 64

Value = TypeVar("Value")


class _Log(NamedTuple):
    """What tells that it is no longer the same."""

    feedback: int
    erasures: int


class Kept:
    """Any thread's; who asks while it is worked out waits for it."""

    def __init__(self, log: Path, monotonic_s: Callable[[], float] = time.monotonic) -> None:
        self._log = log
        self._monotonic_s = monotonic_s
        self._lock = threading.Lock()
        self._values: dict[Hashable, tuple[_Log, float, Any]] = {}

    def get(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """What `make` gave, or gives now; the same key is of the same kind of value. SettingsError where the log cannot
        be read, and what `make` raises."""
        with self._lock:
            log, now_s = self._read(), self._monotonic_s()
            # What was erased is in none of them.
            self._values = {
                one: kept for one, kept in self._values.items() if kept[0] == log and now_s - kept[1] < AGE_S_MAX
            }
            if key not in self._values:
                value = make()
                if len(self._values) >= KEPT_MAX:
                    del self._values[next(iter(self._values))]
                self._values[key] = log, now_s, value
            kept_value: Value = self._values[key][2]
            return kept_value

    def _read(self) -> _Log:
        with closing(LogReader(self._log)) as reader:
            return _Log(reader.last_feedback(), sum(reader.erasures().values()))
