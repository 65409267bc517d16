"""How clips are heard by the board: its gate and segmenter cut the utterances, and its model judges each.

Clips follow one another in a quiet room, pauses between, so that each is an utterance of its own: the hardest there is
for false commands, since the board takes longer speech for none. A wake word is listened for in all of the sound.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from edge.local.model import Model, Probabilities
from edge.sound.source import BLOCK_SAMPLES, SAMPLE_RATE_HZ, Block, Samples
from edge.speech.hearing import hear
from edge.speech.log_mel import log_mel
from edge.speech.utterance import UtteranceEnd, UtteranceFrames, UtteranceHead
from models.data.mixing import Sound, as_samples, at_level, tilted
from protos.feature_spec import DEFAULT_SPEC, Levels

PAUSE_S = 1.2
ROOM_DBFS = -65.0
SPEECH_WINDOWS_MAX = 1.5
"""As edge/asking/own_model.py has it."""


class Uttered(NamedTuple):
    """What the board cut out."""

    clip: int
    """Number of the one that it lies in, or after."""
    speech_ms: int
    levels: Levels


class Stream:
    """A Source: clips with pauses between them."""

    name = "clips"

    def __init__(self, clips: Iterable[Sound], seed: int = 1) -> None:
        self._clips = clips
        self._draw = np.random.default_rng(seed)
        self.ends_ms: list[int] = []
        """Where the pause after each is over."""

    def blocks(self) -> Iterator[Block]:
        """20 ms each."""
        ms = 0
        for sound in self._clips:
            count = -(-round(len(sound) + PAUSE_S * SAMPLE_RATE_HZ) // BLOCK_SAMPLES) * BLOCK_SAMPLES
            room = at_level(tilted(self._draw.standard_normal(count).astype(np.float32), -0.5), ROOM_DBFS)
            room[: len(sound)] += sound
            ms += count * 1000 // SAMPLE_RATE_HZ
            self.ends_ms.append(ms)
            samples: Samples = as_samples(room)
            for block in samples.reshape(-1, BLOCK_SAMPLES):
                yield Block(block, 0)

    def close(self) -> None:
        """Nobody ends it."""


def utterances(clips: Iterable[Sound]) -> tuple[list[Uttered], float]:
    """What the board cuts out of them, and how many hours they are with their pauses."""
    stream = Stream(clips)
    found: list[tuple[int, int, Levels]] = []
    levels: list[Levels] = []
    start_ms = 0
    for heard in hear(stream):
        match heard:
            case UtteranceHead():
                start_ms, levels = heard.stream_start_ms, []
            case UtteranceFrames():
                levels.append(heard.levels)
            case UtteranceEnd():
                speech_ms = heard.speech_end_ms - heard.speech_start_ms
                found.append((start_ms + heard.speech_start_ms + speech_ms // 2, speech_ms, np.concatenate(levels)))
    numbers = np.searchsorted(stream.ends_ms, [middle_ms for middle_ms, _, _ in found])
    said = [Uttered(int(number), ms, frames) for number, (_, ms, frames) in zip(numbers, found, strict=True)]
    return said, (stream.ends_ms[-1] if stream.ends_ms else 0) / 3.6e6


def judged(model: Model, uttered: Uttered, hop_frames: int) -> Probabilities | None:
    """Of each window of it, (windows, labels); None where the board would not listen for a command."""
    if uttered.speech_ms > SPEECH_WINDOWS_MAX * model.card.window_frames * 10:
        return None
    return model.probabilities(uttered.levels, hop_frames)


def smoothed(probabilities: Probabilities, windows: int) -> Probabilities:
    """Over so many in a row, as the board's Spotter does it."""
    rows = range(1, len(probabilities) + 1)
    return np.stack([probabilities[max(0, row - windows) : row].mean(axis=0) for row in rows])


class Guess(NamedTuple):
    """The likeliest command of a clip."""

    label: int
    """-1: none was looked for."""
    probability: float


def guesses(
    said: Sequence[tuple[int, Probabilities | None]], clips: int, columns: npt.NDArray[np.int64], windows: int
) -> list[Guess]:
    """Of each clip, the likeliest command of its utterances (clip, probabilities)."""
    best = [Guess(-1, 0.0)] * clips
    for clip, probabilities in said:
        if probabilities is None or clip >= clips:
            continue
        rows = smoothed(probabilities[:, columns], windows)
        label = int(rows.max(axis=0).argmax())
        if rows.max() > best[clip].probability:
            best[clip] = Guess(int(columns[label]), float(rows.max()))
    return best


BEFORE_S, AFTER_S = 1.0, 1.5
"""Of a quiet room, around what a wake word is listened for in."""


def listened(model: Model, sound: Sound, hop_frames: int) -> Probabilities:
    """Of each window of all of it, in a quiet room, as a board that waits for a wake word has them."""
    before, after = round(BEFORE_S * SAMPLE_RATE_HZ), round(AFTER_S * SAMPLE_RATE_HZ)
    draw = np.random.default_rng(len(sound))
    room = draw.standard_normal(before + len(sound) + after).astype(np.float32)
    room = at_level(tilted(room, -0.5), ROOM_DBFS)
    room[before : before + len(sound)] += sound
    return model.probabilities(DEFAULT_SPEC.quantise(log_mel(as_samples(room), DEFAULT_SPEC)), hop_frames)
