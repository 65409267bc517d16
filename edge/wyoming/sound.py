"""Sound of Wyoming clients: PCM of any rate, width and number of channels, made what the board hears."""

from typing import Annotated

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec import Meta
from wyoming.event import Event

from common.errors import InputError
from edge.sound.resampler import RATE_HZ_MAX, RATE_HZ_MIN, Resampler
from edge.sound.source import Samples

CHANNELS_MAX = 32


class SoundFormat(msgspec.Struct, frozen=True):
    """As in audio-start and audio-chunk."""

    rate: Annotated[int, Meta(ge=RATE_HZ_MIN, le=RATE_HZ_MAX)]
    """Hertz."""
    width: Annotated[int, Meta(ge=1, le=4)]
    """Bytes of a sample: signed, little-endian."""
    channels: Annotated[int, Meta(ge=1, le=CHANNELS_MAX)]


def format_of(event: Event) -> SoundFormat:
    """InputError, a sentence, if it is of no known kind."""
    try:
        return msgspec.convert(event.data, SoundFormat)
    except msgspec.ValidationError as error:
        raise InputError(
            f"{event.type} has no sound that can be read: rate {RATE_HZ_MIN} to {RATE_HZ_MAX}, width 1 to 4, "
            f"channels 1 to {CHANNELS_MAX}."
        ) from error


class Decoder:
    """One stretch of sound of one format; its pieces may end anywhere."""

    def __init__(self, kind: SoundFormat) -> None:
        self.kind = kind
        self._resampler = Resampler(kind.rate)
        self._begun = b""
        """The beginning of a sample of all channels."""

    def push(self, pcm: bytes) -> Samples:
        """At 16 kHz, mono: the mean of the channels."""
        sound = self._begun + pcm
        step = self.kind.width * self.kind.channels
        whole = len(sound) - len(sound) % step
        self._begun = sound[whole:]
        return self._resampler.push(_mono(sound[:whole], self.kind))

    def flush(self) -> Samples:
        """What was held back. Nothing may be pushed after it."""
        return self._resampler.flush()


def _mono(pcm: bytes, kind: SoundFormat) -> npt.NDArray[np.float32] | Samples:
    if kind.width == 2 and kind.channels == 1:
        return np.frombuffer(pcm, "<i2").astype(np.int16, copy=False)
    if kind.width == 3:
        # Behind a byte of zeros each is a sample of 32 bit.
        bytes_of = np.frombuffer(pcm, np.uint8).reshape(-1, 3)
        wide = np.pad(bytes_of, ((0, 0), (1, 0))).view("<i4")[:, 0]
    else:
        wide = np.frombuffer(pcm, f"<i{kind.width}")
    full_scale = np.float32(2.0 ** (8 * (4 if kind.width == 3 else kind.width) - 1))
    mono: npt.NDArray[np.float32] = wide.reshape(-1, kind.channels).mean(axis=1, dtype=np.float32) / full_scale
    return mono
