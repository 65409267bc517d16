"""Loudness as broadcasters measure it (ITU-R BS.1770), by pyloudnorm."""

from math import isfinite

import numpy as np

from edge.sound.source import SAMPLE_RATE_HZ, Samples

BLOCK_S = 0.4
SHORTEST_S = 0.1
"""Of less there is no loudness."""


def lufs(samples: Samples) -> float | None:
    """Integrated loudness; None of silence and of what is too short. A clip shorter than 0.4 s is one block."""
    import pyloudnorm  # It takes a second to load.

    seconds = len(samples) / SAMPLE_RATE_HZ
    if seconds < SHORTEST_S:
        return None
    meter = pyloudnorm.Meter(SAMPLE_RATE_HZ, block_size=min(BLOCK_S, seconds))
    loudness = float(meter.integrated_loudness(samples.astype(np.float64) / 32768))
    return loudness if isfinite(loudness) else None
