"""Judges by a model that looks at the board's own frames: how likely somebody speaks at the end of its window."""

from collections import deque
from pathlib import Path

import numpy as np

from common.errors import ModelError
from edge.local.model import Model
from edge.sound.source import BLOCK_SAMPLES, Samples
from edge.speech.log_mel import LogMel
from protos.feature_spec import DEFAULT_SPEC, Levels
from protos.model_card import ModelCard, OperatingPoint

SPEECH = "speech"
"""The label."""


class SpeechJudge:
    """A Judge. It keeps sound until it is asked, and makes frames only then."""

    def __init__(self, folder: Path, aggressiveness: int) -> None:
        """aggressiveness is from 0 (lets most through) to 3. ModelError, naming the folder, if there is no such model
        or it does not work here."""
        self._model = Model(folder, DEFAULT_SPEC)
        card = self._model.card
        point = _operating_point(card, aggressiveness, folder)
        self.name = f"{card.name}-{card.version}-mode-{aggressiveness}"
        self.start_probability = point.threshold
        self.asked_every_blocks = max(1, point.hop_frames * DEFAULT_SPEC.hop_samples // BLOCK_SAMPLES)
        self._column = card.labels.index(SPEECH)
        samples = (card.window_frames - 1) * DEFAULT_SPEC.hop_samples + DEFAULT_SPEC.window_samples
        # Of more, a whole window is new: that frames next to the gap are none falls out of it.
        self._window_blocks = -(-samples // BLOCK_SAMPLES)
        self.forget()
        # What cannot be computed here is known at once, and not when somebody speaks.
        self._look(np.zeros((card.window_frames, DEFAULT_SPEC.bands), np.int8))

    def forget(self) -> None:
        """See Judge."""
        self._unread: deque[Samples] = deque(maxlen=self._window_blocks)
        self._log_mel = LogMel(DEFAULT_SPEC)
        self._levels: Levels | None = None

    def push(self, samples: Samples) -> None:
        """See Judge."""
        self._unread.append(samples)

    def probability(self) -> float:
        """See Judge. Before the first block it was always as it is there."""
        new = DEFAULT_SPEC.quantise(self._log_mel.push(np.concatenate(self._unread)))
        self._unread.clear()
        if self._levels is None and not len(new):
            return 0.0
        frames = self._model.card.window_frames
        before = np.repeat(new[:1], frames, axis=0) if self._levels is None else self._levels
        self._levels = np.concatenate([before, new])[-frames:]
        return self._look(self._levels)

    def _look(self, levels: Levels) -> float:
        return float(self._model.probabilities(levels, 1)[0, self._column])


def point_name(aggressiveness: int) -> str:
    """Of the card's operating point."""
    return f"mode-{aggressiveness}"


def _operating_point(card: ModelCard, aggressiveness: int, folder: Path) -> OperatingPoint:
    if card.kind != "speech":
        raise ModelError(f"{folder}: this is a model for {card.kind}, not for speech.")
    if SPEECH not in card.labels:
        raise ModelError(f"{folder}: the model has no label {SPEECH!r}.")
    name = point_name(aggressiveness)
    if name not in card.operating_points:
        raise ModelError(f"{folder}: the card has no operating point {name!r}.")
    return card.operating_points[name]
