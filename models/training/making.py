"""All that stands between a manifest with a recipe and a model with its card."""

import datetime
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from common import VERSION
from common.errors import DataError, ModelError
from edge.local.model import Model
from models.data.clip import Clip, Split
from models.data.mixing import Sound, as_sound
from models.data.sound_file import read_clip
from models.importing.told import SOUND_SUFFIXES
from models.plot import figure
from models.training import examples
from models.training.begun import begin, data_hash
from models.training.epoch import Epoch
from models.training.examples import Backgrounds, Examples
from models.training.quiet_tensorflow import quiet_tensorflow
from models.training.readable import read_readable
from models.training.recipe import Recipe
from protos.feature_spec import DEFAULT_SPEC
from protos.model_card import CARD_FILE, MODEL_FILE, ModelCard, OperatingPoint, sha256, write_model_card

FLOAT_FILE = "float.npz"
RECIPE_FILE = "recipe.json"
"""The recipe as it was read, beside what was made by it."""


class Made(NamedTuple):
    """How large it is, and accuracies on the tuning part; None where that was learnt from."""

    bytes: int
    int8: float | None
    float: float | None


def make_model(
    recipe: Recipe,
    manifest: Path,
    noise: Path | None,
    rooms: Path | None,
    out: Path,
    tell: Callable[[str], None],
    cache: Path | None = None,
) -> Made:
    """Writes model and card to `out`, with what is needed to go on after a kill, and plots.

    `cache`: folder of levels that other models learn from, too; without one it is in `out`.
    """
    if find_spec("tensorflow") is None:
        raise ModelError("Training wants TensorFlow, which is not installed: scripts/setup --models.")
    parts = _parts(recipe, manifest, tell)
    backgrounds = Backgrounds(sounds(noise) + examples.drawn_noises(recipe.mixing_seed), sounds(rooms))
    data_sha256 = data_hash(recipe, manifest.parent, parts["train"])
    begin(out, data_hash(recipe, manifest.parent, parts["train"] + parts["tune"]), backgrounds)
    learnt, tuned = (
        _examples(recipe, manifest, some, backgrounds, count, cache or out / "cache")
        for some, count in ((parts["train"], recipe.mixing.versions), (parts["tune"], 1))
    )
    tell(f"{len(parts['train'])} clips to learn from, {len(parts['tune'])} to tune by")

    with quiet_tensorflow():
        from models.training.export import to_int8
        from models.training.train import predicted, save, train

    model, history = train(recipe, learnt, tuned if len(tuned.labels) else None, out, tell)
    save(out / FLOAT_FILE, model.variables)
    (out / RECIPE_FILE).write_bytes(msgspec.json.encode(recipe))
    content = to_int8(model, learnt.levels[:, -1])
    (out / MODEL_FILE).write_bytes(content)
    write_model_card(out / CARD_FILE, _card(recipe, content, data_sha256, parts["train"]))
    plot(history, out)
    if not len(tuned.labels):
        return Made(len(content), None, None)
    heard = heard_by(out, tuned)
    return Made(
        len(content), float((heard == tuned.labels).mean()), float((predicted(model, tuned) == tuned.labels).mean())
    )


def _parts(recipe: Recipe, manifest: Path, tell: Callable[[str], None]) -> dict[Split, list[Clip]]:
    """What is learnt from, and what is tuned by. DataError if there is nothing of the first."""
    clips = labelled(read_readable(manifest, tell).clips, recipe)
    train, tune = ([clip for clip in clips if clip.split == part] for part in ("train", "tune"))
    if recipe.learn_from_tune:
        train, tune = train + tune, []
    if not train:
        raise DataError(f"{manifest}: has nothing to learn from: no clip of the split train has one of the labels.")
    taught = {label_number(clip, recipe) for clip in train}
    if missing := [label for number, label in enumerate(recipe.labels) if number not in taught]:
        tell(f"{manifest}: has nothing to learn from for {', '.join(missing)}.")
    return {"train": train, "tune": tune}


