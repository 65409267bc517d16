"""Other people: voices that are unlike those heard before, in a room and by a microphone that are not.

Neither a room nor a microphone moves the pitch of voices. Where that moved as well, other people speak, whatever the
room does; and other people ask for other things.
"""

from cloud.drift.causes.cause import Cause, Plot, bounded, since, up_or_down, who
from cloud.drift.change import Change, Effect

SHIFT_MIN, SHIFT_SURE = 1.0, 2.2
ROOM_DB_MAX = 4.0
STRANGE_MIN, STRANGE_WORTH = 0.8, 0.15
"""In standard deviations: an echo shifts all voices, and makes none of them strange."""
PITCH_OCTAVES_MIN, PITCH_MIN, PITCH_WORTH = 0.3, 0.8, 0.1


def find(change: Change) -> Cause | None:
    """None where the voices are as usual, or only the room changed."""
    shift, pitch = change.shifts.get("voice", 0.0), change.effect("pitch")
    are_strange = change.effect("strange_voice").score >= STRANGE_MIN
    pitch_moved = are_strange and abs(pitch.difference) >= PITCH_OCTAVES_MIN and abs(pitch.score) >= PITCH_MIN
    is_same_room = abs(change.effect("noise_floor").difference) <= ROOM_DB_MAX
    if shift < SHIFT_MIN or not (is_same_room or pitch_moved):
        return None
    fit = bounded(shift / SHIFT_SURE, 1.3) + are_strange * STRANGE_WORTH + pitch_moved * PITCH_WORTH
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


def _in_hz(pitch: Effect) -> str:
    return f", their pitch {up_or_down(pitch.difference)} from {2**pitch.before:.0f} to {2**pitch.after:.0f} Hz"
