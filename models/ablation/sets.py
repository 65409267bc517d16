"""What a cell learns from, and what all are judged by: clips of manifests, as one in the folder of the ablation names
them."""

import hashlib
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from common.errors import DataError
from models.ablation.plan import Learnt
from models.data.clip import Clip
from models.data.manifest import moved
from models.training.readable import is_whole, read_readable


class Sets(NamedTuple):
    """Manifests, read once."""

    data: Path
    folder: Path
    """Where paths of all clips start."""
    learnt: tuple[Clip, ...]
    tuned: tuple[Clip, ...]
    """What is judged by, the same for all."""
    others: dict[str, tuple[Clip, ...]]
    """Training parts of manifests that cells name."""


def read_sets(data: Path, folder: Path, cells: Sequence[Learnt], tell: Callable[[str], None]) -> Sets:
    """All that the cells name. DataError if there is nothing to judge by, or if it would be learnt from."""
    clips = _clips(data, folder, tell)
    tuned = tuple(clip for clip in clips if clip.split == "tune")
    if not tuned:
        raise DataError(f"{data}: has no clip of the split tune, by which cells are judged: parrotlet-models split.")
    names = dict.fromkeys(name for cell in cells for name in (*([cell.manifest] if cell.manifest else []), *cell.add))
    others = {name: _learnt(_clips(data.parent / name, folder, tell)) for name in names}
    voices = {clip.speaker for clip in tuned if clip.speaker}
    paths = {path for clip in tuned for path in (clip.path, clip.made_from) if path}
    for name, some in {str(data): _learnt(clips), **others}.items():
        if known := next(
            (clip for clip in some if clip.speaker in voices or {clip.path, clip.made_from} & paths), None
        ):
            raise DataError(f"{name}: would learn from {known.path}, whose speaker is judged by: they must be others.")
    return Sets(data, folder, _learnt([clip for clip in clips if clip.split]), tuned, others)


def learnt_by(how: Learnt, sets: Sets, seed: int) -> list[Clip]:
    """The clips of a cell. DataError if none are left, or none are left out that should be."""
    clips = list(sets.others[how.manifest] if how.manifest else sets.learnt)
    clips += [clip for name in how.add for clip in sets.others[name]]
    # What is added may be there already, and is learnt from and counted once.
    once: dict[tuple[str, int | None, int | None], Clip] = {}
    for clip in clips:
        once.setdefault((clip.path, clip.start_ms, clip.end_ms), clip)
    clips = list(once.values())
    for name, value in how.leave_out.items():
        left = [clip for clip in clips if _value(clip, name) != value]
        if len(left) == len(clips):
            raise DataError(f"{sets.data}: no clip has {name} = {value}, so none is left out.")
        clips = left
    kept = _drawn({_voice(clip) for clip in clips}, how.speakers, seed)
    clips = [clip for clip in clips if _voice(clip) in kept]
    if not clips:
        without = f" without {_told(how.leave_out)}" if how.leave_out else ": no clip is of the split train"
        raise DataError(f"{how.manifest or sets.data}: nothing is left to learn from{without}.")
    return clips


def _clips(manifest: Path, folder: Path, tell: Callable[[str], None]) -> list[Clip]:
    """Those that can be learnt from or judged by: a damaged one would end all of it, perhaps after hours."""
    entries = read_readable(manifest, tell).entries
    clips = (entry.clip for entry in entries if entry.clip.split != "test" and is_whole(entry, manifest, tell))
    return list(moved(clips, manifest.parent, folder))


def _learnt(clips: Sequence[Clip]) -> tuple[Clip, ...]:
    return tuple(msgspec.structs.replace(clip, split="train") for clip in clips if clip.split in (None, "train"))


def _value(clip: Clip, name: str) -> str | None:
    """A property as a person writes it."""
    if name == "synthetic":
        return "yes" if clip.synthetic else "no"
    value = clip.slices.get(name, getattr(clip, name, None))
    return None if value is None else str(value)


def _voice(clip: Clip) -> str:
    return clip.speaker or clip.path


def _drawn(voices: set[str], share: float, seed: int) -> set[str]:
    """So many of them, at least one."""
    ordered = sorted(voices, key=lambda name: hashlib.blake2b(f"{seed}\0{name}".encode(), digest_size=8).digest())
    return {*ordered[: math.ceil(share * len(ordered))]}


def _told(values: dict[str, str]) -> str:
    return ", ".join(f"{name} = {value}" for name, value in values.items())
