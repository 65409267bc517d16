"""What was understood is done once, while somebody wants it, and whoever tells of it never waits."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from common.errors import ActionError
from edge.actions.action import Action
from edge.actions.action_log import FILE_NAME, ActionLog, State
from edge.actions.lane import WAITING_MAX
from edge.actions.runner import INBOX_MAX, Runner
from edge.clock import Clock
from edge.spool.erasure import Erasure
from edge.spool.event import Event, Kind
from tests.edge_fakes import ANSWER

PATIENCE_S = 10.0


class FakeSink:
    """Does as it is told, and remembers it."""

    def __init__(self, name: str = "hall", fault: str | None = None) -> None:
        self.name = name
        self.done: list[str] = []
        self.left_s: list[float] = []
        self.goes_on = threading.Event()
        self.goes_on.set()
        self.begun = threading.Semaphore(0)
        self._fault = fault

    def wants(self, name: str) -> bool:
        return name.startswith("timer.")

    def preview(self, action: Action) -> str:
        return f"do {action.name}: {action.transcript}"

    def run(self, action: Action, left_s: float) -> None:
        self.begun.release()
        self.done.append(action.utterance_id)
        self.left_s.append(left_s)
        assert self.goes_on.wait(PATIENCE_S)
        if self._fault is not None:
            raise ActionError(self._fault)


class FakeClock:
    """Stands still."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    @property
    def clock(self) -> Clock:
        return Clock(lambda: self.now_s, lambda: 1_700_000_000_000_000 + round(self.now_s * 1e6), lambda: True)


@contextmanager
def running(folder: Path, *sinks: FakeSink, clock: FakeClock | None = None, **more: Any) -> Iterator[Runner]:
    settings: dict[str, Any] = {"age_s_max": 60.0, "days_max": 30, "boot_id": "b", **more}
    log = ActionLog(folder / FILE_NAME)
    with Runner(sinks, log, device_id="board-1", clock=(clock or FakeClock()).clock, **settings) as runner:
        try:
            yield runner
        finally:
            for sink in sinks:
                sink.goes_on.set()
    assert all(worker.error is None for worker in runner.workers)


def event(number: int, kind: Kind = Kind.FINAL, age_s: float = 1.0) -> Event:
    at_us = 1_700_000_000_000_000
    return Event(f"u{number}", kind, at_us, at_us - round(age_s * 1e6), ANSWER)


def outcomes(runner: Runner, at: int = 0) -> dict[str, int]:
    told: dict[str, int] = runner.status()["sinks"][at]["outcomes"]
    return {name: count for name, count in told.items() if count}


def until(true: Callable[[], bool]) -> None:
    until_s = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < until_s
        threading.Event().wait(0.002)


def states(folder: Path) -> dict[str, State]:
    return {entry.utterance_id: entry.state for entry in ActionLog(folder / FILE_NAME).entries()}


def test_an_action_is_done_by_each_sink_that_wants_it_once(tmp_path: Path) -> None:
    hall, garden = FakeSink("hall"), FakeSink("garden")
    with running(tmp_path, hall, garden) as runner:
        for number in (1, 1, 2, 1):
            runner.take(event(number))
        until(lambda: outcomes(runner) == outcomes(runner, 1) == {"done": 2})
    assert hall.done == garden.done == ["u1", "u2"]
    assert hall.left_s == [60.0, 60.0]


def test_what_nobody_wants_and_what_may_not_act_is_left_alone(tmp_path: Path) -> None:
    sink = FakeSink()
    with running(tmp_path, sink) as runner:
        other = msgspec.structs.replace(ANSWER, action="light.on")
        runner.take(Event("u1", Kind.FINAL, 2, 1, other))
        for kind in (Kind.BETTER, Kind.KEPT, Kind.EXPIRED, Kind.REFUSED, Kind.DROPPED):
            runner.take(event(2, kind))
        runner.take(event(3))
        until(lambda: outcomes(runner) == {"done": 1})
    assert sink.done == ["u3"]


