"""The mean that is taken off the cepstra while somebody still speaks: whose it is, and how it moves.

What a microphone and a room do to all sound alike is gone with the mean (Atal 1974). A stream cannot know its mean
beforehand: it starts from that of the board's earlier utterances, and moves to its own as frames come. It never
starts from what some other board left behind.
"""

from collections import OrderedDict
from typing import NamedTuple

import numpy as np

from cloud.decoders.sphinx_features import Cepstra, Floats

GENERAL_MEAN: Floats = np.array([54.0, 1.9, -0.5, 3.7, -1.8, -1.6, -2.8, -7.6, -0.9, 0.0, -0.3, -1.5, 0.6])
"""Of a board that is not known: over utterances of many people and rooms."""

START_FRAMES = 100.0
"""What a start mean weighs, as so many frames."""

BOARDS_MAX = 10_000
"""Boards remembered; the one heard longest ago is forgotten first."""


class CepstralMean:
    """The mean of one utterance as it goes on."""

    def __init__(self, start: Floats, weight_frames: float = START_FRAMES) -> None:
        self._sum = start * weight_frames
        self._frames = weight_frames

    @property
    def value(self) -> Floats:
        mean: Floats = self._sum / self._frames
        return mean

    def update(self, cepstra: Cepstra) -> None:
        """Takes the next frames in."""
        self._sum = self._sum + cepstra.sum(axis=0, dtype=np.float64)
        self._frames += len(cepstra)


class Remembered(NamedTuple):
    """What is known of a board."""

    utterance_id: str
    """The one that said it."""
    before: Floats
    """Where that one started."""
    after: Floats


class BoardMeans:
    """The last mean of each board. An utterance that is decoded again starts where it started before, and so is read
    the same."""

    def __init__(self) -> None:
        self._boards: OrderedDict[str, Remembered] = OrderedDict()

    def start(self, device_id: str, utterance_id: str) -> CepstralMean:
        """Where that utterance starts."""
        return CepstralMean(self._start(device_id, utterance_id))

    def remember(self, device_id: str, utterance_id: str, mean: CepstralMean) -> None:
        """Where the board's next utterance will start."""
        self._boards[device_id] = Remembered(utterance_id, self._start(device_id, utterance_id), mean.value)
        self._boards.move_to_end(device_id)
        if len(self._boards) > BOARDS_MAX:
            self._boards.popitem(last=False)

    def _start(self, device_id: str, utterance_id: str) -> Floats:
        known = self._boards.get(device_id)
        if known is None:
            return GENERAL_MEAN
        return known.before if known.utterance_id == utterance_id else known.after
