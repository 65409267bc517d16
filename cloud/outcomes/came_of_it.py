"""What came of a change: how many answers are wrong since, and how many were before, as labels make it likely. Pure.

By what labels say of answers as sure, in such noise: whoever was labelled more often, as the unsure are, is no more
wrong for it. That cannot see that what is right has changed; concept.py does.
"""

from collections.abc import Sequence

from cloud.drift.facts import Facts
from cloud.outcomes.error_rate import estimate, reference
from cloud.outcomes.judged import Judged

LABELS_MIN = 50
"""Of recordings for tuning, the estimate by so many was off by 4.7 points, by 20 by 7.3, by 200 by 2.9; 0.96 or more
of the intervals held the truth: `scripts/bench error_rate --half tuning --reference 50`."""
UTTERANCES_MIN = 12
"""Before, and since."""


def came_of_it(labelled: Sequence[Judged], before: Sequence[Facts], since: Sequence[Facts]) -> str:
    """A sentence; "": there are too few labels, or utterances. `labelled`: drawn and labelled, of any board, at any
    time."""
    if len(labelled) < LABELS_MIN or min(len(before), len(since)) < UTTERANCES_MIN:
        return ""
    known = reference([one.facts for one in labelled], [float(one.is_wrong) for one in labelled])
    return (
        f"Wrong answers, estimated by {len(labelled)} labels: before {estimate(known, before)}, "
        f"since {estimate(known, since)}."
    )
