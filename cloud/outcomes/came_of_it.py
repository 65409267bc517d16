"""What came of a change: how many answers are wrong since, and how many were before, as labels make it likely. Pure.

By what labels say of answers as sure, in such noise: whoever was labelled more often, as the unsure are, is no more
wrong for it. That cannot see that what is right has changed; concept.py does. Of recordings for tuning, such an
estimate is off by 7.3 points with 20 labels, 4.7 with 50 and 2.9 with 200, and 0.96 of the intervals or more hold the
truth: `scripts/bench error_rate --half tuning --reference 50`.
"""

from collections.abc import Sequence

from cloud.drift.facts import Facts
from cloud.outcomes.error_rate import estimate, reference
from cloud.outcomes.estimated import LABELS_MIN
from cloud.outcomes.judged import Judged

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
