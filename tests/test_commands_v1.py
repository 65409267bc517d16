"""The shipped command model: its card fits, and it is what the board can run."""

from pathlib import Path

import numpy as np
import pytest

from edge.local.model import Model
from models.training.recipe import read_recipe
from protos.feature_spec import DEFAULT_SPEC
from protos.model_card import MODEL_FILE

MODELS = Path(__file__).parent.parent / "models"
FOLDER = MODELS / "files" / "commands-v1"
BYTES_MAX = 100_000


@pytest.fixture
def model() -> Model:
    return Model(FOLDER, DEFAULT_SPEC)


def test_its_card_is_that_of_its_recipe(model: Model) -> None:
    recipe = read_recipe(MODELS / "recipes" / "commands-v1.toml")
    card = model.card
    assert (card.name, card.version, card.labels) == (recipe.name, recipe.version, recipe.labels)
    assert (card.commands, card.window_frames) == (recipe.commands, recipe.window_frames)
    assert card.metrics["accuracy"] > 0.927
    assert (FOLDER / MODEL_FILE).stat().st_size <= BYTES_MAX


def test_digital_silence_is_no_command(model: Model) -> None:
    probabilities = model.probabilities(np.zeros((98, DEFAULT_SPEC.bands), np.int8), 1)
    assert probabilities.shape == (1, 12)
    assert model.card.labels[int(probabilities[0].argmax())] not in model.card.commands