def test_without_sinks_there_is_no_thread_and_no_file(tmp_path: Path) -> None:
    before = threading.active_count()
    with running(tmp_path) as runner:
        runner.take(event(1))
        assert threading.active_count() == before
    assert list(tmp_path.iterdir()) == []


def test_a_slow_sink_holds_up_no_other_and_no_caller(tmp_path: Path) -> None:
    slow, quick = FakeSink("slow"), FakeSink("quick")
    slow.goes_on.clear()
    with running(tmp_path, slow, quick) as runner:
        runner.take(event(0))
        assert slow.begun.acquire(timeout=PATIENCE_S)
        held_s = []
        for number in range(1, 2 * WAITING_MAX):
            began_s = time.monotonic()
            runner.take(event(number))
            held_s.append(time.monotonic() - began_s)
            assert quick.begun.acquire(timeout=PATIENCE_S)
        until(lambda: outcomes(runner) == {"no_room": WAITING_MAX - 1})
        assert max(held_s) < 0.1
        assert runner.status()["sinks"][0]["waiting"] == WAITING_MAX
        until(lambda: outcomes(runner, 1) == {"done": 2 * WAITING_MAX})


def test_of_too_many_at_once_the_new_ones_are_counted_and_not_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    holds, held = threading.Event(), threading.Event()

    def add(*arguments: object) -> list[object]:
        held.set()
        assert holds.wait(PATIENCE_S)
        return []

    monkeypatch.setattr(ActionLog, "add", add)
    with running(tmp_path, FakeSink()) as runner:
        runner.take(event(0))
        assert held.wait(PATIENCE_S)
        for number in range(1, INBOX_MAX + 4):
            runner.take(event(number))
        assert runner.status()["overflowed"] == 3
        holds.set()
    assert "an action was not done" in caplog.text


def test_what_nobody_wants_any_more_when_its_turn_comes_is_not_done(tmp_path: Path) -> None:
    clock, sink = FakeClock(), FakeSink()
    sink.goes_on.clear()
    with running(tmp_path, sink, clock=clock) as runner:
        runner.take(event(1))
        assert sink.begun.acquire(timeout=PATIENCE_S)
        runner.take(event(2))
        until(lambda: runner.status()["sinks"][0]["waiting"] == 1)
        clock.now_s += 61
        sink.goes_on.set()
        until(lambda: outcomes(runner) == {"done": 1, "too_late": 1})
    assert states(tmp_path) == {"u1": State.DONE, "u2": State.TOO_LATE}


@pytest.mark.parametrize(("age_s", "done"), [(59.0, True), (61.0, False), (-61.0, False), (3600.0, False)])
def test_a_late_answer_acts_within_its_age(tmp_path: Path, age_s: float, done: bool) -> None:
    sink = FakeSink()
    with running(tmp_path, sink) as runner:
        runner.take(event(1, Kind.LATE, age_s))
        until(lambda: bool(outcomes(runner)))
        assert outcomes(runner) == ({"done": 1} if done else {"too_late": 1})


def test_a_clock_that_was_set_while_somebody_waited_keeps_no_live_answer_from_acting(tmp_path: Path) -> None:
    sink = FakeSink()
    with running(tmp_path, sink) as runner:
        runner.take(event(1, Kind.FINAL, age_s=50 * 365 * 86_400))
        until(lambda: outcomes(runner) == {"done": 1})


def test_a_fault_is_told_counted_and_no_reason_to_do_it_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    sink = FakeSink(fault="hall: the lamp is broken.")
    with running(tmp_path, sink) as runner:
        runner.take(event(1))
        runner.take(event(1))
        until(lambda: outcomes(runner) == {"failed": 1})
        assert runner.status()["sinks"][0]["last_error"] == "hall: the lamp is broken."
    assert sink.done == ["u1"]
    assert "action by hall: failed: hall: the lamp is broken." in caplog.text


