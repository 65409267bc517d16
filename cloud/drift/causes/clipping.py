"""Sound is cut off at full scale: the gain is too high, or somebody shouts into the microphone."""

from cloud.drift.causes.cause import Cause, Plot, bounded, since, who
from cloud.drift.change import Change

RISE_MIN, RISE_SURE = 0.5, 1.0
"""Of the share's decimal logarithm."""
SHARE_MIN = 2e-4


def has_risen(change: Change) -> bool:
    """Whether more is clipped than was."""
    effect = change.effect("clipped")
    return effect.difference >= RISE_MIN and 10**effect.after >= SHARE_MIN


def find(change: Change) -> Cause | None:
    """None where no more is clipped than was."""
    if not has_risen(change):
        return None
    effect = change.effect("clipped")
    share = 10**effect.after
    louder_db = change.effect("level").difference
    return Cause(
        "clipping",
        # It explains more than a gain does.
        bounded(0.6 + effect.difference / RISE_SURE, 1.6),
        f"{who(change)}: {100 * share:.1g} % of all samples cut off at full scale {since(change)}, "
        f"level {louder_db:+.0f} dB.",
        "Set the gain of its sound card down until `parrotlet-edge level` stays below -6 dB; what was clipped teaches "
        "a model nothing.",
        {"clipped_share": share, "before_share": 10**effect.before, "level_change_db": round(louder_db, 1)},
        Plot("feature", "clipped"),
    )
