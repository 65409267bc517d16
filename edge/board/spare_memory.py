"""Memory that the start took and nobody needs any more, and that threads would keep for themselves."""

import ctypes
import gc
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

M_ARENA_MAX = -8
"""Of glibc's mallopt."""

MADV_DONTNEED = 4
"""Of Linux: what is read again comes from the file again, and most of that from the page cache."""

_MAPPING = re.compile(r"([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \S+ +(\S.*)")


def share() -> None:
    """All threads take from one place, where the C library is glibc; each would keep a place of its own otherwise, and
    how much that is differs from start to start. To be called before there are threads."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, 1)


def give_back() -> None:
    """To the system, where the C library can do so (glibc's malloc_trim), and the code that only the start ran, where
    the kernel is Linux; elsewhere nothing happens."""
    gc.collect()
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
    with suppress(OSError, AttributeError):
        madvise = ctypes.CDLL(None).madvise
        madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
        for start, end in code_of(Path("/proc/self/smaps").read_text(encoding="utf-8")):
            madvise(start, end - start, MADV_DONTNEED)


def code_of(smaps: str) -> Iterator[tuple[int, int]]:
    """Where code lies that is as its files have it, from and to: by a table such as /proc/self/smaps."""
    mapping = None
    for line in smaps.splitlines():
        if (found := _MAPPING.fullmatch(line)) is not None:
            start, end, rights, what = found.groups()
            is_code = rights == "r-xp" and what.startswith("/")
            mapping = (int(start, 16), int(end, 16)) if is_code else None
        elif mapping is not None and line.startswith("Private_Dirty:") and int(line.split()[1]) == 0:
            yield mapping
