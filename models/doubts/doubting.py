"""All that stands between a manifest and one whose clips say what models think of their labels."""

import hashlib
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
from msgspec.structs import replace

from common.errors import DataError, ModelError
from models.data.clip import Clip, Judgement
from models.data.manifest import Entry, Manifest, moved, write_manifest
from models.doubts.confident import verdicts
from models.doubts.folds import Numbers
from models.doubts.held_out import HeldOut, Plan, held_out, parts_of
from models.doubts.short_form import short_form
from models.training import examples
from models.training.begun import begin, data_hash
from models.training.examples import Backgrounds, Examples
from models.training.making import label_number, labelled, sounds, word_groups
from models.training.readable import is_whole, read_readable
from models.training.recipe import Recipe

DIGITS = 6
"""Enough to tell apart what is surely wrong."""


class Doubted(NamedTuple):
    """What was found."""

    entries: list[Entry]
    """All clips of the manifest, those that were judged with their judgement."""
    unjudged: list[Clip]
    """Those of the recipe's classes that nothing can be said of."""


def doubt_labels(
    recipe: Recipe, manifest: Path, new: Path, noise: Path | None, plan: Plan, out: Path, tell: Callable[[str], None]
) -> Doubted:
    """Writes the manifest anew with a judgement of each clip. What is in `out` of it is not done again. DataError where
    there are no classes to judge, or too few speakers."""
    if new.exists():
        raise DataError(f"{new}: is there already; a manifest is never changed, only written anew.")
    if find_spec("tensorflow") is None:
        raise ModelError("Doubts want TensorFlow, which is not installed: scripts/setup --models.")
    read = read_readable(manifest, tell)
    places = _to_judge(read, recipe, tell)
    clips = [replace(read.entries[place].clip, judged=None) for place in places]
    short = short_form(recipe, len(clips))
    backgrounds = Backgrounds(sounds(noise) + examples.drawn_noises(short.seed), [])
    # What is too few to be divided leaves no folder behind that the next try would be refused by.
    list(parts_of(clips, _labels(short, clips), plan))
    begin(out, data_hash(short, manifest.parent, clips) + _order(clips), backgrounds)
    seen = examples_of(short, read.folder, clips, backgrounds, out / "cache")
    judged = judgements(short, clips, held_out(short, clips, seen, plan, out, tell))
    entries = list(read.entries)
    for place, judgement in zip(places, judged, strict=True):
        entries[place] = Entry(entries[place].line, replace(entries[place].clip, judged=judgement))
    write_manifest(new, moved((entry.clip for entry in entries), read.folder, new.parent))
    return Doubted(entries, [clip for clip, judgement in zip(clips, judged, strict=True) if judgement is None])


def _order(clips: Sequence[Clip]) -> str:
    """Digest of it: what is kept of a training goes by place."""
    return hashlib.sha256(msgspec.json.encode([(clip.path, clip.start_ms, clip.end_ms) for clip in clips])).hexdigest()


def _labels(recipe: Recipe, clips: Sequence[Clip]) -> Numbers:
    return np.array([label_number(clip, recipe) for clip in clips], np.int64)


def _to_judge(read: Manifest, recipe: Recipe, tell: Callable[[str], None]) -> list[int]:
    """Places in the manifest of the clips whose class can be judged."""
    if not any(clip.label for clip in read.clips):
        raise DataError(f"{read.file}: has no classes to doubt: no clip has a label, and transcripts are not judged.")
    taught = {id(clip) for clip in labelled(read.clips, recipe)}
    places = [
        place
        for place, entry in enumerate(read.entries)
        if id(entry.clip) in taught and is_whole(entry, read.file, tell)
    ]
    there = {label_number(read.entries[place].clip, recipe) for place in places}
    if len(there) < 2:
        named = f"only {recipe.labels[there.pop()]}" if there else "none"
        raise DataError(f"{read.file}: has {named} of the recipe's classes; doubts want two of them, or more.")
    return places


def examples_of(recipe: Recipe, folder: Path, clips: Sequence[Clip], backgrounds: Backgrounds, cache: Path) -> Examples:
    """What is learnt from and asked about."""
    # The sound alone: with other labels it is the same.
    bare = [Clip(path=clip.path, start_ms=clip.start_ms, end_ms=clip.end_ms) for clip in clips]
    levels = examples.cached(cache, folder, bare, recipe, backgrounds, recipe.mixing.versions)
    return Examples(levels, _labels(recipe, clips), word_groups(clips))


def judgements(recipe: Recipe, clips: Sequence[Clip], found: HeldOut) -> list[Judgement | None]:
    """What the probabilities say of the clips' classes."""
    labels = _labels(recipe, clips)
    known = np.flatnonzero(found.judged).tolist()
    told: list[Judgement | None] = [None] * len(clips)
    said = verdicts(found.probabilities[known], labels[known])
    for at, place in enumerate(known):
        label, likelier = str(clips[place].label), int(said.likelier[at])
        told[place] = Judgement(
            label=label,
            # What the recipe has no class for is one of the others, and is called as it is.
            likelier=label if likelier == labels[place] else recipe.labels[likelier],
            probability=round(float(found.probabilities[place, likelier]), DIGITS),
            quality=round(float(said.quality[at]), DIGITS),
            surely=bool(said.surely[at]),
        )
    return told
