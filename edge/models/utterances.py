"""Utterances for a model to hear, and what it heard, as they go to a process of its own and come back."""

import msgspec

UNUSABLE = 2
"""Exit status of who ran a model that cannot be used; why is on standard error."""


class Utterance(msgspec.Struct, frozen=True):
    """Frames of one."""

    frames: bytes
    """Levels, (frames, bands), one byte each."""
    speech_ms: int


class Utterances(msgspec.Struct, frozen=True):
    """For one model."""

    levels: int
    """Of the feature spec."""
    utterances: tuple[Utterance, ...] = ()
    """None: the clips that come with the program."""


class HeardOf(msgspec.Struct, frozen=True):
    """What a model hears in one."""

    label: str | None
    """Of the card's commands; None: none of them."""
    ms: int
    """It took."""
    text: str = ""
    """That is said in it, where that is known: in a clip."""
