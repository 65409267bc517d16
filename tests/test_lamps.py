"""Each kind of lamp, on a tree of files, a bus or a chip that is not there."""

import errno
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from common.errors import SettingsError
from edge.answering import apa102
from edge.answering.apa102 import BRIGHTNESS, Ring, SpiDevice, open_ring
from edge.answering.gpio_lamp import GpioLamp
from edge.answering.lamp import OFF, Colour, open_lamp
from edge.answering.sysfs_lamp import SysfsLamp

BLUE = Colour(1, 2, 255)


@pytest.fixture
def leds(tmp_path: Path) -> Path:
    """As the kernel shows the green one of a Raspberry Pi."""
    folder = tmp_path / "ACT"
    folder.mkdir()
    for name, content in (("brightness", "0\n"), ("max_brightness", "255\n"), ("trigger", "none timer [mmc0] cpu\n")):
        (folder / name).write_text(content)
    return tmp_path


def test_an_led_of_the_kernel_is_lit_and_given_back_as_it_was(leds: Path) -> None:
    lamp = SysfsLamp("ACT", leds)
    assert (leds / "ACT" / "trigger").read_text() == "none"
    lamp.show(BLUE)
    assert (leds / "ACT" / "brightness").read_text() == "255"
    lamp.show(OFF)
    assert (leds / "ACT" / "brightness").read_text() == "0"
    lamp.show(BLUE)
    lamp.close()
    assert (leds / "ACT" / "brightness").read_text() == "0"
    assert (leds / "ACT" / "trigger").read_text() == "mmc0"


def test_an_led_that_is_not_there_or_not_for_this_user_is_told() -> None:
    with pytest.raises(
        SettingsError, match=r"answer\.light is led:none-such, but it cannot be used here: No such file"
    ):
        open_lamp("led:none-such")


class Bus:
    """Keeps what is sent."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.closed = False

    def send(self, data: bytes) -> None:
        self.sent.append(data)

    def close(self) -> None:
        self.closed = True


@pytest.mark.parametrize("count", [3, 12, 100])
def test_all_lights_of_a_ring_show_the_colour_and_the_clock_goes_on_for_the_last(count: int) -> None:
    bus = Bus()
    ring = Ring(count, bus)
    ring.show(BLUE)
    dark, blue = bus.sent
    one = bytes((0xE0 | BRIGHTNESS, 255, 2, 1))
    assert blue[:4] == bytes(4)
    assert blue[4 : 4 + 4 * count] == one * count
    assert set(blue[4 + 4 * count :]) == {0}, "ones would light a light more"
    assert 8 * len(blue[4 + 4 * count :]) >= 32 + count / 2
    assert len(dark) == len(blue)
    assert dark[4:8] == bytes((0xE0 | BRIGHTNESS, 0, 0, 0))
    ring.close()
    assert bus.sent[-1] == dark
    assert bus.closed


def test_what_powers_a_ring_is_on_while_it_is_used() -> None:
    power = SimpleNamespace(shown=[], closed=False)
    power.show = power.shown.append
    power.close = lambda: setattr(power, "closed", True)
    ring = Ring(12, Bus(), power)
    assert power.shown == [Colour(255, 255, 255)]
    ring.close()
    assert power.closed


def test_the_bus_is_told_its_speed_and_closed_where_it_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    device = tmp_path / "spidev0.1"
    device.touch()
    with pytest.raises(OSError, match="ioctl") as caught:
        open_ring(3, device=device)
    assert caught.value.errno == errno.ENOTTY, "a file is no bus"
    asked: list[Any] = []
    monkeypatch.setattr(apa102.fcntl, "ioctl", lambda *what: asked.append(what[1:]))
    ring = open_ring(3, device=device)
    ring.show(BLUE)
    ring.close()
    assert asked == [(0x40046B04, (4_000_000).to_bytes(4, "little"))]
    assert len(device.read_bytes()) == 3 * (4 + 3 * 4 + 5)
    with pytest.raises(OSError, match="No such file"):
        SpiDevice(tmp_path / "none")


class Gpio:
    """What gpiozero is to the lamp."""

    class GPIOZeroError(Exception):
        pass

    def __init__(self) -> None:
        self.leds: list[SimpleNamespace] = []

    def LED(self, gpio: int) -> SimpleNamespace:  # noqa: N802 - its name.
        if gpio > 27:
            raise self.GPIOZeroError("no such pin")
        self.leds.append(SimpleNamespace(gpio=gpio, value=None, closed=False))
        self.leds[-1].close = lambda: setattr(self.leds[-1], "closed", True)
        return self.leds[-1]


def test_a_gpio_line_is_high_for_any_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    chip = Gpio()
    monkeypatch.setitem(sys.modules, "gpiozero", chip)  # type: ignore[arg-type]
    lamp = open_lamp("gpio:17")
    assert isinstance(lamp, GpioLamp)
    lamp.show(BLUE)
    assert (chip.leds[0].gpio, chip.leds[0].value) == (17, True)
    lamp.show(OFF)
    assert chip.leds[0].value is False
    lamp.close()
    assert chip.leds[0].closed
    with pytest.raises(SettingsError, match=r"answer\.light wants GPIO 40, which cannot be used here: no such pin"):
        open_lamp("gpio:40")


def test_a_gpio_line_without_the_library_is_refused_with_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gpiozero", None)
    with pytest.raises(SettingsError, match="gpiozero is not installed; type"):
        open_lamp("gpio:17")


def test_a_bus_that_is_not_there_is_told() -> None:
    with pytest.raises(SettingsError, match=r"answer\.light is apa102:3, but it cannot be used here"):
        open_lamp("apa102:3")
