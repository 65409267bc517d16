"""Other people: voices that are unlike those heard before, in a room and by a microphone that are not."""

from cloud.drift.causes.cause import Cause, Plot, bounded, since, who
from cloud.drift.change import Change

SHIFT_MIN, SHIFT_SURE = 1.0, 2.2
ROOM_DB_MAX = 4.0


def find(change: Change) -> Cause | None:
    """None where the voices are as usual, or the room changed."""
    shift = change.shifts.get("voice", 0.0)
    if shift < SHIFT_MIN or abs(change.effect("noise_floor").difference) > ROOM_DB_MAX:
        return None
    return Cause(
        "speakers",
        bounded(shift / SHIFT_SURE, 1.3),
        f"{who(change)}: voices unlike those before {since(change)}, {shift:.1f} standard deviations off; the room is "
        "as it was: other people speak.",
        "Collect 20 utterances of each of them; the board's own commands may want their voices.",
        {
            "shift": shift,
            "strangeness_db": change.effect("strange_voice").after,
            "before_db": change.effect("strange_voice").before,
            "low_change_db": round(change.effect("voice_low").difference, 2),
            "top_change_db": round(change.effect("voice_top").difference, 2),
        },
        Plot("bands", "voice"),
    )