def test_nothing_is_done_that_cannot_be_put_down(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    sink = FakeSink()
    with running(tmp_path / "file", sink) as runner:
        runner.take(event(1))
        until(lambda: outcomes(runner) == {"failed": 1})
    assert sink.done == []


def test_a_dry_run_does_nothing_and_says_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    sink = FakeSink()
    with running(tmp_path, sink, dry_run=True) as runner:
        runner.take(event(1))
        until(lambda: outcomes(runner) == {"dry_run": 1})
        assert runner.status()["dry_run"] is True
    assert sink.done == []
    assert states(tmp_path) == {"u1": State.DRY_RUN}
    said = {record.getMessage(): record.levelname for record in caplog.records}
    assert said["hall would: do timer.start: set a timer for ten minutes"] == "DEBUG"


def test_what_waits_when_the_board_stops_is_done_by_the_next_daemon_and_what_ran_is_not(tmp_path: Path) -> None:
    first = FakeSink()
    first.goes_on.clear()
    with pytest.MonkeyPatch.context() as patch, running(tmp_path, first) as runner:
        patch.setattr("edge.actions.runner.STOP_S_MAX", 0.1)
        for number in (1, 2):
            runner.take(event(number))
        assert first.begun.acquire(timeout=PATIENCE_S)
        until(lambda: runner.status()["sinks"][0]["waiting"] == 1)
        # As a death would leave it.
        runner.__exit__()
        second = FakeSink()
        with running(tmp_path, second) as after:
            until(lambda: outcomes(after) == {"done": 1})
        assert second.done == ["u2"]


@pytest.mark.parametrize(("boot_id", "passed_s", "done"), [("b", 10, True), ("b", 61, False), ("other", 10, False)])
def test_what_waited_is_done_later_only_where_its_age_is_known_and_small(
    tmp_path: Path, boot_id: str, passed_s: float, done: bool
) -> None:
    clock, first, second = FakeClock(), FakeSink(), FakeSink()
    first.goes_on.clear()
    with pytest.MonkeyPatch.context() as patch, running(tmp_path, first, clock=clock) as runner:
        patch.setattr("edge.actions.runner.STOP_S_MAX", 0.1)
        for number in (1, 2):
            runner.take(event(number))
        until(lambda: runner.status()["sinks"][0]["waiting"] == 1)
        runner.__exit__()
        clock.now_s += passed_s
        with running(tmp_path, second, clock=clock, boot_id=boot_id) as after:
            until(lambda: bool(outcomes(after)))
            assert outcomes(after) == ({"done": 1} if done else {"too_late": 1})


def test_what_waited_for_a_sink_that_is_not_set_any_more_is_over(tmp_path: Path) -> None:
    first = FakeSink("gone")
    first.goes_on.clear()
    with pytest.MonkeyPatch.context() as patch, running(tmp_path, first) as runner:
        patch.setattr("edge.actions.runner.STOP_S_MAX", 0.1)
        for number in (1, 2):
            runner.take(event(number))
        until(lambda: runner.status()["sinks"][0]["waiting"] == 1)
        runner.__exit__()
        with running(tmp_path, FakeSink("other")):
            until(lambda: states(tmp_path)["u2"] is State.TOO_LATE)


def test_what_was_forgotten_while_it_waited_is_not_done(tmp_path: Path) -> None:
    sink = FakeSink()
    sink.goes_on.clear()
    with running(tmp_path, sink) as runner:
        for number in (1, 2, 3):
            runner.take(event(number))
        until(lambda: runner.status()["sinks"][0]["waiting"] == 2)
        ActionLog(tmp_path / FILE_NAME).erase(Erasure(utterance_id="u2"))
        sink.goes_on.set()
        until(lambda: outcomes(runner) == {"done": 2})
    assert sink.done == ["u1", "u3"]


def test_no_word_of_what_was_said_is_logged_above_debug(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    with running(tmp_path, FakeSink(fault="hall: no.")) as runner:
        runner.take(event(1))
        until(lambda: outcomes(runner) == {"failed": 1})
    above = [record.getMessage() for record in caplog.records if record.levelno > 10]
    assert above
    assert not any("timer" in line or "u1" in line for line in above)
