"""Other people: voices that are unlike those heard before, in a room and by a microphone that are not."""

from cloud.drift.causes.cause import Cause, Plot, bounded, since, who
from cloud.drift.causes.microphone import room_loss_db
from cloud.drift.change import Change

SHIFT_MIN, SHIFT_SURE = 1.0, 2.2
STRANGE = 0.3
"""Standard deviations by which voices are further from those that were heard: a noise brings all nearer to each other,
and who says other things has the voice that was there."""
ROOM_DB_MAX, ROOM_DB_MAX_STRANGE = 4.0, 7.0
"""The floor of a dozen utterances moves so far by the hour, too."""
ROOM_COLOUR_DB_MAX = 2.5
FIT_MAX, FIT_MAX_STRANGE = 1.3, 1.45
"""Other people want other things, and say them faster or slower: that they are others explains more."""


def find(change: Change) -> Cause | None:
    """None where the voices are as usual, or the room changed."""
    shift = change.shifts.get("voice", 0.0)
    are_strange = change.effect("strange_voice").score >= STRANGE
    room_db = abs(change.effect("noise_floor").difference)
    if shift < SHIFT_MIN or room_db > (ROOM_DB_MAX_STRANGE if are_strange else ROOM_DB_MAX):
        return None
    if change.noise_after_db and abs(room_loss_db(change, "top")) > ROOM_COLOUR_DB_MAX:
        return None
    return Cause(
        "speakers",
        bounded(shift / SHIFT_SURE, FIT_MAX_STRANGE if are_strange else FIT_MAX),
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
