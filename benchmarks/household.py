"""An hour as a board hears it: a quiet room, now and then a sentence, now and then somebody at the dishes."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from benchmarks import corpus
from benchmarks.corpus import RATE_HZ, Sound
from benchmarks.instructions import pink_noise

SPEECH_SHARE, NOISE_SHARE = 0.05, 0.10
SPEECH_DBFS, NOISE_DBFS = -30.0, -45.0
CLIP_S_MAX = 10.0


class Household(NamedTuple):
    """What is heard, and how much of it is what."""

    samples: npt.NDArray[np.int16]
    sentences: int
    speech_share: float
    """Of the time, the pauses within sentences counted in."""
    noise_share: float


def make(data: Path, minutes: float, seed: int = 1) -> Household:
    """So many minutes: pink noise throughout, sentences and noises in drawn order at drawn places."""
    draw = np.random.default_rng(seed)
    length = int(minutes * 60 * RATE_HZ)
    sound: Sound = np.resize(pink_noise().astype(np.float32) / 32768, length)
    clips = [corpus.read(clip.file) for clip in corpus.sentences(data)]
    spoken = _drawn([clip for clip in clips if len(clip) <= CLIP_S_MAX * RATE_HZ], int(SPEECH_SHARE * length), draw)
    noises = _drawn(list(corpus.noises(data).values()), int(NOISE_SHARE * length), draw)
    _strew(sound, [corpus.at_level(clip, SPEECH_DBFS) for clip in spoken], draw)
    _strew(sound, [corpus.at_level(noise, NOISE_DBFS) for noise in noises], draw)
    samples = np.rint(np.clip(sound, -1, 1 - 2**-15) * 32768).astype(np.int16)
    return Household(samples, len(spoken), sum(map(len, spoken)) / length, sum(map(len, noises)) / length)


def _drawn(clips: list[Sound], samples: int, draw: np.random.Generator) -> list[Sound]:
    """Clips in drawn order, again and again, until they have so many samples; the last is cut there."""
    drawn: list[Sound] = []
    while samples > 0:
        for number in draw.permutation(len(clips)):
            drawn.append(clips[number][:samples])
            samples -= len(drawn[-1])
            if samples <= 0:
                break
    return drawn


def _strew(sound: Sound, clips: list[Sound], draw: np.random.Generator) -> None:
    """Adds clips in order, none over another, with drawn gaps between them."""
    room = len(sound) - sum(map(len, clips))
    gaps = np.diff(np.sort(draw.integers(0, room + 1, len(clips))), prepend=0)
    start = 0
    for clip, gap in zip(clips, gaps, strict=True):
        start += int(gap)
        sound[start : start + len(clip)] += clip
        start += len(clip)
