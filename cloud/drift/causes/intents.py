"""People want other things: an intent that was rare is common now."""

from cloud.drift.causes.cause import Cause, Plot, bounded, since, who
from cloud.drift.change import Change

SHARE_MIN, TIMES_MIN, RISE_SURE = 0.08, 2.5, 0.15


def find(change: Change) -> Cause | None:
    """None where the mix is about as it was."""
    risen = sorted(
        (
            (share - change.intents_before.get(intent, 0.0), intent, share)
            for intent, share in change.intents_after.items()
            if intent
        ),
        reverse=True,
    )
    new = [one for one in risen if one[2] >= SHARE_MIN and one[2] >= TIMES_MIN * change.intents_before.get(one[1], 0.0)]
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
