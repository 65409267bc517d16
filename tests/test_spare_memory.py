"""What was freed goes back to the system."""

import ctypes
from pathlib import Path

import pytest

from edge.board.spare_memory import code_of, give_back


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


def test_only_code_as_its_file_has_it_is_given_back() -> None:
    """What was written to, as relocations are, is in no file any more."""
    smaps = """\
55d0c0a00000-55d0c0a04000 r--p 00000000 fe:01 99     /usr/lib/libgrpc.so (deleted)
Private_Dirty:         0 kB
7f0000000000-7f0000004000 r-xp 00001000 fe:01 99                       /usr/lib/libgrpc.so (deleted)
Rss:                  16 kB
Private_Dirty:         0 kB
7f0000010000-7f0000014000 r-xp 00001000 fe:01 98     /usr/lib/patched by hand.so
Private_Dirty:         4 kB
7f0000020000-7f0000024000 rwxp 00000000 fe:01 97     /usr/lib/odd.so
Private_Dirty:         0 kB
7f0000030000-7f0000034000 r-xp 00000000 00:00 0
Private_Dirty:         0 kB
7ffc00000000-7ffc00002000 r-xp 00000000 00:00 0      [vdso]
Private_Dirty:         0 kB
7f0000040000-7f0000041000 r-xp 00001000 fe:01 96     /usr/lib/libm.so.6
Private_Dirty:         0 kB
"""
    assert list(code_of(smaps)) == [(0x7F0000000000, 0x7F0000004000), (0x7F0000040000, 0x7F0000041000)]
