"""Timers that ring, in strokes, until somebody or something ends it."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.actions import timekeeper as timekeeper_module
from edge.actions import timers as timers_module
from edge.actions.timekeeper import Timekeeper
from edge.actions.timers import Timers
from tests.test_timers import Time

WAIT_S = 10.0


class Bell:
    """Counts its strokes."""

    def __init__(self) -> None:
        self.strokes = 0
        self.changes = 0
        self._changed = threading.Condition()

    def ring(self) -> None:
        with self._changed:
            self.strokes += 1
            self._changed.notify_all()

    def change(self) -> None:
        with self._changed:
            self.changes += 1
            self._changed.notify_all()

    def wait_for(self, *, strokes: int = 0, changes: int = 0) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: self.strokes >= strokes and self.changes >= changes, WAIT_S)


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def bell() -> Bell:
    return Bell()


@pytest.fixture
def keeper(tmp_path: Path, time: Time, bell: Bell, monkeypatch: pytest.MonkeyPatch) -> Iterator[Timekeeper]:
    monkeypatch.setattr(timekeeper_module, "STROKE_S", 0.01)
    monkeypatch.setattr(timekeeper_module, "WAIT_S_MAX", 0.01)
    with Timekeeper(Timers(tmp_path / "timers.json", "boot", time.clock), bell.ring, bell.change) as keeper:
        yield keeper
    assert keeper.worker.error is None
    assert not keeper.worker.alive


def test_a_timer_that_is_over_rings_in_strokes_until_it_is_silenced(keeper: Timekeeper, time: Time, bell: Bell) -> None:
    keeper.start(600)
    assert not keeper.silence()
    time.passes(600)
    bell.wait_for(strokes=3, changes=1)
    assert keeper.rings
    assert keeper.status() == [{"lasts_s": 600, "left_s": 0.0, "rings": True}]
    assert keeper.silence()
    bell.wait_for(changes=2)
    assert not keeper.rings
    assert keeper.status() == []


def test_a_ring_that_nobody_ends_ends(keeper: Timekeeper, time: Time, bell: Bell) -> None:
    keeper.start(60)
    time.passes(60)
    bell.wait_for(strokes=1)
    time.passes(timers_module.RING_S_MAX)
    bell.wait_for(changes=2)
    assert not keeper.rings


def test_stopping_ends_a_ring_too_and_the_others_run_on(keeper: Timekeeper, time: Time, bell: Bell) -> None:
    keeper.start(60)
    keeper.start(600)
    time.passes(60)
    bell.wait_for(strokes=1)
    assert [timer.lasts_s for timer in keeper.stop()] == [60]
    bell.wait_for(changes=2)
    assert [(timer.lasts_s, left_s) for timer, left_s in keeper.left()] == [(600, pytest.approx(540))]
    assert [one["rings"] for one in keeper.status()] == [False]


def test_a_timer_that_is_set_while_it_waits_for_another_is_not_missed(
    tmp_path: Path, bell: Bell, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Nobody looks by the way here: it must be woken.
    monkeypatch.setattr(timers_module, "LOOK_S", 3600.0)
    with Timekeeper(Timers(tmp_path / "timers.json", "boot"), bell.ring, bell.change) as keeper:
        keeper.start(3600)
        keeper.start(1)
        bell.wait_for(strokes=1)
    assert bell.strokes == 1
