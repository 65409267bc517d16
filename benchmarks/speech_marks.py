"""Where speech starts and ends in a clean clip: by its level every 5 ms, around what a detector hears.

The detector knows a voice from a click but only every 32 ms, and late; the level knows to 5 ms, but takes breath and
chairs for speech. So the level's runs are followed outwards from what the detector is sure of.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from benchmarks.corpus import RATE_HZ, Sound

Booleans = npt.NDArray[np.bool_]

HOP_SAMPLES = RATE_HZ // 200
HOPS_PER_S = 200
WINDOW_SAMPLES = 2 * HOP_SAMPLES

ABOVE_FLOOR_DB = 9.0
BELOW_PEAK_DB = 38.0
RANGE_DB_MIN = 20.0
"""A clip with less between its pauses and its voice is no clean one."""

CLICK_HOPS = 5
BEFORE_GAP_HOPS, BEFORE_HOPS_MAX = 12, 60
"""Looks back over 60 ms of quiet, 0.3 s in all: the hiss before a vowel."""
AFTER_GAP_HOPS, AFTER_HOPS_MAX = 30, 80
"""Looks on over 150 ms: a closed stop, and its burst."""


class Marks(NamedTuple):
    """In samples of the clip."""

    start: int
    end: int
    """One after the last sample of speech."""
    longest_pause: int


def find(sound: Sound, hears_speech: Callable[[Sound], Booleans] | None = None) -> Marks | None:
    """Marks of one stretch of speech; None where level and detector find none, or the clip is not clean.

    `hears_speech` tells each hop of a sound; without it the level alone decides.
    """
    loud = loud_hops(sound)
    if loud is None:
        return None
    sure = loud & hears_speech(sound)[: len(loud)] if hears_speech else loud
    if not sure.any():
        return None
    first, last = (int(hop) for hop in np.flatnonzero(sure)[[0, -1]])
    start = first - _reach(loud[max(0, first - BEFORE_HOPS_MAX) : first][::-1], BEFORE_GAP_HOPS)
    end = last + 1 + _reach(loud[last + 1 : last + 1 + AFTER_HOPS_MAX], AFTER_GAP_HOPS)
    pauses = np.diff(np.flatnonzero(loud[start:end])) - 1
    return Marks(start * HOP_SAMPLES, end * HOP_SAMPLES, int(pauses.max(initial=0)) * HOP_SAMPLES)


def loud_hops(sound: Sound) -> Booleans | None:
    """Whether something sounds, every 5 ms; None if the clip is not clean."""
    level_db = levels_db(sound)
    if len(level_db) < HOPS_PER_S // 4:
        return None
    floor_db, peak_db = np.percentile(level_db, [10, 97])
    if peak_db - floor_db < RANGE_DB_MIN:
        return None
    return without_clicks(level_db > max(floor_db + ABOVE_FLOOR_DB, peak_db - BELOW_PEAK_DB))


def levels_db(sound: Sound) -> npt.NDArray[np.float64]:
    """Level every 5 ms, without what lies below a voice: hum and rumble are no speech."""
    spectrum = np.fft.rfft(sound.astype(np.float64))
    hz = np.fft.rfftfreq(len(sound), 1 / RATE_HZ)
    # No sharp edge: its ringing would make a click as long as a syllable.
    high = np.fft.irfft(spectrum / (1 + (100 / np.maximum(hz, 1)) ** 4), len(sound))
    squares = np.concatenate([[0.0], np.cumsum(high**2)])
    starts = np.arange(0, max(0, len(sound) - WINDOW_SAMPLES + 1), HOP_SAMPLES)
    levels: npt.NDArray[np.float64] = 10 * np.log10(
        np.maximum((squares[starts + WINDOW_SAMPLES] - squares[starts]) / WINDOW_SAMPLES, 1e-12)
    )
    return levels


def without_clicks(loud: Booleans) -> Booleans:
    """Runs of 25 ms and longer."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], loud, [False]])))
    kept = np.zeros_like(loud)
    for start, end in edges.reshape(-1, 2):
        kept[start:end] = end - start >= CLICK_HOPS
    return kept


def _reach(loud: Booleans, gap_hops: int) -> int:
    """How far sound goes on, quiet stretches of up to so many hops included."""
    reached = 0
    for hop in np.flatnonzero(loud):
        if hop - reached > gap_hops:
            break
        reached = int(hop) + 1
    return reached
