"""How many of the answers of a log are wrong, by labels that were drawn by chance. Pure.

Whatever the labels, error_rate.py is unbiased if what it is promised was not fitted to them: so the promises are those
of complaints, of which there are more, and which fall where confidence is high as errors do.
"""

from collections.abc import Sequence

from cloud.outcomes import error_rate
from cloud.outcomes.error_rate import Estimate, Label
from cloud.outcomes.judged import Judged

LABELS_MIN = 20
"""Fewer say too little."""


def drawn_labels(answers: Sequence[Judged]) -> list[Judged]:
    """Those that have a label and were drawn for it."""
    return [one for one in answers if one.chance is not None and one.is_known]


def estimated(answers: Sequence[Judged]) -> Estimate | None:
    """None: there are too few labels."""
    labelled = drawn_labels(answers)
    if len(labelled) < LABELS_MIN:
        return None
    others = [one for one in answers if one.chance is None]
    # Not as likely as outcome.py has it: of rare errors most that it thinks possible are slips of who labels.
    labels = [Label(place, float(one.is_wrong), one.chance or 1.0) for place, one in enumerate(labelled)]
    if not others:
        # All that was ever said was drawn, as of a board on its first days.
        return error_rate.by_labels(labels)
    # People speak of answers that were wrong: where not all that they left alone were read, theirs are too many.
    is_sampled = any(one.stands_for > 1 for one in others)
    now = [*labelled, *(one for one in others if not is_sampled or one.stands_for > 1)]
    known = error_rate.reference([one.facts for one in others], [float(one.is_wrong) for one in others])
    return error_rate.estimate(known, [one.facts for one in now], labels)
