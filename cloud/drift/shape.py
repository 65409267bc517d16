"""The shape of an utterance's sound from its levels: the room's spectrum, the voice's, how fast and how dry. Pure.

The board's 80 bands are too many to watch one by one; five neighbours make one of 16. Quantised to steps of 9 dB a
frame says little, but the mean of some hundred says it to a tenth of a decibel.
"""

from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from protos.feature_spec import FeatureSpec, Levels
from protos.mel_filters import mel_filters

BANDS = 16
"""Of neighbouring mel bands each."""

QUIET_SHARE = 0.15
"""Of the frames, by loudness: the quietest are the room's."""
LOUD_SHARE = 0.5
"""Of those between the first and the last sound of speech: the loudest are the voice's."""
FRAMES_MIN = 20
"""A shorter utterance has no shape."""

SMOOTH_FRAMES = 5
RISE_DB = 4.0
"""Between two syllables the loudness falls and rises so much; less is the flutter of a noise."""
FALL_FRAMES = 6
FALL_SHARE = 0.1
"""Of the speech, the steepest falls: in a dry room a voice stops at once."""

Bands = tuple[float, ...]
"""dB of mel power at full scale 1, of BANDS bands from low to high."""
Floats = npt.NDArray[np.float32]


class Shape(NamedTuple):
    """Of one utterance."""

    noise_bands_db: Bands
    """Mean of the quietest frames."""
    speech_bands_db: Bands
    """Mean of the loudest."""
    band_spread_db: Bands
    """Their standard deviation."""
    syllables_per_s: float
    """Rises of the loudness a second of speech."""
    fall_db_per_s: float | None
    """How steeply the loudness falls where it falls most, positive: an echo makes it shallow."""


def shape_of(levels: Levels, spec: FeatureSpec, speech_ms: tuple[int, int] | None) -> Shape | None:
    """The shape of all frames of an utterance, (frames, bands); `speech_ms`: its first and last sound of speech. None
    where there are too few frames."""
    count = len(levels)
    if count < FRAMES_MIN:
        return None
    power = np.take(_powers(spec), levels)
    loudness = 10 * np.log10(power.sum(axis=1))
    first, last = _bounds(count, spec, speech_ms)
    db = levels.reshape(count, BANDS, -1).mean(axis=2, dtype=np.float32) * np.float32(10 * spec.step_log10)
    db += np.float32(10 * spec.floor_log10)
    quiet = db[np.argsort(loudness, kind="stable")[: round(QUIET_SHARE * count)]]
    louder = np.argsort(loudness[first:last], kind="stable")[-round(LOUD_SHARE * (last - first)) :]
    loud = db[first:last][louder]
    smooth = np.convolve(loudness, np.full(SMOOTH_FRAMES, 1 / SMOOTH_FRAMES), "same")
    return Shape(
        noise_bands_db=_rounded(quiet.mean(axis=0)),
        speech_bands_db=_rounded(loud.mean(axis=0)),
        band_spread_db=_rounded(loud.std(axis=0)),
        syllables_per_s=_syllables_per_s(smooth[first:last], spec.frame_ms),
        # The end of the last word is where an echo is heard best: the pause after it is looked at, too.
        fall_db_per_s=_fall_db_per_s(smooth[first:], spec.frame_ms),
    )


@cache
def bands_hz(spec: FeatureSpec) -> tuple[float, ...]:
    """The middle of each of BANDS bands."""
    bins_hz = np.arange(spec.window_samples // 2 + 1) * spec.sample_rate_hz / spec.window_samples
    filters = mel_filters(spec).reshape(len(bins_hz), BANDS, -1).sum(axis=2)
    return tuple(np.round(bins_hz @ filters / filters.sum(axis=0)).tolist())


@cache
def _powers(spec: FeatureSpec) -> Floats:
    powers: Floats = np.power(10.0, spec.floor_log10 + spec.step_log10 * np.arange(spec.levels)).astype(np.float32)
    return powers


def _bounds(count: int, spec: FeatureSpec, speech_ms: tuple[int, int] | None) -> tuple[int, int]:
    """First frame of speech and the one behind its last; all where nobody knows, or it is too short to have a shape."""
    if speech_ms is None:
        return 0, count
    first, last = (min(one // spec.frame_ms, count) for one in speech_ms)
    return (first, last) if last - first >= FRAMES_MIN else (0, count)


def _syllables_per_s(loudness: Floats, frame_ms: int) -> float:
    syllables, low, high, rising = 0, float(loudness[0]), float(loudness[0]), False
    for value in loudness.tolist():
        if rising:
            high = max(high, value)
            if value < high - RISE_DB:
                rising, low = False, value
        else:
            low = min(low, value)
            if value > low + RISE_DB:
                rising, high = True, value
                syllables += 1
    return round(syllables * 1000 / (len(loudness) * frame_ms), 3)


def _fall_db_per_s(loudness: Floats, frame_ms: int) -> float | None:
    if len(loudness) < FRAMES_MIN + FALL_FRAMES:
        return None
    falls = np.sort(loudness[:-FALL_FRAMES] - loudness[FALL_FRAMES:])
    steepest = falls[-max(1, round(FALL_SHARE * len(falls))) :]
    return round(float(steepest.mean()) * 1000 / (FALL_FRAMES * frame_ms), 1)


def _rounded(bands: Floats) -> Bands:
    return tuple(np.round(bands.astype(np.float64), 1).tolist())
