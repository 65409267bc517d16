"""What time it is on this board, and whether anybody may rely on it."""

import ctypes
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

BOOT_ID_FILE = Path("/proc/sys/kernel/random/boot_id")

_TIMEX_BYTES = 512
"""More than the kernel's struct timex takes anywhere; zeros ask and set nothing."""
_TIME_ERROR = 5


def is_synchronised() -> bool | None:
    """Whether the kernel says that the wall clock is kept right; None: it does not say. See adjtimex(2).

    A Raspberry Pi has no battery for its clock: after a power cut it runs at the time of its last shutdown until a
    network tells it better.
    """
    try:
        state = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES))
    except (OSError, AttributeError):
        return None
    return None if state < 0 else state != _TIME_ERROR


def boot_id() -> str:
    """Names the run of the machine that monotonic times belong to; empty where nobody knows. See random(4)."""
    try:
        return BOOT_ID_FILE.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def shown_time(unix_us: int) -> str:
    """As a person reads it, local."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(unix_us / 1e6))


class Clock(NamedTuple):
    """What time it is."""

    monotonic_s: Callable[[], float] = time.monotonic
    unix_us: Callable[[], int] = lambda: time.time_ns() // 1000
    is_synchronised: Callable[[], bool | None] = is_synchronised


SYSTEM_CLOCK = Clock()
