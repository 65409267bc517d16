"""A training that takes no time: the files of models/training, in the same order, with numbers in the place of a
network. For who kills retrainings by the hundred; what they make of clips and levels is made as ever."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np

from models.training import making
from models.training.begun import begin, data_hash
from models.training.epoch import Epoch
from models.training.examples import Backgrounds
from models.training.making import Made
from models.training.recipe import Recipe
from protos.model_card import CARD_FILE, MODEL_FILE, write_model_card

CHECKPOINT, HISTORY = "epoch-{}.npz", "history.json"
"""As models/training/train.py has them."""


def quick_training(
    model: Path,
    recipe: Recipe,
    manifest: Path,
    noise: Path | None,
    rooms: Path | None,
    out: Path,
    tell: Callable[[str], None],
    cache: Path | None = None,
) -> Made:
    """As `make_model`; what comes of it is `model`, with a card of its own."""
    parts = making._parts(recipe, manifest, tell)
    backgrounds = Backgrounds([], [])
    hashed = data_hash(recipe, manifest.parent, parts["train"])
    begin(out, data_hash(recipe, manifest.parent, parts["train"] + parts["tune"]), backgrounds)
    learnt = making._examples(recipe, manifest, parts["train"], backgrounds, recipe.mixing.versions, cache or out)
    making._examples(recipe, manifest, parts["tune"], backgrounds, 1, cache or out)
    history = _resumed(out)
    for number in range(len(history), recipe.training.epochs):
        before = 0.0 if number == 0 else float(np.load(out / CHECKPOINT.format(number))["arr_0"])
        weight = before + float(learnt.levels.mean()) / (number + 1)
        history.append(Epoch(abs(weight), 0.5, None))
        np.savez(out / CHECKPOINT.format(number + 1), np.array(weight))
        unfinished = out / f".{HISTORY}.new"
        unfinished.write_bytes(msgspec.json.encode(history))
        unfinished.rename(out / HISTORY)
        (out / CHECKPOINT.format(number)).unlink(missing_ok=True)
    (out / making.FLOAT_FILE).write_bytes((out / CHECKPOINT.format(len(history))).read_bytes())
    (out / making.RECIPE_FILE).write_bytes(msgspec.json.encode(recipe))
    content = model.read_bytes()
    (out / MODEL_FILE).write_bytes(content)
    write_model_card(out / CARD_FILE, making._card(recipe, content, hashed, parts["train"]))
    making.plot(history, out)
    return Made(len(content), None, None)


def _resumed(out: Path) -> list[Epoch]:
    if not (out / HISTORY).exists():
        return []
    return msgspec.json.decode((out / HISTORY).read_bytes(), type=list[Epoch])
