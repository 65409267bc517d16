"""What was freed goes back to the system."""

import ctypes
from pathlib import Path

import pytest

from edge.board.spare_memory import give_back


def resident_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 2**20


def test_what_nobody_needs_any_more_is_the_systems_again() -> None:
    # Small enough for the C library to keep, and the last one keeps it from shrinking by itself.
    taken = [bytes(2000) for _ in range(20_000)]
    last = taken.pop()
    del taken
    before_mib = resident_mib()
    give_back()
    assert before_mib - resident_mib() > 20
    assert len(last) == 2000


def test_where_the_c_library_cannot_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda name: object())
    give_back()
