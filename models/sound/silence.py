"""Where in a clip somebody speaks, by the gate that the board has."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from edge.sound.source import BLOCK_MS, BLOCK_SAMPLES, Samples
from edge.speech.vad import Gate

LEAD_BLOCKS = 75
"""The gate needs some room to know what silence is: the quietest stretch of the clip is played to it before."""

QUIET_BLOCKS = 10
"""Length of that stretch; a shorter clip is its own."""


class Speech(NamedTuple):
    """Blocks of 20 ms, and whether each is speech."""

    blocks: npt.NDArray[np.int16]
    """Whole ones, shape (blocks, BLOCK_SAMPLES)."""
    is_speech: npt.NDArray[np.bool_]

    @property
    def speech_ms(self) -> int:
        return int(self.is_speech.sum()) * BLOCK_MS

    @property
    def before_ms(self) -> int | None:
        """Silence before the first speech; None where nobody speaks."""
        return int(self.is_speech.argmax()) * BLOCK_MS if self.is_speech.any() else None

    @property
    def after_ms(self) -> int | None:
        return int(self.is_speech[::-1].argmax()) * BLOCK_MS if self.is_speech.any() else None


def find_speech(samples: Samples, gate: Gate) -> Speech:
    """What the gate says of each block of a clip."""
    blocks = samples[: len(samples) // BLOCK_SAMPLES * BLOCK_SAMPLES].reshape(-1, BLOCK_SAMPLES)
    gate.reset()
    for block in _lead(blocks):
        gate.is_speech(block)
    return Speech(blocks, np.array([gate.is_speech(block) for block in blocks], np.bool_))


def _lead(blocks: npt.NDArray[np.int16]) -> npt.NDArray[np.int16]:
    """Blocks of the clip's own room, again and again, there and back so that they join."""
    if not len(blocks):
        return blocks
    power = np.square(blocks.astype(np.float32)).mean(axis=1)
    length = min(QUIET_BLOCKS, len(blocks))
    sums = np.convolve(power, np.ones(length), "valid")
    start = int(sums.argmin())
    stretch = blocks[start : start + length].reshape(-1)
    there_and_back = np.concatenate([stretch, stretch[::-1]])
    lead: npt.NDArray[np.int16] = np.resize(there_and_back, (LEAD_BLOCKS, BLOCK_SAMPLES))
    return lead
