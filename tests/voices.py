"""Voices for tests: sums of harmonics whose pitch and level move at the end."""

import numpy as np

from edge.sound.source import SAMPLE_RATE_HZ, Samples

MOVES_S = 0.6
"""Pitch and level keep still until so long before the end."""


def sung(
    first_hz: float, last_hz: float, *, fade_db: float = 0.0, seconds: float = 1.0, amplitude: float = 3000.0
) -> Samples:
    """A vowel that goes evenly (in semitones and in dB) to its last pitch and level."""
    time_s = np.arange(round(seconds * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    moved = np.clip((time_s - seconds + MOVES_S) / MOVES_S, 0, 1)
    hz = first_hz * (last_hz / first_hz) ** moved
    phase = 2 * np.pi * np.cumsum(hz) / SAMPLE_RATE_HZ
    tones = sum(np.sin(harmonic * phase + harmonic) / harmonic for harmonic in range(1, 12))
    return np.rint(amplitude * tones * 10 ** (-fade_db * moved / 20)).astype(np.int16)
