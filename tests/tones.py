"""The model of tests/models/tones, and frames that it knows."""

from pathlib import Path

import numpy as np

from protos.feature_spec import DEFAULT_SPEC, Levels

MODELS = Path(__file__).with_name("models")
TONES = MODELS / "tones"
WINDOW_FRAMES = 98

SILENCE, UNKNOWN, YES, NO = (0, 0, 0), (2, 5, 2), (2, 2, 5), (5, 2, 2)
"""Levels low, in the middle and high."""


def heard(*stretches: tuple[tuple[int, int, int], int]) -> Levels:
    """Frames, (frames, bands): so many of each kind, one after the other."""
    parts = []
    for (low, middle, high), frames in stretches:
        row = np.concatenate([np.full(27, low), np.full(26, middle), np.full(DEFAULT_SPEC.bands - 53, high)])
        parts.append(np.tile(row.astype(np.int8), (frames, 1)))
    return np.concatenate(parts)
