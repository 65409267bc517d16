"""What is learnt from, as the board will hear it: commands in the middle of a room, windows of other speech, and sounds
that are no speech."""

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np

from models.data.clip import Clip
from models.data.mixing import Sound
from models.data.placing import Piece, amid, disturbances, named, number, placed, trimmed, windows, written
from models.own.wanted import SILENCE, UNKNOWN
from models.processes import processes
from models.training.examples import read
from models.training.recipe import Recipe

PLACED = "placed"
DISTURBANCES = 150
AROUND_S = 0.7
"""Of the room, beyond the window that moves over it."""
NEIGHBOURS_MAX = 300
PER_TASK = 40
SEED = 1


def in_rooms(clips: Sequence[Clip], folder: Path, recipe: Recipe, tell: Callable[[str], None]) -> list[Clip]:
    """What is learnt from, and sounds that are no speech."""
    learnt = [clip for clip in clips if clip.split == "train"]
    seconds = recipe.window_frames / 100 + AROUND_S
    rooms = folder / PLACED / str(recipe.window_frames)
    rooms.mkdir(parents=True, exist_ok=True)
    others = [clip for clip in learnt if clip.label == UNKNOWN] if recipe.kind == "wake" else []
    placing = _Placing(folder, seconds, sorted(others, key=lambda clip: number(clip.path))[:NEIGHBOURS_MAX])
    tasks = [learnt[at : at + PER_TASK] for at in range(0, len(learnt), PER_TASK)]
    made: list[Clip] = []
    with processes(os.cpu_count() or 1) as pool:
        for at, part in enumerate(pool.map(_placed, tasks, [placing] * len(tasks), [rooms] * len(tasks)), 1):
            made += part
            tell(f"placed in rooms: {min(at * PER_TASK, len(learnt))} of {len(learnt)}")
    made += written(disturbances(DISTURBANCES, seconds, np.random.default_rng(SEED)), rooms)
    return [msgspec.structs.replace(clip, path=f"{PLACED}/{clip.path}") for clip in made]


class _Placing(NamedTuple):
    """How clips are placed."""

    folder: Path
    """That their paths start from."""
    seconds: float
    neighbours: Sequence[Clip]
    """Of a wake word, what is said before and after it; of commands none, for nothing is."""


def _placed(clips: Sequence[Clip], how: _Placing, rooms: Path) -> list[Clip]:
    return written(_pieces(clips, how), rooms)


def _pieces(clips: Sequence[Clip], how: _Placing) -> Iterator[Piece]:
    """Commands whole, each in the middle of a room; of other speech windows, of silence what there is."""
    for clip in clips:
        stretch = f"{clip.path} {clip.start_ms} {clip.end_ms}"
        draw = np.random.default_rng((SEED, number(stretch)))
        cut = list(_cut(clip, how, draw))
        yield from (Piece(part, named(clip, f"{stretch}-{at}")) for at, part in enumerate(cut))


def _cut(clip: Clip, how: _Placing, draw: np.random.Generator) -> Iterator[Sound]:
    sound = read(clip, how.folder)
    if clip.label == SILENCE:
        yield from windows(sound, draw, how.seconds)
        return
    said = trimmed(sound)
    some = windows(said, draw, how.seconds) if clip.label == UNKNOWN else (said,)
    for part in some:
        yield placed(part, draw, recorded=not clip.synthetic, seconds=how.seconds)
    if how.neighbours and clip.label != UNKNOWN:
        # In one breath with what is wanted, and after talk.
        before, after = (
            trimmed(read(how.neighbours[int(draw.integers(len(how.neighbours)))], how.folder)) for _ in range(2)
        )
        quiet = np.zeros(0, np.float32)
        for first, last in ((before, quiet), (quiet, after)):
            yield placed(amid(said, first, last, how.seconds), draw, seconds=how.seconds)
