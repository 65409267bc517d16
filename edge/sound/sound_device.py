"""Sound devices as the rest of the board sees them, apart from the library that opens them."""

import logging
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from common.errors import MicrophoneError
from edge.sound.sound_holders import Holder, holder_of
from edge.sound.source import SAMPLE_RATE_HZ

CHANNELS_MAX = 8
"""Of arrays of microphones. "default" and its like offer dozens, and make them out of two."""

OnSound = Callable[[bytes, bool], None]
"""Gets PCM (int16, little-endian, channels interleaved) and whether sound was lost before it."""

log = logging.getLogger(__name__)


class DeviceAbsentError(MicrophoneError):
    """Raised when a device cannot be had now, and perhaps can later."""


class DeviceInfo(NamedTuple):
    """A device that sound can come from."""

    number: int
    """May be another one after something was plugged in; the name stays."""
    name: str
    channels: int
    rate_hz: int
    """Its own default."""
    is_default: bool
    rates_hz: tuple[int, ...] = ()
    """Which of the usual rates it can be opened at; asked for only by `list_devices`."""


class Stream(Protocol):
    """An opened device."""

    def is_alive(self) -> bool:
        """False once it will deliver no more."""

    def close(self) -> None:
        """Nothing is delivered after it."""


class Backend(Protocol):
    """One look at the sound system: what is plugged in later is only seen by a new one."""

    def devices(self) -> Sequence[DeviceInfo]: ...

    def open(self, device: DeviceInfo, rate_hz: int, channels: int, on_sound: OnSound) -> Stream:
        """Starts recording. `on_sound` is called from another thread and must return at once. OSError if the device
        cannot be opened like this."""

    def close(self) -> None:
        """After all its streams."""


class Line(NamedTuple):
    """A device that is open."""

    device: DeviceInfo
    rate_hz: int
    channels: int
    stream: Stream
    backend: Backend

    def close(self) -> None:
        """Closes the backend, too."""
        try:
            self.stream.close()
        except OSError as error:
            log.debug("%s: %s", self.device.name, error)
        finally:
            self.backend.close()


def open_line(
    backend: Backend, wanted: str, on_sound: OnSound, holder_of: Callable[[str], Holder | None] = holder_of
) -> Line:
    """The wanted device, open at 16 kHz in mono where it can do that, else at its own rate or with all its channels.

    DeviceAbsentError if there is no such device, or it cannot be opened; it names the program that holds it.
    """
    try:
        device = choose(backend.devices(), wanted)
    except DeviceAbsentError as error:
        # PortAudio does not list what another program holds.
        if (holder := holder_of("")) is None:
            raise
        raise DeviceAbsentError(f"{error} What another program holds is not listed: {holder.sentence()}") from error
    all_channels = device.channels if device.channels <= CHANNELS_MAX else 2
    fault = OSError("no way to open it")
    for rate_hz in dict.fromkeys((SAMPLE_RATE_HZ, device.rate_hz)):
        for channels in dict.fromkeys((1, all_channels)):
            try:
                return Line(device, rate_hz, channels, backend.open(device, rate_hz, channels, on_sound), backend)
            except OSError as error:
                fault = error
    holder = holder_of(device.name)
    cure = holder.sentence() if holder else "Is another program using it?"
    raise DeviceAbsentError(f"{device.name}: cannot be opened: {fault.strerror or fault}. {cure}") from fault


def choose(devices: Sequence[DeviceInfo], wanted: str) -> DeviceInfo:
    """The device with this number, this name or this part of a name, whatever its case; "" is the default.

    DeviceAbsentError, naming what there is, if there is none or more than one.
    """
    if not devices:
        raise DeviceAbsentError("There is no microphone; plug one in.")
    if wanted == "":
        fitting = [device for device in devices if device.is_default]
    elif wanted.isdecimal():
        fitting = [device for device in devices if device.number == int(wanted)]
    else:
        names = [device.name.casefold() for device in devices]
        key = wanted.casefold()
        fitting = [device for device, name in zip(devices, names, strict=True) if name == key]
        fitting = fitting or [device for device, name in zip(devices, names, strict=True) if key in name]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise DeviceAbsentError(f'More than one microphone is called "{wanted}": {_listed(fitting)}; say more of it.')
    missing = f'No microphone is called "{wanted}"' if wanted else "There is no default microphone"
    raise DeviceAbsentError(f"{missing}; there are: {_listed(devices)}.")


def _listed(devices: Sequence[DeviceInfo]) -> str:
    return ", ".join(f'{device.number} "{device.name}"' for device in devices)
