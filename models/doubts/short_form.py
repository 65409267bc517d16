"""The short form of a recipe: its classes and its window, and no more training than doubts of labels need."""

from msgspec.structs import replace

from models.training.recipe import Mixing, Network, Recipe, Training

MIXING = Mixing(
    versions=3,
    noise_share=0.5,
    noise_snr_db=(10.0, 30.0),
    room_share=0.2,
    level_dbfs=(-40.0, -10.0),
    speed=(0.9, 1.1),
    clip_share=0.0,
    telephone_share=0.0,
)
"""Milder than for a board: clips are judged as they were recorded."""
NETWORK = Network(stem=16, channels=64, blocks=4)
TRAINING = Training(batch=32, rate=5e-3, masks=1, mixup=0.0, average=0.98)
"""Few steps want small batches, and an average that forgets the first of them."""
CLIPS_SEEN = 46_000
EPOCHS_MIN = 6
"""Of large sets; of small ones there are as many as make up the clips that are to be seen."""


def short_form(recipe: Recipe, clips: int) -> Recipe:
    """Of a recipe for the board, for a set of so many clips."""
    training = replace(TRAINING, epochs=max(EPOCHS_MIN, CLIPS_SEEN // clips), balance=recipe.training.balance)
    return replace(recipe, mixing=MIXING, network=NETWORK, training=training, commands={}, learn_from_tune=False)
