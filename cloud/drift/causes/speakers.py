"""Other people: voices that are unlike those heard before, in a room and by a microphone that are not.

Neither a room nor a microphone moves the pitch of voices. Where that moved as well, other people speak, whatever the
room does; and other people ask for other things, faster or slower.
"""

from cloud.drift.causes.cause import Cause, Plot, bounded, since, up_or_down, who
from cloud.drift.causes.microphone import room_loss_db
from cloud.drift.change import Change, Effect

SHIFT_MIN, SHIFT_SURE = 1.0, 2.2
STRANGE_MIN = 0.3
"""Standard deviations by which voices are further from those that were heard: an echo or a noise shifts all voices, and
makes none of them strange; who says other things has the voice that was there."""
ROOM_DB_MAX, ROOM_DB_MAX_STRANGE = 4.0, 7.0
"""The floor of a dozen utterances moves so far by the hour, too."""
ROOM_COLOUR_DB_MAX = 2.5
FIT_MAX, FIT_MAX_STRANGE = 1.3, 1.45
"""That they are others explains more than what they want."""
PITCH_STRANGE_MIN, PITCH_OCTAVES_MIN, PITCH_MIN, PITCH_WORTH = 0.8, 0.3, 0.8, 0.1


def find(change: Change) -> Cause | None:
    """None where the voices are as usual, or only the room changed."""
    shift = change.shifts.get("voice", 0.0)
    pitch, strange = change.effect("pitch"), change.effect("strange_voice").score
    are_strange = strange >= STRANGE_MIN
    has_pitch_moved = abs(pitch.difference) >= PITCH_OCTAVES_MIN and abs(pitch.score) >= PITCH_MIN
    pitch_moved = strange >= PITCH_STRANGE_MIN and has_pitch_moved
    is_same_room = _is_same_room(change, ROOM_DB_MAX_STRANGE if are_strange else ROOM_DB_MAX)
    if shift < SHIFT_MIN or not (is_same_room or pitch_moved):
        return None
    fit = bounded(shift / SHIFT_SURE, FIT_MAX_STRANGE if are_strange else FIT_MAX) + pitch_moved * PITCH_WORTH
    room = "the room is as it was: other people speak" if is_same_room else "no room does that: other people speak"
    return Cause(
        "speakers",
        round(fit, 3),
        f"{who(change)}: voices unlike those before {since(change)}, {shift:.1f} standard deviations off"
        f"{_in_hz(pitch) if pitch_moved else ''}; {room}.",
        "Collect 20 utterances of each of them; the board's own commands may want their voices.",
        {
            "shift": shift,
            "strangeness_db": change.effect("strange_voice").after,
            "before_db": change.effect("strange_voice").before,
            "low_change_db": round(change.effect("voice_low").difference, 2),
            "top_change_db": round(change.effect("voice_top").difference, 2),
            "pitch_change_octaves": round(pitch.difference, 3),
        },
        Plot("bands", "voice"),
    )


def _is_same_room(change: Change, db_max: float) -> bool:
    """About as loud, and of the same colour."""
    if abs(change.effect("noise_floor").difference) > db_max:
        return False
    return not change.noise_after_db or abs(room_loss_db(change, "top")) <= ROOM_COLOUR_DB_MAX


def _in_hz(pitch: Effect) -> str:
    return f", their pitch {up_or_down(pitch.difference)} from {2**pitch.before:.0f} to {2**pitch.after:.0f} Hz"
