"""Another board says most: what changed for all may be no more than who is heard."""

from cloud.drift.causes.cause import Cause, Plot, bounded, since, who
from cloud.drift.change import Change

RISE_MIN, RISE_SURE = 0.2, 0.4


def find(change: Change) -> Cause | None:
    """None where boards are heard about as often as they were."""
    risen = {board: share - change.boards_before.get(board, 0.0) for board, share in change.boards_after.items()}
    most = max(risen, key=lambda board: risen[board], default=None)
    if most is None or risen[most] < RISE_MIN:
        return None
    before, after = change.boards_before.get(most, 0.0), change.boards_after[most]
    return Cause(
        "boards",
        bounded(risen[most] / RISE_SURE, 1.2),
        f"{who(change)}: board {most} says {100 * after:.0f} % of all {since(change)}, before {100 * before:.0f} %.",
        f"Look at board {most} alone: is it somebody, or a wireless set?",
        {"share_before": round(before, 3), "share_after": round(after, 3)},
        Plot("shares", "boards"),
    )
