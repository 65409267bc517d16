"""The set of home-v1 as files and a manifest, for parrotlet-models train."""

import os
import random
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import numpy as np

from models.data.clip import Clip
from models.data.manifest import read_manifest, write_manifest
from models.data.mixing import RATE_HZ, as_sound
from models.data.placing import Piece, disturbances, written
from models.data.sound_file import read_sound
from models.home.data_set import JOINED, joined, pieces, real
from models.processes import processes

OTHERS_JOINED = 200
DISTURBANCES = 250
STRETCH_S = 2.2
PER_TASK = 40
DRAW = 3
UNKNOWN_MAX = 5500
STOPS_TO_TUNE_BY_MAX, UNKNOWN_TO_TUNE_BY_MAX = 90, 250


def make_set(spoken: Sequence[tuple[Path, str]], data: Path, noises: Sequence[Path], new: Path, seed: int) -> int:
    """Writes the sounds and their manifest; how many. `spoken` are manifests of machines' speech and their split."""
    folder = new.parent / new.stem
    folder.mkdir(parents=True, exist_ok=True)
    people = list(real(data))
    tasks = [(people[at : at + PER_TASK], data) for at in range(0, len(people), PER_TASK)]
    said: list[Clip] = []
    for manifest, split in spoken:
        clips = [msgspec.structs.replace(clip, split=split) for clip in read_manifest(manifest).clips]
        tasks += [(clips[at : at + PER_TASK], manifest.parent) for at in range(0, len(clips), PER_TASK)]
        if split == "train":
            said += clips
    with processes(os.cpu_count() or 1) as pool:
        parts = pool.map(_pieces_written, tasks, [folder] * len(tasks), [seed] * len(tasks))
        clips = [clip for part in parts for clip in part]
    befores = [clip for clip in said if any(clip.text == before for pairs in JOINED.values() for before, _ in pairs)]
    words = [clip for clip in people if clip.split == "train" and clip.source in ("commands", "words")]
    clips += written(_ends(befores, spoken[0][0].parent, words, data, seed), folder)
    clips += written(_noise(noises, seed), folder)
    return write_manifest(new, drawn(clips))


def drawn(clips: Sequence[Clip]) -> list[Clip]:
    """Without some of what is unknown, of which there is more than enough, and of what is tuned by."""
    choice = random.Random(DRAW)
    unknown = [clip for clip in clips if clip.split == "train" and clip.label == "unknown"]
    kept = choice.sample(unknown, min(UNKNOWN_MAX, len(unknown)))
    tune = [clip for clip in clips if clip.split == "tune"]
    stops = [clip for clip in tune if clip.label == "stop" and not clip.synthetic]
    others = [clip for clip in tune if clip.label == "unknown"]
    for some, most in ((stops, STOPS_TO_TUNE_BY_MAX), (others, UNKNOWN_TO_TUNE_BY_MAX)):
        kept += choice.sample(some, min(most, len(some)))
    left_out = {clip.path for clip in (*unknown, *stops, *others)} - {clip.path for clip in kept}
    return [clip for clip in clips if clip.path not in left_out]


def _ends(said: list[Clip], said_in: Path, words: list[Clip], data: Path, seed: int) -> Iterator[Piece]:
    """Beginnings of commands with the word that belongs there, and with another."""
    yield from joined(said, said_in, [word for word in words if word.label in JOINED], data, seed)
    choice = random.Random(seed)
    others = choice.sample([word for word in words if word.label == "unknown"], OTHERS_JOINED)
    faked = [msgspec.structs.replace(word, label=choice.choice(list(JOINED))) for word in others]
    for piece, word in zip(joined(said, said_in, faked, data, seed), others, strict=True):
        clip = msgspec.structs.replace(piece.clip, label="unknown", text=f"and {word.text}")
        yield Piece(piece.sound, clip)


def _noise(noises: Sequence[Path], seed: int) -> Iterator[Piece]:
    """What is no speech: drawn, and stretches of recordings."""
    yield from disturbances(DISTURBANCES, STRETCH_S, np.random.default_rng(seed))
    for file in noises:
        sound = as_sound(read_sound(file))
        size = round(STRETCH_S * RATE_HZ)
        for at in range(len(sound) // size):
            clip = Clip(path=f"{file.stem}-{at}.flac", label="silence", source="noise", split="train")
            yield Piece(sound[at * size : (at + 1) * size], clip)


def _pieces_written(task: tuple[list[Clip], Path], folder: Path, seed: int) -> list[Clip]:
    clips, there = task
    # A word that a command ends in is none by itself.
    plain = [msgspec.structs.replace(clip, label="unknown") if clip.label in JOINED else clip for clip in clips]
    return written(pieces(plain, there, seed), folder)
