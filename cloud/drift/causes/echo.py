"""A room with more echo, or a voice from further off in it: sound falls slowly, and fills the gaps within words."""

from cloud.drift.causes.cause import Cause, Plot, bounded, since, who
from cloud.drift.change import Change

LOSS_MIN, LOSS_SURE = 0.12, 0.25
"""Of the steepness with which sound falls."""
LOSS_BY_NOISE = 0.04
"""A noise fills the gaps as well: so much a decibel."""


def find(change: Change) -> Cause | None:
    """None where sound falls as it did, or a noise explains it."""
    fall = change.effect("fall")
    if fall.before <= 0:
        return None
    loss = 1 - fall.after / fall.before
    # An echo fills a pause, too, but falls all the way.
    noise_db = max(0.0, change.effect("noise_floor").difference)
    if loss < LOSS_MIN + noise_db * LOSS_BY_NOISE:
        return None
    return Cause(
        "echo",
        bounded(loss / LOSS_SURE),
        f"{who(change)}: sound falls at {fall.after:.0f} dB a second, no longer {fall.before:.0f}, {since(change)}: "
        "the room echoes more, or people are further off.",
        "Move the board to where people speak, away from bare walls and windows; or collect 200 utterances there.",
        {"fall_db_per_s": fall.after, "before_db_per_s": fall.before, "loss": round(loss, 3)},
        Plot("feature", "fall"),
    )
