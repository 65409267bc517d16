"""A recipe: all that a person decides about a model, in one TOML file. What it does not say has a default here."""

import hashlib
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from common.errors import DataError
from protos.model_card import Command

Span = tuple[float, float]
"""Least and greatest; drawn evenly between."""
Count = Annotated[int, Meta(ge=1, le=100_000)]
Share = Annotated[float, Meta(ge=0, le=1)]


class Mixing(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What happens to sound before the features; each share is that of the versions it happens to."""

    versions: Count = 8
    """Of each clip; the first is the clip as it is."""
    noise_share: Share = 0.7
    noise_snr_db: Span = (0.0, 30.0)
    room_share: Share = 0.3
    level_share: Share = 0.9
    level_dbfs: Span = (-50.0, -3.0)
    speed_share: Share = 0.7
    speed: Span = (0.85, 1.15)
    tilt_share: Share = 0.5
    tilt: Span = (-0.4, 0.4)
    clip_share: Share = 0.05
    telephone_share: Share = 0.05
    seed: int | None = None
    """Of what is drawn; without one, that of the recipe."""


class Network(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Sizes of the network."""

    stem: Count = 24
    """Filters over time and bands."""
    channels: Count = 96
    blocks: Count = 6
    kernel: Count = 9
    """Frames of a block, after the stem has halved them."""
    halved: tuple[int, ...] = (2,)
    """Blocks that halve the frames again."""
    centred: bool = True
    """Whether the mean level of the window is taken out first, so that how loud it is matters less."""
    dropout: Share = 0.2
    of_end: bool = False
    """Whether it tells what there is at the window's end and not somewhere in it: frames keep their places then, and
    bands become channels without a stem, which costs a third and was as good."""


class Training(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How weights are found."""

    epochs: Count = 60
    batch: Count = 64
    rate: float = 3e-3
    decay: float = 1e-3
    label_smoothing: Share = 0.1
    mixup: Share = 0.2
    """Share of the batches whose inputs are mixed by twos."""
    shift_frames: Annotated[int, Meta(ge=0)] = 10
    masks: Annotated[int, Meta(ge=0)] = 2
    """Of time, and as many of bands."""
    mask_frames: Annotated[int, Meta(ge=0)] = 15
    mask_bands: Annotated[int, Meta(ge=0)] = 12
    average: Share = 0.998
    """Of the weights, from step to step; less in a short training."""
    balance: bool = True
    """Every class is seen as often as the others."""
    weights: dict[str, float] = {}
    """Classes that are then seen so many times as often."""
    people: Annotated[float, Meta(gt=0, le=1000)] = 1.0
    """A recording of a person is seen so many times as often as one of a machine of its class."""


class Recipe(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """All of it."""

    name: str
    version: str
    labels: Annotated[tuple[str, ...], Meta(min_length=2)]
    kind: Literal["commands", "speech", "wake"] = "commands"
    other: str | None = None
    """The label that any other stands for; without it, clips of other labels are left out."""
    window_frames: Count = 98
    seed: int = 1
    commands: dict[str, Command] = {}
    threshold: Share = 0.6
    """Of the default operating point, until one is measured."""
    licence: str = ""
    sources: tuple[str, ...] = ()
    """Besides those that the manifest names: noises, rooms."""
    limits: str = ""
    learn_from_tune: bool = False
    """Once all is decided, those that it was decided by are learnt from, too."""
    mixing: Mixing = Mixing()
    network: Network = Network()
    training: Training = Training()

    @property
    def mixing_seed(self) -> int:
        """Trainings that differ in `seed` alone may learn from the same sound."""
        return self.seed if self.mixing.seed is None else self.mixing.seed

    @property
    def digest(self) -> str:
        """Of everything in it that is not as it is by default."""
        return hashlib.sha256(msgspec.json.encode(self, order="sorted")).hexdigest()


def read_recipe(file: Path) -> Recipe:
    """DataError, naming the file and the field, if it is none."""
    try:
        recipe = msgspec.toml.decode(file.read_bytes(), type=Recipe)
    except OSError as error:
        raise DataError(f"{file}: {error.strerror}.") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DataError(f"{file}: no recipe: {error}.") from error
    if (fault := fault_of(recipe)) is not None:
        raise DataError(f"{file}: {fault}.")
    return recipe


def fault_of(recipe: Recipe) -> str | None:
    """What does not fit together in it."""
    if recipe.other is not None and recipe.other not in recipe.labels:
        return f"other is {recipe.other}, which is none of the labels"
    if len({*recipe.labels}) < len(recipe.labels):
        return "a label is there twice"
    if strangers := [*({*recipe.commands, *recipe.training.weights} - {*recipe.labels})]:
        return f"{min(strangers)} has a command or a weight, but is none of the labels"
    for field in msgspec.structs.fields(recipe.mixing):
        span = getattr(recipe.mixing, field.name)
        if isinstance(span, tuple) and span[0] > span[1]:
            return f"{field.name} goes from {span[0]:g} down to {span[1]:g}"
    if recipe.mixing.speed[0] <= 0:
        return f"speed begins at {recipe.mixing.speed[0]:g}"
    return None
