"""An LED that the kernel knows, such as a board's own: a file that takes its brightness (leds-class)."""

from pathlib import Path

from edge.answering.lamp import OFF, Colour

FOLDER = Path("/sys/class/leds")


class SysfsLamp:
    """A Lamp of one colour. What showed something else there before (the card's activity, say) does so again later."""

    def __init__(self, name: str, folder: Path = FOLDER) -> None:
        """OSError if there is none of that name, or it may not be written to."""
        led = folder / name
        self._brightness = led / "brightness"
        self._trigger = led / "trigger"
        self._full = (led / "max_brightness").read_text(encoding="ascii").strip()
        self._usual_trigger = _chosen(self._trigger.read_text(encoding="ascii"))
        # Whatever else would set it stands back.
        self._trigger.write_text("none", encoding="ascii")

    def show(self, colour: Colour) -> None:
        self._brightness.write_text("0" if colour == OFF else self._full, encoding="ascii")

    def close(self) -> None:
        self.show(OFF)
        self._trigger.write_text(self._usual_trigger, encoding="ascii")


def _chosen(triggers: str) -> str:
    """That in brackets, of such as "none timer [mmc0]"."""
    return next((word.strip("[]") for word in triggers.split() if word.startswith("[")), "none")
