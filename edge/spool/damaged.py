"""Spools that could not be read any more, set aside beside the one in use for whoever can make something of them: few
of them, and not for ever, as speech is in them. OSError comes through."""

import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from edge.spool.erasure import Erasure

KEPT_MAX = 2
"""Each may be as large as the spool."""

_MARK = ".damaged-"
_SUFFIXES = ("-wal", "-shm", "")
"""Its write-ahead log is no other's."""


def set_aside(file: Path) -> tuple[Path, Sequence[Path]]:
    """Gives the spool another name: that, and those that were erased for it."""
    aside = file.with_name(f"{file.name}{_MARK}{time.time():.0f}")
    before = [other for other in spools(file) if other != aside]
    for suffix in _SUFFIXES:
        with suppress(FileNotFoundError):
            file.with_name(file.name + suffix).rename(aside.with_name(aside.name + suffix))
    too_many = before[: max(0, len(before) - KEPT_MAX + 1)]
    for other in too_many:
        remove(other)
    return aside, too_many


def spools(file: Path) -> list[Path]:
    """Those that were set aside beside it, the oldest first."""
    named = {_without_suffix(other.name) for other in file.parent.glob(f"{file.name}{_MARK}*")}
    return [file.with_name(name) for name in sorted(named, key=lambda name: (len(name), name))]


def remove(damaged: Path) -> None:
    """With its log."""
    for part in _parts(damaged):
        part.unlink()


def remove_old(file: Path, old: Erasure) -> int:
    """Those that were last written then; how many."""
    found = [one for one in spools(file) if old.fits("", max(part.stat().st_mtime_ns for part in _parts(one)) // 1000)]
    for damaged in found:
        remove(damaged)
    return len(found)


def _parts(damaged: Path) -> list[Path]:
    return [part for suffix in _SUFFIXES if (part := damaged.with_name(damaged.name + suffix)).exists()]


def _without_suffix(name: str) -> str:
    return name.removesuffix("-wal").removesuffix("-shm")
