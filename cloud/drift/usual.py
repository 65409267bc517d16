"""What is watched of a stream, and what is usual for it: what a change is a change of. Pure."""

from collections.abc import Sequence

import msgspec

from cloud.drift.directions import Floats, Whitening, whitening_of
from cloud.drift.features import FEATURES, NAMES

WATCHED = (*NAMES, "strange_voice", "rare_intent", "slowness", "rare_board")
"""The features that have scores; the last one only where several boards are watched together."""
STEPS = (*(feature.step for feature in FEATURES), 0.3, 0.3, 0.02, 0.3)
BEHIND = len(WATCHED) - len(FEATURES)
"""So many are behind a row of numbers."""

VOICE_BLOCK = "voice"
BLOCKS: dict[str, tuple[str, ...]] = {
    "sound": (*("level", "noise_floor", "noise_tilt", "noise_hump", "voice_top", "voice_low", "band_spread", "fall"),),
    "talk": ("words", "syllables", "speech", "slowness", "speech_share", "fall", "band_spread"),
    "answers": ("confidence", "empty", "understood", "unknown_words", "rare_intent", "asked_back"),
}
"""Scores that change together; the voice's shape is one more block, of its own points."""
MEMBERS = {block: [WATCHED.index(name) for name in names] for block, names in BLOCKS.items()}


class Usual(msgspec.Struct, frozen=True):
    """Of a board or a group."""

    means: list[float]
    """As Seen.difference."""
    intents: dict[str, float]
    """Shares."""
    whitenings: dict[str, Whitening]
    """Of BLOCKS and VOICE_BLOCK, where enough was measured."""
    boards: dict[str, float] = {}
    """Shares of all utterances, where several are watched together."""


def whitenings_of(scores: Floats, voices: Floats, first: Sequence[bool]) -> dict[str, Whitening]:
    """Of all blocks, from the scores and the voices of utterances in their order, of which some are the first of a
    sitting."""
    found = {block: whitening_of(scores[:, numbers], first) for block, numbers in MEMBERS.items()}
    found[VOICE_BLOCK] = whitening_of(voices, first)
    return {block: whitening for block, whitening in found.items() if whitening is not None}
