"""A push button and a switch between a GPIO line and ground, by gpiozero (over lgpio on a current Raspberry Pi)."""

from collections.abc import Callable
from typing import Any, Protocol

from common.errors import SettingsError

BOUNCE_S = 0.05
"""Contacts of small buttons settle within 20 ms; nobody presses twice in 50."""


class Line(Protocol):
    """A line that is being watched."""

    def close(self) -> None: ...


def watch_button(gpio: int, pressed: Callable[[], None]) -> Line:
    """Calls `pressed`, from a thread of the library, at each press of the button on BCM line `gpio`.

    SettingsError, a sentence, if there is no such line here or gpiozero is not installed.
    """
    button = _open(gpio, "activation.gpio")
    button.when_pressed = pressed
    line: Line = button
    return line


def watch_switch(gpio: int, changed: Callable[[bool], None]) -> Line:
    """Calls `changed` with whether the switch on BCM line `gpio` is closed: now if it is, and whenever it is turned.

    SettingsError as above.
    """
    switch = _open(gpio, "mute.gpio")
    switch.when_pressed = lambda: changed(True)
    switch.when_released = lambda: changed(False)
    if switch.is_pressed:
        changed(True)
    line: Line = switch
    return line


def _open(gpio: int, setting: str) -> Any:
    """A gpiozero.Button."""
    try:
        import gpiozero
    except ImportError as error:
        raise SettingsError(
            f"{setting} is {gpio}, but gpiozero is not installed; type: pip install gpiozero lgpio, or set it to -1."
        ) from error
    try:
        return gpiozero.Button(gpio, bounce_time=BOUNCE_S)
    except (gpiozero.GPIOZeroError, OSError) as error:
        raise SettingsError(f"{setting} is {gpio}, but that line cannot be used here: {error}.") from error
