"""Brings sound of any rate to 16 kHz, or to another, as a stream, by soxr.

Sound that is there already passes untouched, and soxr is not even loaded: a board need not pay for it.
"""

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from edge.sound.source import SAMPLE_RATE_HZ, Samples

if TYPE_CHECKING:
    import soxr

RATE_HZ_MIN = 1_000
RATE_HZ_MAX = 768_000

FULL_SCALE = np.float32(32_768)


class Resampler:
    """One stream of mono sound. From 44.1 or 48 kHz it holds back 40 ms; `flush` gives them at the end."""

    def __init__(self, rate_hz: int, to_hz: int = SAMPLE_RATE_HZ) -> None:
        """ValueError if `rate_hz` is outside RATE_HZ_MIN to RATE_HZ_MAX."""
        if not RATE_HZ_MIN <= rate_hz <= RATE_HZ_MAX:
            raise ValueError(f"{rate_hz} Hz is not a rate from {RATE_HZ_MIN} to {RATE_HZ_MAX} Hz")
        self._stream = None if rate_hz == to_hz else _stream(rate_hz, to_hz)

    def push(self, mono: npt.NDArray[np.float32] | Samples) -> Samples:
        """The next stretch, shape (samples,), full scale 1.0 or int16; gives what can be said of the other rate."""
        if self._stream is None:
            return pcm(mono)
        return pcm(self._stream.resample_chunk(_floats(mono)))

    def flush(self) -> Samples:
        """What was held back. Nothing may be pushed after it."""
        if self._stream is None:
            return np.empty(0, np.int16)
        return pcm(self._stream.resample_chunk(np.empty(0, np.float32), last=True))


def pcm(mono: npt.NDArray[np.float32] | Samples) -> Samples:
    """16-bit samples, rounded; what is beyond full scale is clipped. int16 passes as it is."""
    if mono.dtype == np.int16:
        return mono  # type: ignore[return-value]
    samples: Samples = np.clip(np.rint(mono * FULL_SCALE), -32_768, 32_767).astype(np.int16)
    return samples


def _floats(mono: npt.NDArray[np.float32] | Samples) -> npt.NDArray[np.float32]:
    floats = mono.astype(np.float32, copy=False)
    return floats / FULL_SCALE if mono.dtype == np.int16 else floats


def _stream(rate_hz: int, to_hz: int) -> "soxr.ResampleStream":
    import soxr  # Only here, see above.

    # Floats: for int16 soxr would add dither, and silence would no longer be silent. HQ holds back as much as MQ.
    return soxr.ResampleStream(rate_hz, to_hz, num_channels=1, dtype="float32", quality="HQ")
