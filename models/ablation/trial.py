"""A cell trained with one seed, in a folder of its own, and judged."""

import hashlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import msgspec

from models.ablation.judging import Judges
from models.ablation.plan import Cell
from models.ablation.sets import Sets, learnt_by
from models.data.manifest import write_manifest
from models.training.batches import count
from models.training.begun import data_hash
from models.training.making import labelled, make_model
from models.training.recipe import Recipe, Training

HEARD_FILE = "heard.json"
"""How a model was judged, in its folder."""
DIGEST_CHARACTERS = 12

Tell = Callable[[str], None]


class Bench(NamedTuple):
    """What all trials share."""

    sets: Sets
    judges: Judges
    base_clips: int
    """That the base learns from."""
    noise: Path | None
    rooms: Path | None
    backgrounds: str
    """Digest of what is in both."""


class Trial(NamedTuple):
    """What came of it."""

    cell: str
    seed: int
    folder: Path
    """Of the model."""
    clips: int
    """That were learnt from."""
    bytes: int
    errors: dict[str, list[bool]]
    """Whether it is wrong, by condition and clip of the tuning part."""
    is_new: bool = False
    """Whether anything had to be trained."""


class _Heard(msgspec.Struct, frozen=True):
    by: str
    """What it was judged by: another digest is another judgement."""
    bytes: int
    errors: dict[str, list[bool]]


def carry_out(cell: Cell, seed: int, bench: Bench, tell: Tell) -> Trial:
    """What is there is not trained again, under whatever name; what was cut off goes on."""
    sets, out = bench.sets, bench.sets.folder
    learnt = labelled(learnt_by(cell.learnt, sets, seed), cell.recipe)
    clips = [*learnt, *sets.tuned]
    recipe = recipe_of(cell, seed, bench.base_clips, len(learnt))
    content = data_hash(recipe, out, clips) + bench.backgrounds
    digest = hashlib.sha256(content.encode()).hexdigest()[:DIGEST_CHARACTERS]
    folder = next(out.glob(f"*-{digest}"), out / f"{_slug(cell.name)}-{seed}-{digest}")
    heard = _kept(folder, bench.judges.digest)
    is_new = heard is None
    if heard is None:
        manifest = out / f"clips-{digest}.jsonl"
        if not manifest.exists():
            write_manifest(manifest, clips)
        levels = out / "levels"
        made = make_model(recipe, manifest, bench.noise, bench.rooms, folder, lambda line: tell(f"  {line}"), levels)
        heard = _Heard(bench.judges.digest, made.bytes, bench.judges.errors(folder))
        (folder / HEARD_FILE).write_bytes(msgspec.json.encode(heard))
    return Trial(cell.name, seed, folder, len(learnt), heard.bytes, heard.errors, is_new)


def recipe_of(cell: Cell, seed: int, base_clips: int, clips: int) -> Recipe:
    """Of one trial: with its seed, by which sound is not mixed anew, and, unless the cell says otherwise, with as many
    batches as the base has."""
    training = cell.recipe.training
    if cell.same_steps:
        training = same_steps(training, base_clips, clips)
    mixing = msgspec.structs.replace(cell.recipe.mixing, seed=cell.recipe.mixing_seed)
    return msgspec.structs.replace(cell.recipe, seed=seed, mixing=mixing, training=training, learn_from_tune=False)


def same_steps(training: Training, base_clips: int, clips: int) -> Training:
    """With as many epochs as make as many batches of these clips as there are of the base's."""
    epochs = max(1, round(training.epochs * count(base_clips, training) / count(clips, training)))
    return msgspec.structs.replace(training, epochs=epochs)


def _kept(folder: Path, by: str) -> _Heard | None:
    """How it was judged before by the same."""
    try:
        heard = msgspec.json.decode((folder / HEARD_FILE).read_bytes(), type=_Heard)
    except (OSError, msgspec.DecodeError):
        return None
    return heard if heard.by == by else None


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "cell"
