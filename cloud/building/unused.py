"""What is made of domains' folders, and can be made again, is erased once nobody has needed it for a while.

Whoever finds something there marks it as used, and nobody erases meanwhile; a lock goes with who held it.
"""

import fcntl
import os
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

UNUSED_S_MIN = 86_400.0
"""What nobody needs yet may be what somebody is about to need."""


def is_there(path: Path) -> bool:
    """Whether it is; as one that is used now."""
    # Of another user it cannot be marked.
    with suppress(OSError), _locked(path.parent, fcntl.LOCK_SH):
        os.utime(path)
    return path.exists()


def clean(directory: Path, needed: Collection[str], now_unix_s: float) -> None:
    """Erases what has none of the needed names and was not used for a while, also what was left half made. What cannot
    be erased stays."""
    for entry in list(directory.glob("*")):
        with suppress(OSError), _locked(directory, fcntl.LOCK_EX):
            if entry.name in needed:
                os.utime(entry)
            elif now_unix_s - entry.stat().st_mtime > UNUSED_S_MIN:
                shutil.rmtree(entry) if entry.is_dir() else entry.unlink()


@contextmanager
def _locked(directory: Path, how: int) -> Iterator[None]:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, how)
        yield
    finally:
        os.close(descriptor)
