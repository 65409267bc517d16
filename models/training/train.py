"""Finds the weights: Keras, one epoch after the other, each kept, so that a killed run goes on where it was."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from zipfile import BadZipFile

import keras
import msgspec
import numpy as np
import numpy.typing as npt

from common.errors import DataError
from models.training.batches import Floats, batches, count
from models.training.epoch import Epoch
from models.training.examples import Examples
from models.training.network import build
from models.training.recipe import Recipe, Training

CHECKPOINT = "epoch-{}.npz"
HISTORY = "history.json"
WARM_UP_SHARE = 0.05
STATISTICS_BATCHES = 60
AVERAGED_SHARE_MAX = 1 / 3
"""Of the steps: an average over more would remember weights that knew nothing yet."""


def train(
    recipe: Recipe, learnt: Examples, tuned: Examples | None, out: Path, tell: Callable[[str], None]
) -> tuple[keras.Model, list[Epoch]]:
    """The model with averaged weights, and its history. Goes on from the last epoch that `out` holds."""
    keras.utils.set_random_seed(recipe.seed)
    how, outputs = recipe.training, len(recipe.labels)
    frames, bands = learnt.levels.shape[2:]
    model = build(frames, bands, outputs, recipe.network)
    optimiser = _optimiser(how, len(learnt.levels))
    optimiser.build(model.trainable_variables)
    model.compile(optimiser, loss="categorical_crossentropy", metrics=["accuracy"])
    history = _resumed(model, out)
    targets = np.eye(outputs, dtype=np.float32)[learnt.labels]
    # Makes what it counts with now: made in the first step, TensorFlow would compile that step twice.
    model.compute_metrics(None, targets[:1], targets[:1])
    model.reset_metrics()
    weights = [how.weights.get(label, 1.0) for label in recipe.labels]
    shares = balanced(learnt, weights, how.people) if how.balance else np.full(len(targets), 1 / len(targets))
    for number in range(len(history), how.epochs):
        draw = np.random.default_rng((recipe.seed, number))
        told = [model.train_on_batch(*batch) for batch in batches(learnt.levels, targets, shares, how, draw)]
        loss, accuracy = np.mean(told, axis=0)
        by_tune = None if tuned is None else float((predicted(model, tuned) == tuned.labels).mean())
        history.append(Epoch(float(loss), float(accuracy), by_tune))
        _keep(model, history, out)
        tell(f"epoch {number + 1} of {how.epochs}: {_told(history[-1])}")
    _average(model, (batch for batch, _ in batches(learnt.levels, targets, shares, how, np.random.default_rng(0))))
    return model, history


def predicted(model: keras.Model, examples: Examples) -> npt.NDArray[np.int64]:
    """Likeliest labels of each clip as it is, by number."""
    likeliest: npt.NDArray[np.int64] = probabilities(model, examples.levels).argmax(axis=1)
    return likeliest


def probabilities(model: keras.Model, levels: npt.NDArray[np.int8]) -> Floats:
    """Of each label, (clips, outputs), for each clip as it is; `levels` is (clips, versions, frames, bands)."""
    windows = levels[:, 0, ..., np.newaxis]
    some = (windows[at : at + 256].astype(np.float32) for at in range(0, len(windows), 256))
    # Not by predict: for each of several models TensorFlow would compile it, and warn.
    return np.concatenate([keras.ops.convert_to_numpy(model(part, training=False)) for part in some])


def restored(recipe: Recipe, file: Path, bands: int) -> keras.Model:
    """The float model that a run has left in a file."""
    model = build(recipe.window_frames, bands, len(recipe.labels), recipe.network)
    load(file, model.variables)
    return model


def balanced(learnt: Examples, weights: Sequence[float], people: float = 1.0) -> npt.NDArray[np.float64]:
    """How often each clip is drawn: labels by weight, and within a label its words by the root of their number; a
    person's clip so many times as often as a machine's."""
    shares = np.zeros(len(learnt.labels))
    of_person = np.ones(len(shares)) if learnt.people is None else np.where(learnt.people, people, 1.0)
    for label in np.unique(learnt.labels):
        of_label = np.flatnonzero(learnt.labels == label)
        _, group, counts = np.unique(learnt.groups[of_label], return_inverse=True, return_counts=True)
        of_words = of_person[of_label] / np.sqrt(counts[group])
        shares[of_label] = weights[label] * of_words / of_words.sum()
    shares /= shares.sum()
    return shares


def _optimiser(how: Training, clips: int) -> keras.optimizers.Optimizer:
    steps = how.epochs * count(clips, how)
    warm_up = max(1, round(WARM_UP_SHARE * steps))
    rate = keras.optimizers.schedules.CosineDecay(
        how.rate / 100, max(1, steps - warm_up), warmup_target=how.rate, warmup_steps=warm_up
    )
    average = min(how.average, 1 - 1 / max(1.0, AVERAGED_SHARE_MAX * steps))
    return keras.optimizers.AdamW(
        rate, weight_decay=how.decay, use_ema=True, ema_momentum=average, ema_overwrite_frequency=None
    )


def _average(model: keras.Model, seen: Iterator[Floats]) -> None:
    """Takes the averaged weights, and finds anew what its layers' outputs are like under them."""
    model.optimizer.finalize_variable_values(model.trainable_variables)
    for _, batch in zip(range(STATISTICS_BATCHES), seen, strict=False):
        model(batch, training=True)


def save(file: Path, variables: Sequence[keras.Variable]) -> None:
    """As plain arrays, in order."""
    # Keras's own files and `numpy()` warn with numpy 2.
    np.savez(file, *(variable.value.numpy() for variable in variables))


def load(file: Path, variables: Sequence[keras.Variable]) -> None:
    """What `save` wrote, into variables of the same network."""
    with np.load(file) as arrays:
        for number, variable in enumerate(variables):
            variable.assign(arrays[f"arr_{number}"])


def _state(model: keras.Model) -> list[keras.Variable]:
    return [*model.variables, *model.optimizer.variables]


def _resumed(model: keras.Model, out: Path) -> list[Epoch]:
    """Of the epochs that `out` holds, whose end the model is put into. DataError if they are damaged."""
    try:
        history = msgspec.json.decode((out / HISTORY).read_bytes(), type=list[Epoch])
        load(out / CHECKPOINT.format(len(history)), _state(model))
    except FileNotFoundError as error:
        if not (out / HISTORY).exists():
            return []
        raise DataError(f"{error.filename}: is missing; without {out / HISTORY} training starts anew.") from error
    except (msgspec.DecodeError, BadZipFile, KeyError, ValueError, OSError) as error:
        raise DataError(
            f"{out}: what is there of the training is damaged; without {HISTORY} it starts anew."
        ) from error
    return history


def _keep(model: keras.Model, history: list[Epoch], out: Path) -> None:
    """The history names the checkpoint: written last, it never names half of one."""
    save(out / CHECKPOINT.format(len(history)), _state(model))
    unfinished = out / f".{HISTORY}.new"
    unfinished.write_bytes(msgspec.json.encode(history))
    unfinished.rename(out / HISTORY)
    (out / CHECKPOINT.format(len(history) - 1)).unlink(missing_ok=True)


def _told(epoch: Epoch) -> str:
    tuned = "" if epoch.tune_accuracy is None else f", tuning part {epoch.tune_accuracy:.3f}"
    return f"loss {epoch.loss:.3f}, accuracy {epoch.accuracy:.3f}{tuned}"
