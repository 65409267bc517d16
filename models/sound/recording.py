"""The sound of a clip, as the board would have it: 16 kHz, one channel, 16 bit."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from common.errors import InputError
from edge.sound.audio_file import AudioFile
from edge.sound.source import SAMPLE_RATE_HZ, Block, Samples
from models.data.clip import Clip

SECONDS_MAX = 600
"""Longer recordings are no clips; what comes after is not looked at."""


class Sound(NamedTuple):
    """What there is of a clip."""

    samples: Samples
    faults: tuple[str, ...]
    """Sentences on what is damaged; the samples before are good."""


def read_sound(clip: Clip, folder: Path) -> Sound:
    """The stretch that the clip names. What is missing or damaged is said, not raised."""
    source = AudioFile(str(clip.file(folder)))
    blocks: list[Samples] = []
    faults = []
    try:
        for block in source.blocks():
            if isinstance(block, Block):
                blocks.append(block.samples)
            if len(blocks) * len(blocks[0]) >= SECONDS_MAX * SAMPLE_RATE_HZ:
                faults.append(f"{clip.path}: is longer than {SECONDS_MAX} s; the rest was not looked at.")
                break
    except InputError as error:
        faults.append(str(error))
    faults.extend(source.notes)
    samples = np.concatenate(blocks) if blocks else np.empty(0, np.int16)
    start, end = (None if ms is None else ms * SAMPLE_RATE_HZ // 1000 for ms in (clip.start_ms, clip.end_ms))
    if end is not None and end > len(samples):
        faults.append(f"{clip.path}: ends after {len(samples) * 1000 // SAMPLE_RATE_HZ} ms, before the clip does.")
    return Sound(samples[start:end], tuple(faults))
