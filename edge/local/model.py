"""An int8 model of the board's own, and the card that says what it is for.

It eats the levels that go on the wire as they are: nothing is converted on the board.
"""

import math
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from common.errors import ModelError
from edge.local.interpreter import Interpreter, Quantisation
from protos.feature_spec import FeatureSpec, Levels
from protos.model_card import CARD_FILE, MODEL_FILE, ModelCard, ModelCardError, read_model_card

Probabilities = npt.NDArray[np.float32]
"""Of each label, in the card's order, shape (windows, labels)."""


class ModelFiles(NamedTuple):
    """What lies in a model's folder, and belongs together."""

    card: ModelCard
    content: bytes
    """Of the model file."""


def read_model(folder: Path, spec: FeatureSpec) -> ModelFiles:
    """ModelError, naming the file or the folder, if something is missing, damaged or of other features. Wants no
    interpreter."""
    try:
        card = read_model_card(folder / CARD_FILE)
        content = (folder / MODEL_FILE).read_bytes()
        card.check_model(content)
        card.check_spec(spec)
    except OSError as error:
        raise ModelError(f"{folder / MODEL_FILE}: {error.strerror}.") from error
    except ModelCardError as error:
        sentence = str(error).removeprefix(f"{folder / CARD_FILE}: ")
        raise ModelError(f"{folder / CARD_FILE}: {sentence.rstrip('.')}.") from error
    return ModelFiles(card, content)


def is_missing(folder: Path) -> bool:
    """False also where nobody can say: what reads it says why."""
    try:
        folder.stat()
    except OSError as error:
        return isinstance(error, FileNotFoundError)
    return False


class Model:
    """Looks through a window that moves over frames. Belongs to one thread."""

    def __init__(self, folder: Path, spec: FeatureSpec) -> None:
        """ModelError, naming the folder, if the model is damaged, of other features, or not as its card says."""
        self.card, content = read_model(folder, spec)
        try:
            self._interpreter = Interpreter(content)
        except ModelError as error:
            raise ModelError(f"{folder}: {error}") from error
        shape = (1, self.card.window_frames, spec.bands, 1)
        if self._interpreter.shape != shape or self._interpreter.input != Quantisation(1.0, 0):
            raise ModelError(f"{folder}: the model does not take {shape} levels as they are on the wire.")
        if math.prod(self._interpreter.output_shape) != len(self.card.labels):
            raise ModelError(
                f"{folder}: the model does not tell {len(self.card.labels)} labels apart, as its card has."
            )

    def probabilities(self, levels: Levels, hop_frames: int) -> Probabilities:
        """Of windows that start every `hop_frames`. Sound shorter than a window lies in its middle, its first and last
        frames repeated: the next to nothing that is heard there."""
        levels = filled(levels, self.card.window_frames)
        starts = range(0, len(levels) - self.card.window_frames + 1, hop_frames)
        return np.concatenate([self._window(levels[start : start + self.card.window_frames]) for start in starts])

    def _window(self, levels: Levels) -> Probabilities:
        scale, zero_point = self._interpreter.output
        output = self._interpreter.run(levels).reshape(1, -1)
        probabilities: Probabilities = (output.astype(np.float32) - zero_point) * np.float32(scale)
        return probabilities


def filled(levels: Levels, frames: int) -> Levels:
    """At least so many."""
    short = frames - len(levels)
    if short <= 0:
        return levels
    if not len(levels):
        return np.zeros((frames, *levels.shape[1:]), np.int8)
    filled: Levels = np.pad(levels, ((short // 2, short - short // 2), (0, 0)), mode="edge")
    return filled
