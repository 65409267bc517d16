"""The lights of common microphone HATs: APA102 on SPI, 3 on a ReSpeaker 2-Mic HAT, 12 around a 4-Mic array.

A light takes a byte of brightness (five bits of it) and three of colour, and passes on what follows; after the last one
the clock must go on for half a bit each. See https://cpldcpu.com/2014/11/30/understanding-the-apa102-superled/
"""

import fcntl
import os
from pathlib import Path
from typing import Protocol

from edge.answering.lamp import OFF, Colour, Lamp

DEVICE = Path("/dev/spidev0.1")
"""The bus that both HATs use. The lights have no line that selects them, so either of its devices does."""

SPEED_HZ = 4_000_000

BRIGHTNESS = 6
"""Of 31: they are made for daylight, and stand beside beds."""

# _IOW('k', 4, __u32) of linux/spi/spidev.h: the kernel's own default is what the board's maker wrote, up to 125 MHz.
_SPI_IOC_WR_MAX_SPEED_HZ = 0x40046B04


class Spi(Protocol):
    """Sends bytes to whatever is on the bus."""

    def send(self, data: bytes) -> None:
        """OSError if that is not possible."""

    def close(self) -> None: ...


class SpiDevice:
    """The kernel's. OSError if it is not there, or not for this user."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        try:
            fcntl.ioctl(self._descriptor, _SPI_IOC_WR_MAX_SPEED_HZ, SPEED_HZ.to_bytes(4, "little"))
        except OSError:
            os.close(self._descriptor)
            raise

    def send(self, data: bytes) -> None:
        os.write(self._descriptor, data)

    def close(self) -> None:
        os.close(self._descriptor)


class Ring:
    """A Lamp: all lights show the same."""

    def __init__(self, count: int, spi: Spi, power: Lamp | None = None) -> None:
        """`power`: what must be lit for the lights to have any."""
        self._count = count
        self._spi = spi
        self._power = power
        if power is not None:
            power.show(Colour(255, 255, 255))
        # What a board shows that was switched off in the midst of something.
        self.show(OFF)

    def show(self, colour: Colour) -> None:
        one = bytes((0b1110_0000 | BRIGHTNESS, colour.blue, colour.green, colour.red))
        # Zeros after the last, for ones would light a light more than there are. Four bytes of them make later kinds of
        # the chip (SK9822) show it now, not with what comes next.
        self._spi.send(bytes(4) + one * self._count + bytes(4 + (self._count + 15) // 16))

    def close(self) -> None:
        self.show(OFF)
        self._spi.close()
        if self._power is not None:
            self._power.close()


def open_ring(count: int, power_gpio: int | None = None, device: Path = DEVICE) -> Ring:
    """OSError or SettingsError if it cannot be had. `power_gpio`: a line that powers it, 5 on a 4-Mic array."""
    power: Lamp | None = None
    if power_gpio is not None:
        from edge.answering.gpio_lamp import GpioLamp

        power = GpioLamp(power_gpio)
    return Ring(count, SpiDevice(device), power)
