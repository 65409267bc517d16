"""Sound devices by PortAudio, which PyAudio brings; callback mode."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from common.errors import MicrophoneError
from common.quiet_stderr import quiet_stderr
from edge.sound.sound_device import DeviceAbsentError, DeviceInfo

if TYPE_CHECKING:
    import pyaudio

# A callback costs the same however much it brings. On one x86-64 core with PulseAudio, listening costs 2.2 % with 20 ms
# periods, 1.0 % with 40, 0.9 % with 50, 0.6 % with 60; blocks come 12 ms late (mean) with 40, 21 with 50, 61 with 60.
PERIOD_MS = 40
RATES_HZ = (16_000, 44_100, 48_000)
"""What `list_devices` asks for."""


class PortAudio:
    """The sound system as it is now; see Backend. MicrophoneError if PyAudio is not installed."""

    def __init__(self) -> None:
        try:
            import pyaudio  # Only here: everything else works without.
        except ImportError as error:
            raise MicrophoneError(
                f"PyAudio cannot be loaded ({error}); type scripts/setup --edge, or apt install python3-pyaudio."
            ) from error
        self._constants = pyaudio
        try:
            with quiet_stderr():
                self._pyaudio = pyaudio.PyAudio()
        except OSError as error:
            raise DeviceAbsentError(f"The sound system cannot be used: {error}.") from error

    def devices(self) -> list[DeviceInfo]:
        try:
            default = int(self._pyaudio.get_default_input_device_info()["index"])
        except OSError:
            default = -1
        found = [self._pyaudio.get_device_info_by_index(number) for number in range(self._pyaudio.get_device_count())]
        return [
            DeviceInfo(
                number=int(info["index"]),
                # PyAudio leaves names as bytes that it cannot read.
                name=info["name"] if isinstance(info["name"], str) else info["name"].decode(errors="replace"),
                channels=int(info["maxInputChannels"]),
                rate_hz=int(info["defaultSampleRate"]),
                is_default=int(info["index"]) == default,
            )
            for info in found
            if info["maxInputChannels"]
        ]

    def supports(self, device: DeviceInfo, rate_hz: int) -> bool:
        try:
            with quiet_stderr():
                self._pyaudio.is_format_supported(
                    rate_hz, input_device=device.number, input_channels=1, input_format=self._constants.paInt16
                )
        except ValueError:
            return False
        return True

    def open(
        self, device: DeviceInfo, rate_hz: int, channels: int, on_sound: Callable[[bytes, bool], None]
    ) -> "PortAudioStream":
        carry_on = self._constants.paContinue
        overflow = self._constants.paInputOverflow

        def callback(pcm: bytes, frames: int, times: Mapping[str, float], flags: int) -> tuple[None, int]:
            on_sound(pcm, bool(flags & overflow))
            return None, carry_on

        with quiet_stderr():
            stream = self._pyaudio.open(
                format=self._constants.paInt16,
                channels=channels,
                rate=rate_hz,
                input=True,
                input_device_index=device.number,
                frames_per_buffer=rate_hz * PERIOD_MS // 1000,
                stream_callback=callback,
            )
        return PortAudioStream(stream)

    def close(self) -> None:
        self._pyaudio.terminate()


class PortAudioStream:
    """See Stream."""

    def __init__(self, stream: "pyaudio.Stream") -> None:
        self._stream = stream

    def is_alive(self) -> bool:
        try:
            return bool(self._stream.is_active())
        except OSError:
            return False

    def close(self) -> None:
        self._stream.close()


def list_devices() -> tuple[DeviceInfo, ...]:
    """All devices that sound can come from. MicrophoneError if there is no way to know."""
    backend = PortAudio()
    try:
        return tuple(
            device._replace(rates_hz=tuple(rate_hz for rate_hz in RATES_HZ if backend.supports(device, rate_hz)))
            for device in backend.devices()
        )
    finally:
        backend.close()
