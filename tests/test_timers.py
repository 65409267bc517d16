"""Timers: by which clock they run, when they ring, and what a restart leaves of them."""

from pathlib import Path

import pytest

from common.errors import ActionError
from edge.actions import timers as timers_module
from edge.actions.timers import LATE_S_MAX, LOOK_S, RING_S_MAX, TIMERS_MAX, Timers
from edge.clock import Clock

NOON_US = 1_900_000_000_000_000


class Time:
    """Both clocks of a machine."""

    def __init__(self, *, right: bool | None = True) -> None:
        self.monotonic_s = 1000.0
        self.unix_us = NOON_US
        self.right = right

    def passes(self, seconds: float) -> None:
        self.monotonic_s += seconds
        self.unix_us += round(seconds * 1e6)

    def restarts(self, off_s: float, *, clock_stood_still: bool = False) -> None:
        """The machine is off for so long."""
        self.monotonic_s = 5.0
        if not clock_stood_still:
            self.unix_us += round(off_s * 1e6)

    @property
    def clock(self) -> Clock:
        return Clock(lambda: self.monotonic_s, lambda: self.unix_us, lambda: self.right)


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "state" / "timers.json"


def timers(file: Path, time: Time, boot: str = "first") -> Timers:
    return Timers(file, boot, time.clock)


def test_a_timer_rings_when_it_is_over_and_for_so_long_at_most(file: Path, time: Time) -> None:
    one = timers(file, time)
    one.start(600)
    assert one.look() == pytest.approx(600)
    time.passes(599.5)
    assert one.look() == pytest.approx(0.5)
    assert one.ringing == []
    time.passes(0.5)
    assert one.look() == pytest.approx(RING_S_MAX)
    assert [timer.lasts_s for timer in one.ringing] == [600]
    assert one.running == []
    time.passes(RING_S_MAX)
    assert one.look() == float("inf")
    assert one.ringing == []


@pytest.mark.parametrize("jump_s", [-86_400.0, 7200.0, 1e9])
def test_a_jump_of_the_wall_clock_changes_nothing(file: Path, time: Time, jump_s: float) -> None:
    one = timers(file, time)
    timer = one.start(600)
    time.passes(60)
    time.unix_us += round(jump_s * 1e6)
    one.look()
    assert one.ringing == []
    assert one.left_s(timer) == pytest.approx(540)


def test_a_daemon_that_is_started_again_knows_them_whatever_the_wall_clock_says(file: Path, time: Time) -> None:
    timers(file, time).start(600)
    time.passes(100)
    time.unix_us -= 3_600_000_000
    again = timers(file, time)
    again.look()
    assert again.left_s(again.running[0]) == pytest.approx(500)


def test_after_a_restart_of_the_machine_a_right_clock_tells_how_long_it_was_off(file: Path, time: Time) -> None:
    timers(file, time).start(600)
    time.passes(100)
    time.restarts(200)
    again = timers(file, time, "second")
    again.look()
    assert again.left_s(again.running[0]) == pytest.approx(300)
    # From now on it is the monotonic clock's, and no jump counts.
    time.unix_us += 10**12
    again.look()
    assert again.left_s(again.running[0]) == pytest.approx(300)
    assert timers(file, time, "second").running[0].due_s == pytest.approx(305)


def test_a_clock_that_stood_still_lets_it_ring_late_until_it_is_right_and_never_early(file: Path, time: Time) -> None:
    timers(file, time).start(600)
    time.passes(100)
    time.restarts(200, clock_stood_still=True)
    time.right = False
    again = timers(file, time, "second")
    assert again.look() == pytest.approx(LOOK_S)
    assert again.left_s(again.running[0]) == pytest.approx(500)
    time.unix_us += 200_000_000
    time.right = True
    again.look()
    assert again.left_s(again.running[0]) == pytest.approx(300)


