"""Turns PCM into log-mel frames, as a stream or at once; both give the same bits.

Frame t covers samples [hop * t, hop * t + window) without padding. A frame's value never depends on how the
sound was cut into pieces: the transform and the mel product run row by row (a matrix product over several rows
may sum in another order, and would move a level now and then).
"""

import math
from functools import cache

import numpy as np
import numpy.typing as npt

from edge.sound.source import Samples
from protos import feature_spec
from protos.feature_spec import FeatureSpec
from protos.mel_filters import mel_filters

POWER_MIN = np.float32(1e-10)
"""Smallest mel power; digital silence is -10."""

LOG10_OF_2 = np.float32(math.log10(2))

FULL_SCALE = 32768.0

_PIECE_SAMPLES = 16_000
"""Batch works a second at a time, so that an hour of sound takes no more memory than its frames."""


class LogMel:
    """A stream of sound in, frames out.

    numpy's Fourier transform and not one real matrix product: half the CPU at 100 ms a push, a third over a file.
    """

    def __init__(self, spec: FeatureSpec) -> None:
        self._window_samples = spec.window_samples
        self._hop_samples = spec.hop_samples
        self._bands = spec.bands
        self._window, self._filters = _tables(spec)
        self._pending = np.zeros(0, np.float32)

    def push(self, samples: Samples) -> feature_spec.LogMel:
        """The frames that these samples complete, (frames, bands); perhaps none."""
        sound = np.concatenate([self._pending, samples], dtype=np.float32)
        count = max(0, (len(sound) - self._window_samples) // self._hop_samples + 1)
        self._pending = sound[count * self._hop_samples :]
        if not count:
            return np.zeros((0, self._bands), np.float32)
        windows = np.ndarray(
            (count, self._window_samples),
            np.float32,
            sound,
            strides=(self._hop_samples * sound.itemsize, sound.itemsize),
        )
        # numpy 1 transforms in float64 whatever it is given.
        spectrum = np.fft.rfft(windows * self._window).astype(np.complex64, copy=False)
        power = np.square(spectrum.real) + np.square(spectrum.imag)
        mel = (power[:, np.newaxis] @ self._filters)[:, 0]
        # log10 proper takes twice the instructions on a board.
        log_mel: feature_spec.LogMel = np.log2(np.maximum(mel, POWER_MIN)) * LOG10_OF_2
        return log_mel


def log_mel(samples: Samples, spec: FeatureSpec) -> feature_spec.LogMel:
    """All frames of a stretch of sound, (frames, bands)."""
    stream = LogMel(spec)
    pieces = [stream.push(samples[start : start + _PIECE_SAMPLES]) for start in range(0, len(samples), _PIECE_SAMPLES)]
    return np.concatenate([np.zeros((0, spec.bands), np.float32), *pieces])


@cache
def _tables(spec: FeatureSpec) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Periodic Hann window with full scale folded in, and the filters; shared by all streams, never written."""
    phase = 2 * np.pi * np.arange(spec.window_samples) / spec.window_samples
    window = ((0.5 - 0.5 * np.cos(phase)) / FULL_SCALE).astype(np.float32)
    # A band's weights lie side by side: a third fewer instructions than the other way round.
    return window, mel_filters(spec).astype(np.float32, order="F")
