"""Speech as a moving window meets it: in the middle of a room, with more of the room around it than the window is long.

What is real must not give away that it is none of the machines': all of it lies in the same rooms.
"""

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from models.data import mixing
from models.data.clip import Clip
from models.data.mixing import BLOCK_SAMPLES, RATE_HZ, Sound, speech_db
from models.data.sound_file import write_sound
from models.tables.sounds import disturbance

PLACED_S = 2.2
"""A window of 1.5 s, and room to move it."""
FLOOR_DB = (-60.0, -25.0)
"""Of the room, against the speech."""
SPEECH_RANGE_DB = 35.0
WINDOWS_OF_LONG = 3
DISTURBANCE_DBFS = (-60.0, -20.0)
PEAK = 0.99


class Piece(NamedTuple):
    """A sound for the set."""

    sound: Sound
    clip: Clip
    """Its path is a name for the file."""


def trimmed(sound: Sound) -> Sound:
    """From the first to the last block that is as loud as speech."""
    powers = 10 * np.log10(block_powers(sound) + mixing.POWER_MIN)
    loud = np.flatnonzero(powers > speech_db(sound) - SPEECH_RANGE_DB)
    return sound if not len(loud) else sound[loud[0] * BLOCK_SAMPLES : (loud[-1] + 1) * BLOCK_SAMPLES]


def placed(sound: Sound, draw: np.random.Generator, *, recorded: bool = False, seconds: float = PLACED_S) -> Sound:
    """In the middle of the noise of a room, which was quiet or not; that of a recording goes on around it."""
    count = max(len(sound), round(seconds * RATE_HZ))
    start = (count - len(sound)) // 2
    floor = speech_db(sound) + draw.uniform(*FLOOR_DB)
    if recorded:
        floor = max(floor, 10 * np.log10(np.quantile(block_powers(sound), 0.1) + mixing.POWER_MIN))
    room = mixing.tilted(draw.standard_normal(count).astype(np.float32), draw.uniform(-1, 0))
    room = mixing.at_level(room, floor)
    room[start : start + len(sound)] += sound
    return room


def amid(sound: Sound, before: Sound, after: Sound, seconds: float = PLACED_S) -> Sound:
    """In the middle of other speech, as loud as that: the end of what is `before`, the beginning of what is `after`."""
    count = max(len(sound), round(seconds * RATE_HZ))
    start = (count - len(sound)) // 2
    end = start + len(sound)
    level = speech_db(sound)
    made = np.zeros(count, np.float32)
    if start and len(before):
        last = mixing.at_level(before, level)[-start:]
        made[start - len(last) : start] = last
    first = mixing.at_level(after, level)[: count - end] if len(after) else after
    made[end : end + len(first)] = first
    made[start:end] += sound
    return made


def block_powers(sound: Sound) -> npt.NDArray[np.float64]:
    """Of its 20 ms blocks."""
    blocks = sound[: len(sound) // BLOCK_SAMPLES * BLOCK_SAMPLES].reshape(-1, BLOCK_SAMPLES)
    powers: npt.NDArray[np.float64] = np.square(blocks, dtype=np.float64).mean(axis=1)
    return powers


def windows(sound: Sound, draw: np.random.Generator, seconds: float = PLACED_S) -> Iterator[Sound]:
    """Of longer speech: its beginning, its end, and some between, as a moving window meets them."""
    size = round(seconds * RATE_HZ)
    if len(sound) <= size:
        yield sound
        return
    starts = [0, len(sound) - size, *draw.integers(len(sound) - size, size=WINDOWS_OF_LONG - 2)]
    yield from (sound[start : start + size] for start in starts)


def disturbances(count: int, seconds: float, draw: np.random.Generator) -> Iterator[Piece]:
    """Stretches of silence to a model: sounds that are no speech, and that nobody recorded."""
    for at in range(count):
        sound = mixing.at_level(disturbance(seconds, draw).astype(np.float32), draw.uniform(*DISTURBANCE_DBFS))
        yield Piece(sound, Clip(path=f"disturbance-{at}.flac", label="silence", source="drawn", split="train"))


def named(clip: Clip, name: str) -> Clip:
    """The clip with a file's name of its own for a path."""
    digest = hashlib.blake2b(name.encode(), digest_size=10).hexdigest()
    return Clip(
        path=f"{digest}.flac",
        text=clip.text,
        label=clip.label,
        speaker=clip.speaker,
        source=clip.source,
        split=clip.split,
        licence=clip.licence,
        synthetic=clip.synthetic,
    )


def number(name: str) -> int:
    """Drawn from a name alone."""
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest())


def written(found: Iterable[Piece], folder: Path) -> list[Clip]:
    """The clips, their sound in a folder beside the manifest; louder than a file can be is made quieter."""
    made = []
    for sound, clip in found:
        peak = float(np.abs(sound).max(initial=0))
        write_sound(folder / clip.path, sound * np.float32(min(1.0, PEAK / max(peak, 1 - PEAK))), RATE_HZ)
        made.append(msgspec.structs.replace(clip, path=f"{folder.name}/{clip.path}"))
    return made
