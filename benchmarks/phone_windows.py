"""Labelled speech in noise as Whisper's encoder hears it through the board's frames."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from benchmarks import corpus
from benchmarks.labelled_phones import Labelled, labelled
from benchmarks.spoken_query_set import AROUND_SAMPLES, LEVEL_DBFS, NOISES, QUIET_DBFS
from cloud.decoders.phone_ear import NOTHING_NEW
from cloud.decoders.whisper import Whisper
from cloud.pronouncing.phones import NAMES, Phones
from models.training.examples import frames
from protos.feature_spec import DEFAULT_SPEC

CLASSES, NONE = len(NAMES), NOTHING_NEW
"""What the network tells apart, and which of them says that no phone begins."""

TOGETHER_S = (0, 0, 4, 6)
"""Utterances stand in one window until they are so long, drawn: one alone as often as several."""
BETWEEN_SAMPLES = (1600, 8000)
LEVELS_DB = 3.0
CLEAN = 0.3
SNRS_DB = (4.0, 28.0)
MEASURED_NOISE = 3.0
"""How much oftener noises are drawn that are measured with; their first halves, as all tuning has them."""


class Window(NamedTuple):
    """What the network learns from."""

    phones: Phones
    encoded: npt.NDArray[np.float16]
    """(positions, width), without padding."""


def windows(count: int, data: Path, weights: str, seed: int) -> Iterator[Window]:
    """Of so many texts. `data`: a folder with noise/."""
    whisper, draw = Whisper(weights), np.random.default_rng(seed)
    noises = {name: np.array_split(sound, 2)[0] for name, sound in corpus.noises(data).items()}
    often = np.array([MEASURED_NOISE if name in NOISES else 1.0 for name in noises])
    for group in _groups(labelled(count, seed), draw):
        sound = _in_a_row([one.sound for one in group], draw)
        if draw.random() >= CLEAN:
            noise = list(noises.values())[draw.choice(len(noises), p=often / often.sum())]
            sound = corpus.with_noise(sound, noise, draw.uniform(*SNRS_DB), draw)
        log_mel = DEFAULT_SPEC.dequantise(frames(sound))
        yield Window(b"".join(one.phones for one in group), whisper.encoded(log_mel).astype(np.float16))


def _groups(said: Iterator[Labelled], draw: np.random.Generator) -> Iterator[list[Labelled]]:
    group: list[Labelled] = []
    enough_s = 0
    for one in said:
        group.append(one)
        if sum(len(each.sound) for each in group) >= enough_s * corpus.RATE_HZ:
            yield group
            group, enough_s = [], TOGETHER_S[draw.integers(len(TOGETHER_S))]


def _in_a_row(sounds: Sequence[corpus.Sound], draw: np.random.Generator) -> corpus.Sound:
    parts = [np.zeros(AROUND_SAMPLES, np.float32)]
    for sound in sounds:
        level_dbfs = LEVEL_DBFS + draw.uniform(-LEVELS_DB, LEVELS_DB)
        parts += [corpus.at_level(sound, level_dbfs), np.zeros(draw.integers(*BETWEEN_SAMPLES), np.float32)]
    row = np.concatenate(parts)
    return row + draw.normal(0, 10 ** (QUIET_DBFS / 20), len(row)).astype(np.float32)
