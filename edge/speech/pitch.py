"""How high voices are: the pitch of frames, and of an utterance.

Pure. The pitch is the highest peak of a frame's autocorrelation, divided by that of its window (Boersma 1993), at
4 kHz. The board measures it, for log-mel bands do not resolve it. Of a frame without a voice it means nothing; how
alike two periods are tells which these are.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from edge.sound.source import BLOCK_SAMPLES, SAMPLE_RATE_HZ, Samples

Floats = npt.NDArray[np.float32]

DECIMATION = 4
RATE_HZ = SAMPLE_RATE_HZ // DECIMATION
HOP = BLOCK_SAMPLES // DECIMATION
FRAME = 2 * HOP
"""40 ms hold the three periods of a low voice that a peak needs."""
PITCH_HZ = (70, 400)
LAGS = np.arange(RATE_HZ // PITCH_HZ[1], RATE_HZ // PITCH_HZ[0] + 1)
OCTAVE_COST = 0.06
"""Two periods are as alike as one; the shorter lag is preferred by so much an octave."""

VOICED_LIKENESS = 0.6
"""Of a frame with itself one period later: 1 is a buzz; whispers and noises are below."""

EACH = 2
"""Of an utterance, every second block of speech begins a frame: a voice glides."""
TOGETHER = 32
"""Frames that are measured at once: one by one, each costs ten times as much."""
VOICED_MIN = 3
"""Fewer are no voice."""
LOW_HIGH_PERCENT = (10, 90)


class Pitch(NamedTuple):
    """Of the voiced frames of an utterance, Hz."""

    median_hz: float
    low_hz: float
    """A tenth of them are lower."""
    high_hz: float
    """A tenth of them are higher."""


class PitchMeter:
    """Listens to one utterance."""

    def __init__(self) -> None:
        self._before: Samples | None = None
        """The block before, where a frame may begin with it."""
        self._count = 0
        self._waiting: list[Samples] = []
        self._semitones: list[Floats] = []

    def push(self, samples: Samples, is_speech: bool) -> None:
        """Takes a block of 20 ms and the gate's judgement."""
        if not is_speech:
            self._before = None
            return
        if self._before is not None:
            self._count += 1
            if self._count % EACH == 1:
                self._waiting += (self._before, samples)
                if len(self._waiting) == 2 * TOGETHER:
                    self._measure()
        self._before = samples

    def pitch(self) -> Pitch | None:
        """Up to now; None where no voice was, as of a whisper."""
        if self._waiting:
            self._measure()
        heard = np.concatenate(self._semitones) if self._semitones else np.zeros(0, np.float32)
        if len(heard) < VOICED_MIN:
            return None
        low, median, high = np.percentile(heard, (LOW_HIGH_PERCENT[0], 50, LOW_HIGH_PERCENT[1])).tolist()
        return Pitch(hz_of(median), hz_of(low), hz_of(high))

    def _measure(self) -> None:
        pitch, likeness = of_frames(decimated(np.concatenate(self._waiting)).reshape(-1, FRAME))
        self._semitones.append(pitch[likeness > VOICED_LIKENESS])
        self._waiting.clear()


def track(samples: Samples) -> tuple[Floats, Floats]:
    """As `of_frames`, of frames of 40 ms every 20 ms: one fewer than there are whole blocks."""
    sound = decimated(samples)
    count = (len(sound) - FRAME) // HOP + 1
    return of_frames(np.ndarray((count, FRAME), np.float32, sound, strides=(HOP * sound.itemsize, sound.itemsize)))


def decimated(samples: Samples) -> Floats:
    """At RATE_HZ."""
    # A mean over four samples is filter enough; as a product it is much cheaper than `mean`.
    sound: Floats = samples.reshape(-1, DECIMATION).astype(np.float32) @ _MEAN
    return sound


def of_frames(frames: Floats) -> tuple[Floats, Floats]:
    """Of (frames, FRAME) samples at RATE_HZ the pitch in semitones over 100 Hz, and how alike two periods of it are (1:
    just alike). Where they are hardly alike, the pitch means nothing; that of a high voice may be an octave too low."""
    spectrum = np.fft.rfft((frames - frames.mean(axis=1, keepdims=True)) * _WINDOW, _TRANSFORM)
    likeness = np.fft.irfft(np.square(spectrum.real) + np.square(spectrum.imag), _TRANSFORM)[:, : LAGS[-1] + 2]
    likeness = (likeness / ((likeness[:, :1] + 1e-3) * _WINDOW_LIKENESS)).astype(np.float32)
    lag = LAGS[0] + (likeness[:, LAGS[0] : -1] - _COST).argmax(axis=1)
    rows = np.arange(len(frames))
    before, peak, after = (likeness[rows, lag + step] for step in (-1, 0, 1))
    # The top of the parabola through three lags; at the edge of the range there may be none.
    curve = np.minimum(before - 2 * peak + after, np.float32(-1e-6))
    shift = np.clip(0.5 * (before - after) / curve, -0.5, 0.5)
    return (12 * np.log2(RATE_HZ / 100 / (lag + shift))).astype(np.float32), peak


def hz_of(semitones: float) -> float:
    """Of semitones over 100 Hz."""
    return float(100 * 2 ** (semitones / 12))


_MEAN = np.full(DECIMATION, 1 / DECIMATION, np.float32)
_WINDOW = np.hanning(FRAME + 2)[1:-1].astype(np.float32)
_TRANSFORM = 256
"""A frame and the longest lag: no lag wraps round."""
_WINDOW_LIKENESS = np.fft.irfft(np.abs(np.fft.rfft(_WINDOW, _TRANSFORM)) ** 2)[: LAGS[-1] + 2].astype(np.float32)
_WINDOW_LIKENESS /= _WINDOW_LIKENESS[0]
_COST = (OCTAVE_COST * np.log2(LAGS / LAGS[0])).astype(np.float32)
