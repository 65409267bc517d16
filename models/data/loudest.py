"""The second of a longer clip in which something is said: what a model with a short window learns from and hears.

A board's utterance has its pre-roll before the words and its hang-over behind, so that its middle is beside the word.
"""

import numpy as np

from edge.sound.source import SAMPLE_RATE_HZ, Samples

STEP_MS = 20


def loudest(samples: Samples, window_ms: int) -> tuple[int, int] | None:
    """From and to in milliseconds, of the stretch of that length with the most power, in the middle of what is equally
    loud; None where the clip is no longer than that."""
    step = STEP_MS * SAMPLE_RATE_HZ // 1000
    blocks = np.square(samples[: len(samples) // step * step].astype(np.float64)).reshape(-1, step).sum(axis=1)
    count = window_ms // STEP_MS
    if len(blocks) <= count:
        return None
    # What is slow to move, as a hum or a door, is not what is said.
    power = np.convolve(np.sqrt(blocks), np.ones(count), "valid")
    best = np.flatnonzero(power >= power.max() * 0.999)
    start_ms = int(best[len(best) // 2]) * STEP_MS
    return start_ms, start_ms + window_ms
