"""The set of speech-v1: windows of minutes of which every block is known, each a clip of its own."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from benchmarks.scenes import Material
from edge.sound.source import BLOCK_MS, BLOCK_SAMPLES, SAMPLE_RATE_HZ, Samples
from edge.speech.vad import NoiseMargin
from models.data.clip import Clip, Split
from models.data.manifest import moved, read_manifest, write_manifest
from models.data.mixing import Sound
from models.data.sound_file import write_sound
from models.speech.minutes import MINUTE_BLOCKS, Minute, Voice, minute

WINDOW_BLOCKS = 41
"""80 frames, as the gate's judge has them when a block is over."""
WINDOWS = 80
"""Of a minute; each is like many others of it."""
ASKED_SHARE = 0.6
"""Of the windows, those that end where something stands out of the noise: of others the judge is hardly asked."""
SURE = 0.9
"""What is speech in part teaches nothing."""
BEGUN_SHARE = 0.05
"""Of the windows, those before whose sound there was nothing at all: a microphone was switched on."""
TUNED_BY_EVERY = 8
"""So many voices, noises' parts and minutes are left to decide by."""


class Window(NamedTuple):
    """A stretch of sound."""

    sound: Samples
    clip: Clip


class Heard(NamedTuple):
    """What minutes are drawn from."""

    kinds: list[list[Voice]]
    noises: list[Sound]
    rooms: list[Sound]


def make_set(new: Path, heard: dict[Split, Heard], minutes: int, seed: int, tell: Callable[[int], None]) -> int:
    """Writes the windows of so many minutes and their manifest; how many there are. `heard` is what to learn from and
    what to tune by, `tell` is told how many minutes are done. Minutes that a killed run has written are left as they
    are."""
    folder = new.parent / new.stem
    folder.mkdir(parents=True, exist_ok=True)
    clips: list[Clip] = []
    for number in range(minutes):
        part = folder / f"{number:04}.jsonl"
        if not part.exists():
            split: Split = "tune" if number % TUNED_BY_EVERY == 0 else "train"
            _write_minute(part, heard[split], split, np.random.default_rng((seed, number)))
        clips += moved(read_manifest(part).clips, folder, new.parent)
        tell(number + 1)
    return write_manifest(new, clips)


def _write_minute(part: Path, heard: Heard, split: Split, draw: np.random.Generator) -> None:
    clips = []
    for sound, clip in windows(minute(*heard, draw), part.stem, split, draw):
        write_sound(part.parent / clip.path, sound, SAMPLE_RATE_HZ)
        clips.append(clip)
    write_manifest(part, clips)


def divided(kinds: list[list[Voice]], found: Material) -> dict[Split, Heard]:
    """No voice's clip and no part of a noise is in both; rooms are."""
    tuned_by = [voices[::TUNED_BY_EVERY] for voices in kinds]
    learnt = [[one for at, one in enumerate(voices) if at % TUNED_BY_EVERY] for voices in kinds]
    parts = [np.array_split(noise, [len(noise) // TUNED_BY_EVERY]) for noise in found.noises.values()]
    return {
        "train": Heard(learnt, [rest for _, rest in parts], found.rooms),
        "tune": Heard(tuned_by, [first for first, _ in parts], found.rooms),
    }


def windows(made: Minute, name: str, split: Split, draw: np.random.Generator) -> Iterator[Window]:
    """Some of a minute's, drawn; `name` is the beginning of their paths."""
    for last in drawn_blocks(made, draw):
        sound = made.sound[(last + 1 - WINDOW_BLOCKS) * BLOCK_SAMPLES : (last + 1) * BLOCK_SAMPLES].copy()
        measured = {"level_dbfs": round(made.level_dbfs, 1), "snr_db": round(made.snr_db, 1)}
        if draw.random() < BEGUN_SHARE:
            silent_blocks = int(draw.integers(1, WINDOW_BLOCKS - 1))
            sound[: silent_blocks * BLOCK_SAMPLES] = 0
            measured["silent_ms"] = silent_blocks * BLOCK_MS
        yield Window(
            sound,
            Clip(
                path=f"{name}-{last:04}.flac",
                label="speech" if made.labels[last] > 0.5 else "silence",
                source="drawn",
                split=split,
                measured=measured,
            ),
        )


def drawn_blocks(made: Minute, draw: np.random.Generator) -> Sequence[int]:
    """Last blocks of windows, in order: any that is surely speech or surely none, and more of those that stand out."""
    sure = (made.weights > 0) & (np.abs(2 * made.labels - 1) >= 2 * SURE - 1)
    sure[: WINDOW_BLOCKS - 1] = False
    shares = np.full(MINUTE_BLOCKS, 1 - ASKED_SHARE) / max(1, int(sure.sum()))
    outstanding = sure & stands_out(made.sound)
    shares[outstanding] += ASKED_SHARE / max(1, int(outstanding.sum()))
    shares[~sure] = 0
    count = min(WINDOWS, int(sure.sum()))
    return sorted(map(int, draw.choice(MINUTE_BLOCKS, count, replace=False, p=shares / shares.sum())))


def stands_out(sound: Samples) -> npt.NDArray[np.bool_]:
    """Of the noise, by blocks, as the gate has it."""
    margin = NoiseMargin()
    return np.array([margin.is_exceeded(block) for block in sound.reshape(-1, BLOCK_SAMPLES)])
