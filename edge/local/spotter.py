"""Listens for the labels of a model while frames come: a window moves over them, what it tells is smoothed, and the
card's operating point says what counts as heard."""

from collections import deque
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from common.errors import ModelError
from edge.local.model import Model, Probabilities
from protos.feature_spec import FeatureSpec, Levels
from protos.model_card import ModelCard, OperatingPoint

OPERATING_POINT = "default"

SPEECH_WINDOWS_MAX = 1.5
"""A command is all that was said: longer speech, in windows of the model, is something else, whatever is in it."""


class Spotted(NamedTuple):
    """A label that counts as heard."""

    label: str
    probability: float
    """Smoothed."""


def operating_point(card: ModelCard) -> OperatingPoint:
    """What the board takes. ModelError if the card cannot be spotted by."""
    if OPERATING_POINT not in card.operating_points:
        raise ModelError(f"The card of model {card.name} {card.version} has no operating point {OPERATING_POINT!r}.")
    point = card.operating_points[OPERATING_POINT]
    strangers = sorted({*card.commands, *point.label_thresholds} - set(card.labels))
    if strangers or not card.commands:
        named = f"speaks of {', '.join(strangers)}, which its model does not know" if strangers else "has no commands"
        raise ModelError(f"The card of model {card.name} {card.version} {named}.")
    if point.hop_frames > card.window_frames:
        raise ModelError(f"The card of model {card.name} {card.version} leaves frames out between its windows.")
    return point


class Spotter:
    """Takes the frames of one stretch of sound, in pieces of any length. Belongs to one thread."""

    def __init__(self, model: Model) -> None:
        """ModelError if its card cannot be spotted by."""
        self._model = model
        card, point = model.card, operating_point(model.card)
        self._hop_frames = point.hop_frames
        self._window_frames = card.window_frames
        self._labels = tuple(card.commands)
        self._columns = [card.labels.index(label) for label in self._labels]
        self._thresholds = np.array([point.label_thresholds.get(label, point.threshold) for label in self._labels])
        self._recent: deque[Probabilities] = deque(maxlen=point.smoothing_windows)
        self.reset()

    def reset(self) -> None:
        """What comes next is another stretch of sound."""
        self._pending: list[Levels] = []
        self._frames = 0
        self._recent.clear()
        self.probability = 0.0
        """Of the likeliest command, smoothed, in the newest window."""

    def push(self, levels: Levels) -> Spotted | None:
        """The likeliest command that counts as heard in the windows that these frames complete."""
        self._pending.append(levels)
        self._frames += len(levels)
        windows = (self._frames - self._window_frames) // self._hop_frames + 1
        if windows < 1:
            return None
        frames = np.concatenate(self._pending)
        ends = (windows - 1) * self._hop_frames + self._window_frames
        rest = frames[windows * self._hop_frames :]
        self._pending, self._frames = [rest], len(rest)
        return self._judge(self._model.probabilities(frames[:ends], self._hop_frames))

    def finish(self) -> Spotted | None:
        """The sound is over. What was shorter than a window is looked at now, and heard if a command is."""
        if self._recent or not self._frames:
            return None
        return self._judge(self._model.probabilities(np.concatenate(self._pending), self._hop_frames))

    def _judge(self, probabilities: Probabilities) -> Spotted | None:
        found = []
        for row in probabilities:
            self._recent.append(row[self._columns])
            smoothed = np.mean(self._recent, axis=0)
            self.probability = float(smoothed.max())
            heard = np.flatnonzero(smoothed >= self._thresholds)
            found += [Spotted(self._labels[label], float(smoothed[label])) for label in heard]
        return likeliest(found)


def speech_ms_max(card: ModelCard, spec: FeatureSpec) -> float:
    """Longer speech is no command."""
    return SPEECH_WINDOWS_MAX * card.window_frames * spec.frame_ms


def heard_in(spotter: Spotter, pieces: Iterable[Levels]) -> Spotted | None:
    """What is heard in the whole of a stretch of sound."""
    spotter.reset()
    return likeliest([*map(spotter.push, pieces), spotter.finish()])


def likeliest(found: Sequence[Spotted | None]) -> Spotted | None:
    """The best of several; the first of equals."""
    return max((one for one in found if one is not None), key=lambda one: one.probability, default=None)
