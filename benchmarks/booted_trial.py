"""A container in which Parrotlet is tried out, and the table that is made of it."""

import json
import sys
import time
from collections.abc import Callable
from typing import Any

from benchmarks.nspawn import Container

CHANGE_S_MAX = 90.0
"""Longest wait for a service to be as it should be again: the watchdog's time, and that of two starts."""


class Trial:
    """The container, and the table that is made of it."""

    def __init__(self, container: Container) -> None:
        self.container = container
        self.failed = 0
        self.before = self.ours()
        """What was there before anything was installed."""

    def ours(self) -> set[str]:
        """Paths of the container that bear our name."""
        places = [self.container.root / place for place in ("etc", "opt", "usr", "var", "root", "home")]
        found = (path for place in places for path in place.rglob("*parrotlet*"))
        return {f"/{path.relative_to(self.container.root)}" for path in found}

    def check(self, name: str, about: Callable[..., str], *arguments: Any) -> None:
        """A row: what was tried, what came of it, how long it took."""
        if sys.stderr.isatty():
            print(f"\r\033[K{name}", end="\r", file=sys.stderr, flush=True)
        began_s = time.monotonic()
        try:
            result = about(*arguments)
        except (AssertionError, RuntimeError, OSError, LookupError, ValueError) as error:
            self.failed += 1
            result = f"**FAILED**: {str(error)[:400] or 'not so'}".replace("\n", " ").replace("|", "/")
        print(f"| {name} | {result} | {time.monotonic() - began_s:.1f} |", flush=True)

    def show(self, unit: str, key: str) -> str:
        return self.container.out("systemctl", "show", "--value", f"--property={key}", unit).strip()

    def pid(self, unit: str) -> int:
        return int(self.show(unit, "MainPID"))

    def journal(self, unit: str) -> list[dict[str, Any]]:
        lines = self.container.out("journalctl", f"--unit={unit}", "--output=json", "--no-pager").splitlines()
        return [json.loads(line) for line in lines]

    def signal(self, name: str, *pids: int) -> None:
        self.container.out("sh", "-c", f"kill -{name} {' '.join(map(str, pids))}")

    def children(self, pid: int) -> list[int]:
        return [int(child) for child in self.container.run("cat", f"/proc/{pid}/task/{pid}/children").stdout.split()]

    def status(self) -> dict[str, Any]:
        """What the board says of itself; empty while it does not."""
        said = self.container.run("parrotlet-edge", "status", "--json").stdout
        status: dict[str, Any] = json.loads(said) if said else {}
        return status

    def wait(self, what: Callable[[], bool], *, s_max: float = CHANGE_S_MAX) -> float:
        """Seconds until it is so. AssertionError if that takes too long."""
        began_s = time.monotonic()
        while not what():
            assert time.monotonic() - began_s < s_max, f"not so after {s_max:.0f} s"
            time.sleep(0.1)
        return time.monotonic() - began_s

    def again(self, unit: str, pid: int) -> float:
        """Seconds until another process of a unit is ready."""
        return self.wait(lambda: self.show(unit, "ActiveState") == "active" and self.pid(unit) not in (0, pid))