def test_one_that_was_set_by_a_wrong_clock_is_put_right_when_the_clock_is(file: Path, time: Time) -> None:
    time.right = False
    one = timers(file, time)
    one.start(600)
    time.unix_us += 5 * 10**12
    time.right = True
    one.look()
    time.passes(100)
    time.restarts(200)
    again = timers(file, time, "second")
    again.look()
    assert again.left_s(again.running[0]) == pytest.approx(300)


def test_what_was_over_while_the_board_was_off_rings_now_but_not_the_next_day(
    file: Path, time: Time, caplog: pytest.LogCaptureFixture
) -> None:
    for lasts_s in (600, 600 + LATE_S_MAX / 2):
        timers(file, time).start(lasts_s)
    time.restarts(600 + LATE_S_MAX)
    again = timers(file, time, "second")
    again.look()
    assert [timer.lasts_s for timer in again.ringing] == [600 + LATE_S_MAX / 2]
    assert "was over 60 min ago" in caplog.text


def test_a_ring_that_a_power_cut_ended_goes_on(file: Path, time: Time) -> None:
    one = timers(file, time)
    one.start(60)
    time.passes(61)
    one.look()
    assert len(one.ringing) == 1
    time.restarts(10)
    again = timers(file, time, "second")
    again.look()
    assert len(again.ringing) == 1


def test_stop_silences_what_rings_and_drops_nothing_then(file: Path, time: Time) -> None:
    one = timers(file, time)
    one.start(60)
    one.start(600)
    time.passes(60)
    one.look()
    assert [timer.lasts_s for timer in one.stop(600)] == [60]
    assert [timer.lasts_s for timer in one.running] == [600]
    assert len(timers(file, time).running) == 1


def test_stop_drops_the_one_of_that_length_or_the_newest(file: Path, time: Time) -> None:
    one = timers(file, time)
    for lasts_s in (60, 600, 300):
        one.start(lasts_s)
    assert [timer.lasts_s for timer in one.running] == [60, 300, 600]
    assert [timer.lasts_s for timer in one.stop(60)] == [60]
    assert one.stop(60) == []
    assert [timer.lasts_s for timer in one.stop()] == [300]
    assert [timer.lasts_s for timer in one.stop()] == [600]
    assert one.stop() == []


@pytest.mark.parametrize("lasts_s", [0, 0.5, -1, 8 * 86_400, float("nan")])
def test_no_length_for_a_timer_is_refused(file: Path, time: Time, lasts_s: float) -> None:
    with pytest.raises(ActionError, match="from 1 second to 7 days"):
        timers(file, time).start(lasts_s)


def test_there_are_not_too_many(file: Path, time: Time) -> None:
    one = timers(file, time)
    for _ in range(TIMERS_MAX):
        one.start(60)
    with pytest.raises(ActionError, match=f"{TIMERS_MAX} timers run already"):
        one.start(60)


def test_the_file_is_private_and_one_that_cannot_be_read_is_told(
    file: Path, time: Time, caplog: pytest.LogCaptureFixture
) -> None:
    timers(file, time).start(60)
    assert file.stat().st_mode & 0o777 == 0o600
    file.write_text('[{"number": 1}]')
    assert timers(file, time).running == []
    assert "the timers of before cannot be read" in caplog.text


def test_a_disk_that_takes_nothing_is_told_and_the_timer_runs_all_the_same(
    file: Path, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*what: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(timers_module, "write_private", full)
    one = timers(file, time)
    with pytest.raises(ActionError, match="No space left on device"):
        one.start(60)
    assert len(one.running) == 1
    assert len(one.stop()) == 1


def test_where_nobody_names_the_run_of_the_machine_the_monotonic_clock_counts_while_the_daemon_runs(
    file: Path, time: Time
) -> None:
    one = timers(file, time, "")
    timer = one.start(600)
    time.unix_us += 10**12
    assert one.left_s(timer) == pytest.approx(600)
