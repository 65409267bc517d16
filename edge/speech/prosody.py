"""Whether the voice fell before a pause: how its level and its pitch went in the last second of speech.

Pure. Whoever is done lets the voice sink, and whoever holds the floor keeps it up or raises it: falling pitch and
falling intensity are among the cues by which a turn is yielded (Gravano and Hirschberg 2011). Here the level tells most
and the pitch little, and speech that was dense until the pause tells as well: a halt soon after another is a
hesitation. The weights of the three were chosen on the recordings that `scripts/bench prosody --part dev` hears.
"""

from collections.abc import Sequence
from enum import Enum, auto
from itertools import combinations
from typing import NamedTuple

import numpy as np

from edge.sound.source import BLOCK_MS, Samples
from edge.speech.pitch import VOICED_LIKENESS, track

SPAN_BLOCKS = 50
"""Looks back over so much, 1 s."""
PITCH_BLOCKS = 20
"""And so far for the last vowel, 0.4 s."""
AFTER_BLOCKS = 2
"""The gate may miss the weak end of a voice."""

TOP_DBFS_MIN = -40.0
"""A voice whose loudest is below (a speaker at -48 dBFS) loses its ends in the room: nobody hears how it falls."""

VOICED_DB = 30.0
"""What is so far below the loudest of the span is its echo, or hum."""
VOICED_FRAMES_MIN = 4

TOP_BLOCKS = 4
END_FRAMES = 3
SLOPE_FRAMES = 8
SLOPE_MAX = 30.0
"""Semitones a second; what is steeper is an error of an octave or the creak of a voice that ends."""

SLOPE_WEIGHT_DB = 0.1
SHARE_WEIGHT_DB = 8.0
SHARE_USUAL = 0.6
FALLING_DB = 12.0
"""So much of them all is a falling voice."""
RISING_SLOPE = 12.0
"""What rises so fast is none, however it fades."""


class Voice(Enum):
    """Before a pause."""

    UNKNOWN = auto()
    """Whispered, very quiet, or drowned in noise."""
    FALLING = auto()
    """As of somebody who is done."""
    LEVEL = auto()
    """Level or rising."""


class Ending(NamedTuple):
    """How speech ended."""

    drop_db: float
    """Level of its last voiced 60 ms below the loudest 80 ms of the last second; positive if it faded."""
    slope: float
    """Of its pitch over its last voiced 160 ms, semitones a second; negative if it fell."""
    speech_share: float
    """Of the last second, 0 to 1."""


def voice(ending: Ending | None) -> Voice:
    """What such an ending means."""
    if ending is None:
        return Voice.UNKNOWN
    return Voice.FALLING if fall_db(ending) > FALLING_DB and ending.slope < RISING_SLOPE else Voice.LEVEL


def fall_db(ending: Ending) -> float:
    """How far it fell, by all three."""
    drop_db = ending.drop_db - SLOPE_WEIGHT_DB * ending.slope
    return drop_db + SHARE_WEIGHT_DB * (ending.speech_share - SHARE_USUAL)


def measure(blocks: Sequence[Samples], powers: Sequence[float], is_speech: Sequence[bool]) -> Ending | None:
    """The ending of speech of which these are the last blocks of 20 ms, AFTER_BLOCKS after its end among them.

    Powers are mean squares at full scale 1. SPAN_BLOCKS before the end are enough, fewer do; None where no voice is.
    """
    if len(blocks) < PITCH_BLOCKS + AFTER_BLOCKS:
        return None
    power = np.maximum(powers[-SPAN_BLOCKS - AFTER_BLOCKS :], 1e-12)
    top_db = float(10 * np.log10(np.sort(power)[-TOP_BLOCKS:]).mean())
    if top_db < TOP_DBFS_MIN:
        return None
    pitch, likeness = track(np.concatenate(blocks[-PITCH_BLOCKS - AFTER_BLOCKS :]))
    frame_db = 10 * np.log10(0.5 * (power[-len(pitch) - 1 : -1] + power[-len(pitch) :]))
    voiced = np.flatnonzero((likeness > VOICED_LIKENESS) & (frame_db > top_db - VOICED_DB))
    if len(voiced) < VOICED_FRAMES_MIN:
        return None
    last = voiced[voiced > voiced[-1] - SLOPE_FRAMES]
    spoken = is_speech[-SPAN_BLOCKS - AFTER_BLOCKS : -AFTER_BLOCKS]
    return Ending(
        drop_db=top_db - float(frame_db[voiced[-END_FRAMES:]].mean()),
        slope=_slope(pitch[last].tolist(), last.tolist()) if len(last) >= VOICED_FRAMES_MIN else 0.0,
        speech_share=sum(spoken) / SPAN_BLOCKS,
    )


def _slope(semitones: list[float], frames: list[int]) -> float:
    """Median of the slopes between all pairs (Theil 1950, Sen 1968): a wrong octave or two do not move it.

    So few numbers are quicker without numpy."""
    middle = sorted(semitones)[len(semitones) // 2]
    near = [(pitch - middle + 6) % 12 for pitch in semitones]
    pairs = combinations(zip(near, frames, strict=True), 2)
    slopes = sorted((later - earlier) / (end - start) for (earlier, start), (later, end) in pairs)
    return max(-SLOPE_MAX, min(SLOPE_MAX, slopes[len(slopes) // 2] * 1000 / BLOCK_MS))