def labelled(clips: Sequence[Clip], recipe: Recipe) -> list[Clip]:
    """Those that teach something: with one of the labels, or any where the recipe has a label for others."""
    return [clip for clip in clips if clip.label in recipe.labels or (clip.label and recipe.other)]


def label_number(clip: Clip, recipe: Recipe) -> int:
    """Which output a clip belongs to."""
    return recipe.labels.index(clip.label if clip.label in recipe.labels else str(recipe.other))


def sounds(folder: Path | None) -> list[Sound]:
    """All recordings of a folder, by name; none of none. DataError if it holds none, InputError if one is damaged."""
    if folder is None:
        return []
    files = sorted(file for file in folder.iterdir() if file.suffix.lower() in SOUND_SUFFIXES)
    found = [as_sound(read_clip(Clip(path=file.name), folder)) for file in files]
    if not found:
        raise DataError(f"{folder}: holds no sound.")
    return found


def heard_by(folder: Path, of: Examples) -> npt.NDArray[np.int64]:
    """Likeliest labels, by number, as the board's interpreter hears each clip as it is."""
    model = Model(folder, DEFAULT_SPEC)
    return np.array([model.probabilities(levels, 1)[0].argmax() for levels in of.levels[:, 0]])


def plot(history: Sequence[Epoch], out: Path) -> None:
    """Loss and accuracies by epoch, as SVG."""
    epochs = range(1, len(history) + 1)
    with figure(out / "loss.svg", x="epoch", y="loss on what is learnt from") as axes:
        axes.plot(epochs, [epoch.loss for epoch in history])
    with figure(out / "accuracy.svg", x="epoch", y="accuracy") as axes:
        axes.plot(epochs, [epoch.accuracy for epoch in history], label="learnt from, as mixed")
        if history and history[-1].tune_accuracy is not None:
            axes.plot(epochs, [epoch.tune_accuracy for epoch in history], label="tuning part")
        axes.legend()


def _examples(
    recipe: Recipe, manifest: Path, clips: Sequence[Clip], backgrounds: Backgrounds, count: int, cache: Path
) -> Examples:
    labels = np.array([label_number(clip, recipe) for clip in clips], np.int64)
    groups = word_groups(clips)
    shape = (0, count, recipe.window_frames, DEFAULT_SPEC.bands)
    people = np.array([not clip.synthetic for clip in clips], np.bool_)
    if not clips:
        return Examples(np.zeros(shape, np.int8), labels, groups, people)
    levels = examples.cached(cache, manifest.parent, clips, recipe, backgrounds, count)
    return Examples(levels, labels, groups, people)


def word_groups(clips: Sequence[Clip]) -> npt.NDArray[np.int64]:
    """What is said in each clip, by number: its text, or where nobody wrote it, its class and where it is from."""
    texts = [clip.text or f"{clip.label} {clip.source}" for clip in clips]
    numbers = {text: number for number, text in enumerate(sorted({*texts}))}
    return np.array([numbers[text] for text in texts], np.int64)


def _card(recipe: Recipe, content: bytes, data_sha256: str, clips: Sequence[Clip]) -> ModelCard:
    return ModelCard(
        name=recipe.name,
        version=recipe.version,
        kind=recipe.kind,
        feature_spec_fingerprint=DEFAULT_SPEC.fingerprint,
        labels=recipe.labels,
        window_frames=recipe.window_frames,
        model_sha256=sha256(content),
        commands=recipe.commands,
        operating_points={"default": OperatingPoint(threshold=recipe.threshold)},
        licence=recipe.licence,
        sources=tuple(sorted({*recipe.sources, *(clip.source for clip in clips if clip.source)})),
        data_sha256=data_sha256,
        code_version=VERSION,
        limits=recipe.limits,
        created=datetime.datetime.now(tz=datetime.UTC).date().isoformat(),
    )
