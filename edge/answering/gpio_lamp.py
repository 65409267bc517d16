"""An LED on a GPIO line, lit while the line is high, by gpiozero (over lgpio on a current Raspberry Pi)."""

from typing import Any

from common.errors import SettingsError
from edge.answering.lamp import OFF, Colour


class GpioLamp:
    """A Lamp of one colour."""

    def __init__(self, gpio: int) -> None:
        """`gpio`: its BCM number. SettingsError, a sentence, if it cannot be had."""
        try:
            import gpiozero
        except ImportError as error:
            raise SettingsError(
                "answer.light wants a GPIO line, but gpiozero is not installed; type: pip install gpiozero lgpio, or "
                "set it to off."
            ) from error
        try:
            self._led: Any = gpiozero.LED(gpio)
        except (gpiozero.GPIOZeroError, OSError) as error:
            raise SettingsError(f"answer.light wants GPIO {gpio}, which cannot be used here: {error}.") from error

    def show(self, colour: Colour) -> None:
        self._led.value = colour != OFF

    def close(self) -> None:
        self._led.close()
