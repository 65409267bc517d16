"""A lamp that shows one colour at a time: what it is to the rest of the board, and which one is set."""

from typing import NamedTuple, Protocol

from common.errors import SettingsError


class Colour(NamedTuple):
    """0 to 255 each. A lamp of one colour is on unless all are 0."""

    red: int
    green: int
    blue: int


OFF = Colour(0, 0, 0)


class Lamp(Protocol):
    """For one thread."""

    def show(self, colour: Colour) -> None:
        """OSError if it is not there any more."""

    def close(self) -> None:
        """Dark, and free for others."""


def open_lamp(setting: str) -> Lamp:
    """As answer.light says. SettingsError, a sentence, if it is not here or may not be used."""
    kind, _, which = setting.partition(":")
    try:
        if kind == "gpio":
            from edge.answering.gpio_lamp import GpioLamp  # Its library is not for a board without one.

            return GpioLamp(int(which))
        if kind == "led":
            from edge.answering.sysfs_lamp import SysfsLamp

            return SysfsLamp(which)
        from edge.answering.apa102 import open_ring

        count, _, power = which.partition(":")
        return open_ring(int(count), int(power) if power else None)
    except OSError as error:
        raise SettingsError(
            f"answer.light is {setting}, but it cannot be used here: {error.strerror or error}."
            " Is it there, and may this user write to it?"
        ) from error
