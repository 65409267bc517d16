"""Another gain: voice and room are louder or quieter by the same. Or the voice alone: somebody is further off."""

from cloud.drift.causes import clipping
from cloud.drift.causes.cause import Cause, Plot, bounded, since, up_or_down, who
from cloud.drift.change import Change

SHIFT_DB_MIN, SHIFT_DB_SURE = 3.0, 6.0
APART_MAX = 0.6
"""How much of the voice's shift the room's may differ by."""
FIT_MAX, FIT_MAX_CLIPPED = 1.5, 0.8
"""A gain that makes it clip is told as clipping."""


def find(change: Change) -> Cause | None:
    """None where the level did not shift."""
    shift_db = change.effect("level").difference
    room_db = change.effect("noise_floor").difference
    if abs(shift_db) < SHIFT_DB_MIN:
        return None
    numbers = {"level_change_db": round(shift_db, 1), "room_change_db": round(room_db, 1)}
    apart = abs(shift_db - room_db) / abs(shift_db)
    direction = up_or_down(shift_db)
    if apart <= APART_MAX:
        knob = "quieter" if shift_db < 0 else "louder"
        return Cause(
            "gain",
            bounded(
                abs(shift_db) / SHIFT_DB_SURE * (1 - apart / 2),
                FIT_MAX_CLIPPED if clipping.has_risen(change) else FIT_MAX,
            ),
            f"{who(change)}: everything {abs(shift_db):.0f} dB {knob} {since(change)}, voice and room alike: "
            "the microphone's gain changed.",
            f"Set the gain of its sound card {'up' if shift_db < 0 else 'down'} by {abs(shift_db):.0f} dB "
            "(`alsamixer`), and look at `parrotlet-edge level`.",
            numbers,
            Plot("feature", "level"),
        )
    return Cause(
        "distance",
        bounded(0.6 * abs(shift_db) / SHIFT_DB_SURE, 0.8),
        f"{who(change)}: voices {abs(shift_db):.0f} dB {'louder' if shift_db > 0 else 'quieter'} {since(change)}, "
        f"while the room is as loud as it was: people speak {'nearer' if shift_db > 0 else 'from further off'}.",
        "Move the board towards who speaks." if shift_db < 0 else "Nothing, unless it clips.",
        numbers | {"direction": 1.0 if direction == "up" else -1.0},
        Plot("feature", "level"),
    )
