"""How loud, how clean, how whole: facts of the signal, as UtteranceEnd of protos/speech.proto has them.

Powers are mean squares at full scale 1 without the offset, so that a cheap sound card's direct current is not taken
for sound. What cannot be known is None; digital silence is -120 dBFS.
"""

import math
from collections import deque
from typing import NamedTuple

import numpy as np

from edge.sound.source import BLOCK_SAMPLES, Samples

DBFS_MIN = -120.0
SNR_DB_MIN, SNR_DB_MAX = -20.0, 120.0

NOISE_BLOCKS_MAX = 250
"""The noise floor looks back over so many blocks without speech, 5 s."""

NOISE_BLOCKS_MIN = 5
"""Fewer are no estimate."""

NOISE_PERCENTILE = 25
"""Low, because weak ends of words pass for silence."""

_FULL_SCALE = 32768.0
_ONES = np.ones(BLOCK_SAMPLES)


class Signal(NamedTuple):
    """Facts of one utterance; units and ranges as in UtteranceEnd."""

    level_dbfs: float | None
    peak_dbfs: float | None
    noise_floor_dbfs: float | None
    snr_db: float | None
    clipped_share: float | None


class NoiseFloor:
    """Power of what is not speech, of late."""

    def __init__(self) -> None:
        self._powers: deque[float] = deque(maxlen=NOISE_BLOCKS_MAX)

    def push(self, power: float) -> None:
        """Takes the power of a block without speech."""
        self._powers.append(power)

    @property
    def power(self) -> float | None:
        """None while too little has been heard."""
        if len(self._powers) < NOISE_BLOCKS_MIN:
            return None
        return float(np.percentile(self._powers, NOISE_PERCENTILE))


class SignalMeter:
    """Sums up the blocks of one utterance."""

    def __init__(self) -> None:
        self._samples = 0
        self._clipped = 0
        self._peak = 0
        self._speech_power = 0.0
        self._speech_blocks = 0

    def push(self, samples: Samples, power: float, is_speech: bool) -> None:
        """Takes a block, its `power_of`, and the gate's judgement."""
        self._samples += len(samples)
        # -32768 has no positive counterpart in int16; one step below full scale counts as full scale.
        largest = max(int(np.maximum.reduce(samples)), -int(np.minimum.reduce(samples)))
        self._peak = max(self._peak, largest)
        if largest >= _FULL_SCALE - 1:
            self._clipped += int(np.count_nonzero((samples == 32767) | (samples <= -32767)))
        if is_speech:
            self._speech_power += power
            self._speech_blocks += 1

    def measure(self, noise_power: float | None) -> Signal:
        """The facts so far, over a noise floor that is None where nobody knows it."""
        level = self._speech_power / self._speech_blocks if self._speech_blocks else None
        level_dbfs = None if level is None else to_dbfs(level)
        noise_floor_dbfs = None if noise_power is None else to_dbfs(noise_power)
        return Signal(
            level_dbfs=level_dbfs,
            peak_dbfs=to_dbfs((self._peak / _FULL_SCALE) ** 2) if self._samples else None,
            noise_floor_dbfs=noise_floor_dbfs,
            snr_db=_snr_db(level_dbfs, noise_floor_dbfs),
            clipped_share=self._clipped / self._samples if self._samples else None,
        )


def power_of(samples: Samples) -> float:
    """Mean square at full scale 1, without the offset. At least one sample."""
    # Sums over a block are whole numbers, exact in float64; in float32 the difference of two large squares would drown
    # a quiet sound. A product with ones is the cheapest sum: this is asked twice of every block.
    sound = samples.astype(np.float64)
    count = len(sound)
    total = float(sound.dot(_ONES if count == BLOCK_SAMPLES else np.ones(count)))
    return (float(sound.dot(sound)) - total * total / count) / (count * _FULL_SCALE**2)


def to_dbfs(power: float) -> float:
    """A power on the scale on which a full-scale square wave is 0, from -120 to 0."""
    return max(DBFS_MIN, min(0.0, 10 * math.log10(power))) if power > 0 else DBFS_MIN


def dbfs(samples: Samples) -> float:
    """Level of a stretch of sound, -120 to 0."""
    return to_dbfs(power_of(samples)) if len(samples) else DBFS_MIN


def _snr_db(level_dbfs: float | None, noise_floor_dbfs: float | None) -> float | None:
    if level_dbfs is None or noise_floor_dbfs is None:
        return None
    return max(SNR_DB_MIN, min(SNR_DB_MAX, level_dbfs - noise_floor_dbfs))
