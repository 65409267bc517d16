import ctypes
import time

import pytest

from edge import clock
from edge.clock import Clock, is_synchronised


class Libc:
    """One whose kernel says this."""

    def __init__(self, state: int) -> None:
        self._state = state

    def adjtimex(self, timex: ctypes.Array[ctypes.c_char]) -> int:
        assert not any(timex.raw), "anything else would set the clock"
        return self._state


@pytest.mark.parametrize(("state", "synchronised"), [(0, True), (4, True), (5, False), (-1, None)])
def test_the_kernel_is_asked_and_may_not_say(
    monkeypatch: pytest.MonkeyPatch, state: int, synchronised: bool | None
) -> None:
    monkeypatch.setattr(clock.ctypes, "CDLL", lambda name: Libc(state))
    assert is_synchronised() is synchronised


def test_a_libc_that_cannot_be_asked_is_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock.ctypes, "CDLL", lambda name: object())
    assert is_synchronised() is None


def test_the_real_kernel_answers_and_its_clock_is_not_touched() -> None:
    before = time.time() - time.monotonic()
    assert is_synchronised() in (True, False, None)
    assert abs(time.time() - time.monotonic() - before) < 1
    assert Clock().unix_us() == pytest.approx(time.time() * 1e6, abs=1e6)
