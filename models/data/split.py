"""Which clips are learnt from, decided by and measured with: by speaker, never across.

Where a speaker goes is drawn from the name alone, by a hash with a seed: adding clips or speakers moves nobody.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

from common.errors import DataError
from models.data.clip import SILENT_LABELS, Clip, Split

HASH_BYTES = 8


class Shares(NamedTuple):
    """Of the speakers, 0 to 1; the rest is for training."""

    tune: float = 0.1
    test: float = 0.1


class Plan(NamedTuple):
    """How a set is divided."""

    shares: Shares = Shares()
    seed: str = ""
    keep_test: bool = True
    """A test part that is there stays, its speakers with all their clips, and none is drawn beside it."""
    own_speakers: bool = False
    """A recording that nobody is named for is a speaker of its own; else it is refused, unless nobody speaks in it."""


def split(clips: Sequence[Clip], plan: Plan) -> list[Clip]:
    """The clips in their order, each with its split. DataError if one has no speaker and that was not allowed."""
    by_path = {clip.path: clip for clip in clips}
    voices = [voice(clip, by_path) for clip in clips]
    nameless = [
        clip
        for clip, name in zip(clips, voices, strict=True)
        if name.startswith(PATH) and clip.label not in SILENT_LABELS
    ]
    if nameless and not plan.own_speakers:
        raise DataError(
            f"{len(nameless)} clips have no speaker, such as {nameless[0].path}: --no-speaker own takes each recording "
            "as a speaker of its own; names in those of files are found by import --speaker-in-name."
        )
    kept = {name for clip, name in zip(clips, voices, strict=True) if plan.keep_test and clip.split == "test"}
    drawn: dict[str, Split] = {name: "test" if name in kept else _drawn(name, plan, bool(kept)) for name in {*voices}}
    return [msgspec.structs.replace(clip, split=drawn[name]) for clip, name in zip(clips, voices, strict=True)]


PATH = "\0path\0"
"""Before the path of a recording that stands for its speaker; no speaker is called so."""


def voice(clip: Clip, by_path: Mapping[str, Clip]) -> str:
    """Whose clip it is: its speaker, or that of the clip it was made from, or the recording itself."""
    origin, passed = clip, {clip.path}
    while origin.made_from is not None:
        if origin.made_from in passed:
            raise DataError(f"{clip.path}: is made from itself, by way of {origin.path}.")
        passed.add(origin.made_from)
        if (before := by_path.get(origin.made_from)) is None:
            return clip.speaker or PATH + origin.made_from
        origin = before
    return origin.speaker or clip.speaker or PATH + origin.path


def part_of(text: str, parts: Mapping[Split, range]) -> Split:
    """Of a text, by a byte drawn from it alone: none is in two parts."""
    byte = hashlib.blake2b(text.lower().encode(), digest_size=2).digest()[0]
    return next(part for part, numbers in parts.items() if byte in numbers)


def _drawn(name: str, plan: Plan, has_test: bool) -> Split:
    """Tune has the lowest hashes, so that the share of test does not change it."""
    digest = hashlib.blake2b(f"{plan.seed}\0{name}".encode(), digest_size=HASH_BYTES).digest()
    place = int.from_bytes(digest) / 256**HASH_BYTES
    if place < plan.shares.tune:
        return "tune"
    return "test" if not has_test and place < plan.shares.tune + plan.shares.test else "train"
