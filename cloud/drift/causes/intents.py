"""People want other things: an intent that was rare is common now."""

import math

from cloud.drift.causes.cause import Cause, Plot, bounded, since, who
from cloud.drift.change import Change

SHARE_MIN, TIMES_MIN, RISE_SURE = 0.08, 2.5, 0.15
DEVIATIONS_MIN = 3.5
"""Of the count that its usual share brings about: a few utterances have another mix by chance."""
SHARE_LEAST = 0.02
NEW_MAX = 0.005
"""Who is not heard more often than that is new: all that is new counts together."""


def find(change: Change) -> Cause | None:
    """None where the mix is about as it was."""
    new = sorted(
        (
            (share - change.intents_before.get(intent, 0.0), intent, share)
            for intent, share in change.intents_after.items()
            if intent and _has_risen(change.intents_before.get(intent, 0.0), share, change.utterances)
        ),
        reverse=True,
    )
    if not new:
        new = _unheard(change)
    if not new:
        return None
    rise = sum(one[0] for one in new)
    told = " and ".join(
        f"`{intent}` {100 * change.intents_before.get(intent, 0.0):.0f} % → {100 * share:.0f} %"
        for _, intent, share in new[:3]
    )
    return Cause(
        "intents",
        bounded(rise / RISE_SURE, 1.3),
        f"{who(change)}: people want other things {since(change)}: {told} of all utterances.",
        f"Look at `parrotlet-cloud log query --intent {new[0][1]}`, and collect 200 utterances of it.",
        {f"share_{intent}": round(share, 3) for _, intent, share in new[:3]},
        Plot("shares", "intents"),
    )


def _unheard(change: Change) -> list[tuple[float, str, float]]:
    """What was not wanted before, where all of it together is wanted often; as `new` above."""
    found = sorted(
        (
            (share, intent, share)
            for intent, share in change.intents_after.items()
            if intent and change.intents_before.get(intent, 0.0) <= NEW_MAX
        ),
        reverse=True,
    )
    return found if _has_risen(NEW_MAX, sum(share for share, _, _ in found), change.utterances) else []


def _has_risen(before: float, after: float, utterances: int) -> bool:
    usual = max(before, SHARE_LEAST)
    if after < max(SHARE_MIN, TIMES_MIN * before):
        return False
    deviations = (after - usual) / math.sqrt(usual * (1 - usual) / utterances)
    return deviations >= DEVIATIONS_MIN
