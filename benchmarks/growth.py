"""What grows in a process that works for a long time: memory, open files, threads."""

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.idle import memory_mib

LOOK_S = 2.0
WARM_UP_SHARE = 0.2

SLOPE_MIB_MAX = 1.0
"""An hour, the mark."""


class Look(NamedTuple):
    """At a process, once."""

    at_s: float
    memory_mib: float
    files: int
    threads: int


class Grown(NamedTuple):
    """What became of a process over the time."""

    memory_mib: float
    """At the end."""
    slope_mib: float
    """An hour."""
    halves_mib: tuple[float, float]
    """The same over the first and the second half."""
    files: int
    """More at the end than at the beginning, both the least of a quarter of the time: streams come and go."""
    threads: int

    @property
    def reached(self) -> bool:
        return self.slope_mib < SLOPE_MIB_MAX and max(self.files, self.threads) <= 0


def watch(pids: dict[str, int], minutes: float) -> dict[str, list[Look]]:
    """Looks at each every few seconds."""
    looks: dict[str, list[Look]] = {name: [] for name in pids}
    began_s = time.monotonic()
    while (at_s := time.monotonic() - began_s) < 60 * minutes:
        for name, pid in pids.items():
            looks[name].append(look(pid, at_s))
        if sys.stderr.isatty():
            memory = ", ".join(f"{name} {of[-1].memory_mib:.1f}" for name, of in looks.items())
            print(f"\r{at_s / 60:5.1f} min  MiB: {memory}", end="", file=sys.stderr, flush=True)
        time.sleep(min(LOOK_S, minutes))
    return looks


def look(pid: int, at_s: float) -> Look:
    process = Path(f"/proc/{pid}")
    files, threads = (len(list((process / part).iterdir())) for part in ("fd", "task"))
    return Look(at_s, memory_mib(pid), files, threads)


def grew(looks: Sequence[Look]) -> Grown:
    """From after the warm-up to the end."""
    warm = looks[int(WARM_UP_SHARE * len(looks)) :]
    half = len(warm) // 2
    quarter = max(1, len(warm) // 4)
    first, last = warm[:quarter], warm[-quarter:]
    files = min(one.files for one in last) - min(one.files for one in first)
    threads = min(one.threads for one in last) - min(one.threads for one in first)
    return Grown(warm[-1].memory_mib, slope(warm), (slope(warm[:half]), slope(warm[half:])), files, threads)


def slope(looks: Sequence[Look]) -> float:
    """MiB an hour, of the line through them."""
    hours = np.array([one.at_s for one in looks]) / 3600
    return float(np.polyfit(hours, [one.memory_mib for one in looks], 1)[0])
