"""The operating points of a gate's judge: one for each aggressiveness, by how much of what is no speech may pass."""

from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from common.errors import DataError, ModelError
from edge.local.model import Model
from edge.local.speech_judge import SPEECH, point_name
from models.data.clip import Clip
from models.data.manifest import read_manifest
from models.training.examples import frames, read, windowed
from protos.feature_spec import DEFAULT_SPEC
from protos.model_card import CARD_FILE, OperatingPoint, write_model_card

FALSE_SHARES = (0.04, 0.02, 0.01, 0.005)
"""Of the windows without speech, those that are called speech, by aggressiveness."""
USUAL = 2
"""The aggressiveness that boards have unless their owner says otherwise."""
HOP_FRAMES = 8
"""An answer is good for so many; asked every 60 ms it was dearer and no better."""
SNRS_DB, LEVELS_DBFS = (2, 10, 20, 30), (-56, -45, -30, -12)
"""Edges of the slices that are told of."""


class Heard(NamedTuple):
    """Windows, and how likely speech each was."""

    clips: list[Clip]
    probabilities: npt.NDArray[np.float64]
    """(windows,)"""

    @property
    def is_speech(self) -> npt.NDArray[np.bool_]:
        return np.array([clip.label == SPEECH for clip in self.clips])


def write_points(folder: Path, manifest: Path) -> dict[str, OperatingPoint]:
    """Writes them into the card, with what is missed at the usual one by slice. DataError if there is nothing to tune
    by."""
    model = Model(folder, DEFAULT_SPEC)
    heard = listen(model, manifest)
    points = {point_name(mode): point(heard, share) for mode, share in enumerate(FALSE_SHARES)}
    points["default"] = points[point_name(USUAL)]
    metrics = missed_by_slice(heard, points["default"].threshold)
    write_model_card(folder / CARD_FILE, msgspec.structs.replace(model.card, operating_points=points, metrics=metrics))
    return points


def listen(model: Model, manifest: Path) -> Heard:
    """What a model makes of the tuning part of a set. ModelError if it does not know speech."""
    if SPEECH not in model.card.labels:
        raise ModelError(f"{model.card.name}: the model has no label {SPEECH!r}.")
    clips = [clip for clip in read_manifest(manifest).clips if clip.split == "tune"]
    labels = {clip.label for clip in clips}
    if labels != {*model.card.labels}:
        raise DataError(f"{manifest}: its tuning part does not have the labels {' and '.join(model.card.labels)}.")
    column = model.card.labels.index(SPEECH)
    levels = (windowed(frames(read(clip, manifest.parent)), model.card.window_frames) for clip in clips)
    return Heard(clips, np.array([float(model.probabilities(some, 1)[0, column]) for some in levels]))


def point(heard: Heard, false_share: float) -> OperatingPoint:
    """The least threshold at which no more of what is no speech passes."""
    threshold = float(np.quantile(heard.probabilities[~heard.is_speech], 1 - false_share, method="higher"))
    missed = float(np.mean(heard.probabilities[heard.is_speech] <= threshold))
    return OperatingPoint(threshold=round(threshold, 4), hop_frames=HOP_FRAMES, missed=round(missed, 4))


def missed_by_slice(heard: Heard, threshold: float) -> dict[str, float]:
    """Shares of the windows of speech that are missed and of the others that pass, in all, by level and by noise."""
    wrong = (heard.probabilities > threshold) != heard.is_speech
    slices: dict[str, list[bool]] = defaultdict(list)
    for clip, is_wrong in zip(heard.clips, wrong, strict=True):
        kind = "missed" if clip.label == SPEECH else "false"
        slices[kind].append(bool(is_wrong))
        for name, unit, edges in (("level_dbfs", "dBFS", LEVELS_DBFS), ("snr_db", "dB over noise", SNRS_DB)):
            # Only of drawn minutes both are known.
            if name not in clip.measured:
                continue
            at = int(np.searchsorted(edges[1:-1], clip.measured[name]))
            slices[f"{kind}/{edges[at]} to {edges[at + 1]} {unit}"].append(bool(is_wrong))
    return {name: round(float(np.mean(some)), 4) for name, some in sorted(slices.items())}
