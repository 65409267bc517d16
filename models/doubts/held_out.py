"""What each clip sounds like to models that learnt others: each fold in turn is held out, several times over."""

import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from msgspec.structs import replace

from common.errors import DataError
from models.data.clip import Clip
from models.doubts.confident import Probabilities
from models.doubts.folds import HELD_OUT, Numbers, folds
from models.training.examples import Examples
from models.training.quiet_tensorflow import quiet_tensorflow
from models.training.recipe import Recipe

Tell = Callable[[str], None]


class Plan(NamedTuple):
    """How often is trained."""

    folds: int = 4
    rounds: int = 1
    """Each divides the voices otherwise; what its models say is averaged."""


class HeldOut(NamedTuple):
    """What was found of the clips."""

    probabilities: Probabilities
    """(clips, classes)"""
    judged: npt.NDArray[np.bool_]
    """(clips,): of the others nothing is known, since nobody else says their class."""


class Part(NamedTuple):
    """One training."""

    name: str
    seed: int
    learnt: Numbers
    """Places of the clips that it learns from."""
    asked: Numbers
    """And of those that it is asked about."""


def held_out(recipe: Recipe, clips: Sequence[Clip], seen: Examples, plan: Plan, out: Path, tell: Tell) -> HeldOut:
    """Probabilities of each clip by models of others' voices. Each training that is done is kept in `out`, and is not
    done again. DataError if there are too few voices, or `out` is damaged."""
    parts = list(parts_of(clips, seen.labels, plan))
    todo = sum(not _file(out, part).exists() for part in parts)
    remaining = Remaining(todo * recipe.training.epochs)
    sums, times = np.zeros((len(clips), len(recipe.labels))), np.zeros(len(clips), np.int64)
    for number, part in enumerate(parts, 1):

        def told(line: str, number: int = number) -> None:
            tell(f"training {number} of {len(parts)}, {line}; {remaining.less()}")

        sums[part.asked] += _asked(recipe, part, seen, out, told)
        times[part.asked] += 1
    judged = times > 0
    sums[judged] /= times[judged, np.newaxis]
    return HeldOut(sums, judged)


def parts_of(clips: Sequence[Clip], labels: Numbers, plan: Plan) -> Iterator[Part]:
    """All trainings, of clips with these classes."""
    for number in range(plan.rounds):
        held = folds(clips, plan.folds, str(number))
        for fold in range(plan.folds):
            learnt = np.flatnonzero((held != fold) & (held != HELD_OUT))
            asked = np.flatnonzero((held == fold) | (held == HELD_OUT))
            # Of a class that none of the others has, nothing can be learnt.
            asked = asked[np.isin(labels[asked], labels[learnt])]
            name = f"round-{number + 1}-fold-{fold + 1}-of-{plan.folds}"
            if len(asked):
                yield Part(name, number * plan.folds + fold, learnt, asked)


def _file(out: Path, part: Part) -> Path:
    """What comes of a training: there once it is done."""
    return out / f"{part.name}.npy"


def _asked(recipe: Recipe, part: Part, seen: Examples, out: Path, tell: Tell) -> Probabilities:
    file = _file(out, part)
    if file.exists():
        return _read(file, (len(part.asked), len(recipe.labels)))
    with quiet_tensorflow():
        from models.training.train import probabilities, train

    unfinished = out / part.name
    unfinished.mkdir(exist_ok=True)
    learnt = Examples(seen.levels[part.learnt], seen.labels[part.learnt], seen.groups[part.learnt])
    model, _ = train(replace(recipe, seed=recipe.seed + part.seed), learnt, None, unfinished, tell)
    said = probabilities(model, seen.levels[part.asked]).astype(np.float64)
    new = file.with_suffix(".new.npy")
    np.save(new, said)
    new.rename(file)
    shutil.rmtree(unfinished)
    return said


def _read(file: Path, shape: tuple[int, int]) -> Probabilities:
    try:
        said: Probabilities = np.load(file)
    except (OSError, ValueError, EOFError) as error:
        raise DataError(f"{file}: is damaged; without it this part is trained again.") from error
    if said.shape != shape:
        raise DataError(f"{file}: is of other clips; without it this part is trained again.")
    return said


class Remaining:
    """How long so many steps will take, by those that were done."""

    def __init__(self, steps: int) -> None:
        self._steps, self._done = steps, 0
        self._began_s = time.monotonic()

    def less(self) -> str:
        """Another step is done."""
        self._done += 1
        left_s = (time.monotonic() - self._began_s) / self._done * max(0, self._steps - self._done)
        return f"about {left_s / 60:.0f} min left" if left_s > 90 else f"about {left_s:.0f} s left"
