"""What the board does is shown by colour and rhythm."""

import itertools
import threading
from collections.abc import Iterator

import pytest

from edge.answering import light as light_module
from edge.answering.doing import Doing
from edge.answering.lamp import OFF, Colour
from edge.answering.light import RHYTHMS, Light, Step

WAIT_S = 10.0


class FakeLamp:
    """Keeps what it shows."""

    def __init__(self) -> None:
        self.shown: list[Colour] = []
        self.closed = False
        self.fault = ""
        self.tries = 0
        self._changed = threading.Condition()

    def show(self, colour: Colour) -> None:
        with self._changed:
            self.tries += 1
            self._changed.notify_all()
            if self.fault:
                raise OSError(5, self.fault)
            self.shown.append(colour)

    def close(self) -> None:
        self.closed = True

    def wait_for(self, tries: int) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: self.tries >= tries, WAIT_S)


class Board:
    """Does what the test says, and tells when it was asked."""

    def __init__(self) -> None:
        self.doing = Doing.IDLE
        self.asked = threading.Semaphore(0)

    def __call__(self) -> Doing:
        self.asked.release()
        return self.doing


@pytest.fixture
def board() -> Board:
    return Board()


@pytest.fixture
def lamp() -> FakeLamp:
    return FakeLamp()


@pytest.fixture
def light(board: Board, lamp: FakeLamp) -> Iterator[Light]:
    with Light(lamp, board) as light:
        yield light
    assert light.worker.error is None
    assert not light.worker.alive


def test_each_thing_that_the_board_does_looks_unlike_the_others_on_a_lamp_of_one_colour_too() -> None:
    one_colour = {doing: tuple((step.colour != OFF, step.lasts_s) for step in RHYTHMS[doing]) for doing in Doing}
    assert len(set(one_colour.values())) == len(Doing)


def test_a_change_is_shown_at_once_and_a_look_that_brings_none_is_not(
    light: Light, lamp: FakeLamp, board: Board
) -> None:
    lamp.wait_for(1)
    board.doing = Doing.LISTENING
    light.look()
    lamp.wait_for(2)
    while board.asked.acquire(blocking=False):
        pass
    for _ in range(5):
        light.look()
        assert board.asked.acquire(timeout=WAIT_S)
    board.doing = Doing.IDLE
    light.look()
    lamp.wait_for(3)
    assert lamp.shown == [OFF, RHYTHMS[Doing.LISTENING][0].colour, OFF]


def test_a_rhythm_goes_on_however_often_it_is_looked(
    light: Light, lamp: FakeLamp, board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    red = Colour(255, 0, 0)
    monkeypatch.setattr(light_module, "RHYTHMS", {**RHYTHMS, Doing.ERROR: (Step(red, 0.02), Step(OFF, 0.02))})
    lamp.wait_for(1)
    board.doing = Doing.ERROR
    for tries in itertools.count(2):
        light.look()
        if len(lamp.shown) >= 6:
            break
        assert tries < 1_000_000
    assert lamp.shown[1:6] == [red, OFF, red, OFF, red]


def test_a_lamp_that_fails_is_told_once_and_tried_again(
    light: Light, lamp: FakeLamp, board: Board, caplog: pytest.LogCaptureFixture
) -> None:
    lamp.wait_for(1)
    lamp.fault = "Input/output error"
    for tries, doing in enumerate((Doing.LISTENING, Doing.IDLE), start=2):
        board.doing = doing
        light.look()
        lamp.wait_for(tries)
    lamp.fault = ""
    board.doing = Doing.LISTENING
    light.look()
    lamp.wait_for(4)
    assert [record.getMessage() for record in caplog.records] == ["light: Input/output error; it is tried again"]


def test_it_is_dark_at_the_end(board: Board, lamp: FakeLamp) -> None:
    board.doing = Doing.LISTENING
    with Light(lamp, board):
        lamp.wait_for(1)
    assert lamp.shown[-1] == OFF
    assert lamp.closed
