"""When the board listens."""

import sys

import pytest

from common.errors import ParrotletError, SettingsError
from edge.board.button import watch_button
from edge.speech.activation import Always, Button


class Clock:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_always_listens_and_refuses_a_press() -> None:
    always = Always()
    assert always.listening()
    always.heard_onset()
    always.heard_end()
    assert always.listening()
    with pytest.raises(ParrotletError, match=r"activation\.mode is always"):
        always.press()


def test_a_button_listens_only_after_a_press_and_for_its_window(clock: Clock) -> None:
    button = Button(8.0, clock)
    assert not button.listening()
    button.press()
    assert button.listening()
    clock.now_s += 7.99
    assert button.listening()
    clock.now_s += 0.01
    assert not button.listening()


def test_an_utterance_that_started_in_the_window_may_take_its_time(clock: Clock) -> None:
    button = Button(8.0, clock)
    button.press()
    clock.now_s += 7
    button.heard_onset()
    clock.now_s += 20
    assert button.listening()
    button.heard_end()
    assert not button.listening()


def test_one_press_is_for_one_utterance_even_within_the_window(clock: Clock) -> None:
    button = Button(8.0, clock)
    button.press()
    button.heard_onset()
    button.heard_end()
    assert not button.listening()


def test_a_second_press_opens_the_window_anew(clock: Clock) -> None:
    button = Button(8.0, clock)
    button.press()
    clock.now_s += 6
    button.press()
    clock.now_s += 6
    assert button.listening()


def test_a_press_during_an_utterance_does_not_ask_for_another(clock: Clock) -> None:
    button = Button(8.0, clock)
    button.press()
    button.heard_onset()
    button.press()
    button.heard_end()
    assert not button.listening()


def test_a_missing_gpio_library_is_told_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    # How Python itself marks a module as one that cannot be imported.
    monkeypatch.setitem(sys.modules, "gpiozero", None)
    with pytest.raises(SettingsError, match=r"activation\.gpio is 17, but gpiozero is not installed; type"):
        watch_button(17, lambda: None)


def test_a_press_of_the_gpio_button_is_heard() -> None:
    gpiozero = pytest.importorskip("gpiozero")
    mock = pytest.importorskip("gpiozero.pins.mock")
    before = gpiozero.Device.pin_factory
    gpiozero.Device.pin_factory = mock.MockFactory()
    presses = []
    try:
        line = watch_button(17, lambda: presses.append(1))
        gpiozero.Device.pin_factory.pin(17).drive_low()
        gpiozero.Device.pin_factory.pin(17).drive_high()
        line.close()
    finally:
        gpiozero.Device.pin_factory = before
    assert presses == [1]
