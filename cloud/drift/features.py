"""What is watched of the facts of an utterance: a row of numbers, NaN where one was not measured. Pure."""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from cloud.drift.facts import Facts
from cloud.drift.shape import BANDS

Row = npt.NDArray[np.float64]
"""Of one utterance: FEATURES, then the noise's, the voice's and the spread's bands; shape (ROW,)."""

MIDDLE = slice(3, 9)
"""Bands from 350 Hz to 1.6 kHz: most of a voice, by any microphone."""
TOP = slice(12, 16)
"""From 3.4 kHz on."""
CLIPPED_LEAST = 1e-5
LOGIT_MAX = 6.0


class Feature(NamedTuple):
    """One of the numbers."""

    name: str
    what: str
    """For a sentence."""
    unit: str
    step: float
    """Of its own unit: nothing that is usual lies closer together, whatever few utterances say."""
    of: Callable[[Facts], float | None]


def _difference(bands: Sequence[float] | None, one: slice, other: slice) -> float | None:
    if bands is None or len(bands) != BANDS:
        return None
    return sum(bands[one]) / len(bands[one]) - sum(bands[other]) / len(bands[other])


def _log(value: float | None, least: float) -> float | None:
    return None if value is None else math.log10(max(value, least))


def _logit(share: float | None) -> float | None:
    if share is None:
        return None
    if not 0 < share < 1:
        return LOGIT_MAX if share >= 1 else -LOGIT_MAX
    return max(-LOGIT_MAX, min(LOGIT_MAX, math.log(share / (1 - share))))


def _share(value: bool | None) -> float | None:
    return None if value is None else float(value)


def _broken(facts: Facts) -> float | None:
    if facts.overruns is None and facts.gaps is None:
        return None
    return float(bool(facts.overruns) or bool(facts.gaps))


FEATURES = (
    Feature("level", "level", "dB", 1.0, lambda one: one.level_dbfs),
    Feature("noise_floor", "noise floor", "dB", 1.0, lambda one: one.noise_floor_dbfs),
    Feature("snr", "level over noise", "dB", 1.0, lambda one: one.snr_db),
    Feature("clipped", "clipping", "decades", 0.3, lambda one: _log(one.clipped_share, CLIPPED_LEAST)),
    Feature(
        "noise_tilt",
        "high over low noise",
        "dB",
        1.0,
        lambda one: _difference(one.noise_bands_db, TOP, slice(0, 4)),
    ),
    Feature(
        "noise_hump",
        "middle over other noise",
        "dB",
        1.0,
        lambda one: _difference(one.noise_bands_db, MIDDLE, slice(0, BANDS)),
    ),
    Feature(
        "voice_top", "high over middle voice", "dB", 1.0, lambda one: _difference(one.speech_bands_db, TOP, MIDDLE)
    ),
    Feature(
        "voice_low",
        "low over middle voice",
        "dB",
        1.0,
        lambda one: _difference(one.speech_bands_db, slice(0, 2), MIDDLE),
    ),
    Feature(
        "band_spread",
        "spread of the voice's bands",
        "dB",
        0.3,
        lambda one: None if not one.band_spread_db else sum(one.band_spread_db) / len(one.band_spread_db),
    ),
    Feature("fall", "fall of the sound", "dB/s", 5.0, lambda one: one.fall_db_per_s),
    Feature("syllables", "syllables", "a second", 0.2, lambda one: one.syllables_per_s),
    Feature("words", "words", "a second", 0.1, lambda one: one.words_per_s),
    Feature("speech", "length of speech", "decades", 0.03, lambda one: _log(one.speech_ms, 10)),
    Feature("speech_share", "share of speech", "", 0.03, lambda one: one.speech_share),
    Feature("silence_before", "silence before", "decades", 0.2, lambda one: _log(one.silence_before_s, 0.1)),
    Feature("pitch", "pitch", "octaves", 0.05, lambda one: _log2(one.pitch_hz)),
    Feature("confidence", "confidence", "logits", 0.1, lambda one: _logit(one.confidence)),
    Feature("margin", "lead over the next reading", "", 0.03, lambda one: one.margin),
    Feature("unknown_words", "unknown words", "", 0.1, lambda one: one.unknown_share),
    Feature("empty", "empty answers", "", 0.25, lambda one: _share(one.was_empty)),
    Feature(
        "understood",
        "understood answers",
        "",
        0.25,
        lambda one: None if one.was_empty is None else float(one.intent is not None),
    ),
    Feature(
        "asked_back",
        "questions back",
        "",
        0.25,
        lambda one: _share(None if one.choices_count is None else one.choices_count > 0),
    ),
    Feature(
        "found",
        "answers with results",
        "",
        0.25,
        lambda one: _share(None if one.results_count is None else one.results_count > 0),
    ),
    Feature(
        "cut",
        "endings that are no pause",
        "",
        0.25,
        lambda one: _share(None if one.end_reason is None else one.end_reason != "endpoint"),
    ),
    Feature("broken", "lost sound", "", 0.25, _broken),
)


def _log2(value: float | None) -> float | None:
    return None if value is None or value <= 0 else math.log2(value)


NAMES = tuple(feature.name for feature in FEATURES)
NOISE = slice(len(FEATURES), len(FEATURES) + BANDS)
VOICE = slice(NOISE.stop, NOISE.stop + BANDS)
SPREAD = slice(VOICE.stop, VOICE.stop + BANDS)
ROW = SPREAD.stop
PITCH = NAMES.index("pitch")
VOICE_NUMBERS = BANDS + 1
"""The bands of a voice, and its pitch."""


def row_of(facts: Facts) -> Row:
    """The row of an utterance."""
    row = np.full(ROW, np.nan)
    for number, feature in enumerate(FEATURES):
        value = feature.of(facts)
        if value is not None:
            row[number] = value
    for place, bands in (
        (NOISE, facts.noise_bands_db),
        (VOICE, facts.speech_bands_db),
        (SPREAD, facts.band_spread_db),
    ):
        if bands is not None and len(bands) == BANDS:
            row[place] = bands
    return row


def voices_of(rows: Row) -> Row:
    """The voice's bands without how loud it is, and its pitch in semitones, NaN where nobody knows it; of rows
    (..., ROW), (..., VOICE_NUMBERS)."""
    bands = rows[..., VOICE]
    shapes = bands - bands.mean(axis=-1, keepdims=True)
    return np.concatenate([shapes, 12 * rows[..., PITCH : PITCH + 1]], axis=-1)
