"""Memory that the start took and nobody needs any more, and that threads would keep for themselves."""

import ctypes
import gc
from contextlib import suppress

M_ARENA_MAX = -8
"""Of glibc's mallopt."""


def share() -> None:
    """All threads take from one place, where the C library is glibc; each would keep a place of its own otherwise, and
    how much that is differs from start to start. To be called before there are threads."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, 1)


def give_back() -> None:
    """To the system, where the C library can do so (glibc's malloc_trim); elsewhere nothing happens."""
    gc.collect()
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
