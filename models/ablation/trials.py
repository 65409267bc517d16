"""All trainings of a plan, one after the other."""

import hashlib
import time
from itertools import product
from pathlib import Path
from typing import NamedTuple

import numpy as np

from common.errors import DataError
from models.ablation.judging import judges
from models.ablation.plan import Plan
from models.ablation.sets import Sets, learnt_by, read_sets
from models.ablation.trial import Bench, Tell, Trial, carry_out
from models.data.clip import Clip
from models.data.mixing import Sound
from models.training.making import label_number, labelled, sounds


class Folders(NamedTuple):
    """Where sound is found, and where all that is made goes."""

    data: Path
    """Manifest, divided into train and tune."""
    noise: Path | None
    rooms: Path | None
    judged_noise: Path | None
    """Other noise than is learnt from."""
    out: Path


def run(plan: Plan, folders: Folders, tell: Tell) -> tuple[list[Trial], list[Clip]]:
    """Trials by seed and cell, and the clips that they were judged by. DataError if the plan cannot be carried out."""
    bench, judged = _bench(plan, folders, tell)
    trials: list[Trial] = []
    clock = _Clock(len(plan.seeds) * len(plan.cells))
    # By seed: of what was stopped early, a plan with fewer seeds has a whole table.
    for seed in plan.seeds:
        for cell in plan.cells:
            began_s = time.monotonic()
            trial = carry_out(cell, seed, bench, tell)
            trials.append(trial)
            accuracies = ", ".join(f"{name} {1 - np.mean(wrong):.3f}" for name, wrong in trial.errors.items())
            left = clock.told(time.monotonic() - began_s if trial.is_new else None)
            tell(f"{cell.name}, seed {seed}: {accuracies}; {left}")
    return trials, judged


def _bench(plan: Plan, folders: Folders, tell: Tell) -> tuple[Bench, list[Clip]]:
    """What is the same for all, and what they are judged by."""
    out = folders.out
    try:
        # Paths of clips start here, also where they lead out of it.
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"{out}: cannot be used: {error.strerror}.") from error
    learnt_with = [*sounds(folders.noise), *sounds(folders.rooms)]
    noises = _judged_noises(plan, folders, learnt_with)
    recipe = plan.cells[0].recipe
    sets = read_sets(folders.data, out, [cell.learnt for cell in plan.cells], tell)
    tuned = labelled(sets.tuned, recipe)
    if not tuned:
        raise DataError(
            f"{folders.data}: no clip of the split tune has one of the labels, so nothing can be judged by."
        )
    _refuse_empty(plan, sets)
    judged = judges(tuned, [label_number(clip, recipe) for clip in tuned], out, plan, noises)
    digest = hashlib.sha256(b"".join(sound.tobytes() for sound in learnt_with)).hexdigest()
    base_clips = len(labelled(sets.learnt, recipe))
    return Bench(sets, judged, base_clips, folders.noise, folders.rooms, digest), tuned


def _refuse_empty(plan: Plan, sets: Sets) -> None:
    """DataError for a cell that cannot be carried out, before hours have gone by with others."""
    for cell, seed in product(plan.cells, plan.seeds):
        if not labelled(learnt_by(cell.learnt, sets, seed), cell.recipe):
            raise DataError(f"{sets.data}: {cell.name} has nothing to learn from: no clip of it has one of the labels.")


def _judged_noises(plan: Plan, folders: Folders, learnt_with: list[Sound]) -> list[Sound]:
    """DataError if there are none and the plan wants some, or if they are learnt from."""
    if not plan.snr_db:
        return []
    if folders.judged_noise is None:
        raise DataError("The plan judges in noise: name recordings that no cell learns from by --judge-noise.")
    noises = sounds(folders.judged_noise)
    known = {sound.tobytes() for sound in learnt_with}
    if any(sound.tobytes() in known for sound in noises):
        raise DataError(
            f"{folders.judged_noise}: holds noise that is learnt from; judged in it, all would seem better."
        )
    return noises


class _Clock:
    """How long it will take, by how long those that were trained took."""

    def __init__(self, trials: int) -> None:
        self._left = trials
        self._took_s: list[float] = []

    def told(self, took_s: float | None) -> str:
        """After one more; None: it was there."""
        self._left -= 1
        if took_s is not None:
            self._took_s.append(took_s)
        if not self._left:
            return "that was the last"
        if not self._took_s:
            return f"{self._left} left"
        minutes = self._left * float(np.mean(self._took_s)) / 60
        return f"{self._left} left, about {max(1, round(minutes))} min"
