"""Other people: voices that are unlike those heard before, in a room and by a microphone that are not."""

from cloud.drift.causes.cause import Cause, Plot, bounded, since, who
from cloud.drift.change import Change

SCORE_SURE = 1.2
VOICE = ("strange_voice", "voice_low", "pitch", "voice_top")
ROOM_DB_MAX = 3.0


def find(change: Change) -> Cause | None:
    """None where the voices are as usual, or the room changed."""
    strange = change.effect("strange_voice").score
    shape = max(abs(change.effect(name).score) for name in VOICE[1:])
    if max(strange, shape) < 0.5 or abs(change.effect("noise_floor").difference) > ROOM_DB_MAX:
        return None
    return Cause(
        "speakers",
        bounded((max(strange, 0.0) + shape) / 2 / SCORE_SURE, 0.95),
        f"{who(change)}: voices unlike those before {since(change)}, {change.effect('strange_voice').difference:+.1f} "
        "dB a band; room and microphone are as they were: other people speak.",
        "Collect 20 utterances of each of them; the board's own commands may want their voices.",
        {
            "strangeness_db": change.effect("strange_voice").after,
            "before_db": change.effect("strange_voice").before,
            "low_change_db": round(change.effect("voice_low").difference, 2),
            "top_change_db": round(change.effect("voice_top").difference, 2),
        },
        Plot("bands", "voice"),
    )
