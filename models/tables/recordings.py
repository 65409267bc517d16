"""Recordings to train with, in a folder that holds commands/train/, words/, orders/ and noise/.

Every second order and all sentences stay aside, to be measured with.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edge.sound.audio_file import AudioFile
from edge.sound.source import Block, Samples

WORDS_JOINED = 5
"""One-second words are joined, so that there are pauses between them."""

Sound = npt.NDArray[np.float64]
"""16 kHz, on the scale of 16-bit samples."""

FULL_SCALE = 32768.0


def read(file: Path) -> Sound:
    """A recording at 16 kHz."""
    blocks = [item.samples for item in AudioFile(str(file)).blocks() if isinstance(item, Block)]
    return np.concatenate(blocks).astype(np.float64)


def stretches(data: Path, count: int, draw: np.random.Generator) -> Iterator[Samples]:
    """Speech as recorded, then each stretch again at another level, half of them over noise: `count` words, and orders
    in proportion."""
    # The ends of the noises stay aside.
    noises = [noise[: len(noise) // 2] for noise in map(read, sorted((data / "noise").glob("*.flac")))]
    words = [*sorted((data / "commands" / "train").rglob("*.flac")), *sorted((data / "words").rglob("*.flac"))]
    chosen = [words[number] for number in draw.permutation(len(words))[:count]]
    orders = sorted((data / "orders").glob("*.flac"))[::2][: max(1, count // WORDS_JOINED)]
    groups = [chosen[start : start + WORDS_JOINED] for start in range(0, len(chosen), WORDS_JOINED)]
    for files in [*([order] for order in orders), *groups]:
        sound = np.concatenate([read(file) for file in files])
        yield _samples(sound)
        if draw.integers(2):
            noise = noises[int(draw.integers(len(noises)))]
            stretch = np.take(noise, range(int(draw.integers(len(noise))), 10**9)[: len(sound)], mode="wrap")
            sound = sound + stretch * (_power(sound) / _power(stretch) / 10 ** (draw.uniform(5, 30) / 10)) ** 0.5
            yield _samples(sound * min(1.0, FULL_SCALE / np.abs(sound).max()))
        else:
            level = FULL_SCALE**2 * 10 ** (draw.uniform(-55, -15) / 10)
            yield _samples(sound * (level / _power(sound)) ** 0.5)


def _power(sound: Sound) -> float:
    return float(np.square(sound).mean()) + 1e-3


def _samples(sound: Sound) -> Samples:
    samples: Samples = np.clip(np.rint(sound), -FULL_SCALE, FULL_SCALE - 1).astype(np.int16)
    return samples
