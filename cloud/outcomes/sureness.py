"""How sure answers were, and how often they were right, by labels that were drawn by chance. Pure."""

from collections.abc import Sequence
from typing import NamedTuple

from cloud.outcomes.error_rate import Estimate, Label, by_labels
from cloud.outcomes.estimated import LABELS_MIN, drawn_labels
from cloud.outcomes.judged import Judged
from cloud.outcomes.slices import CONFIDENCE

BAND_MIN = 5
"""Labels of a band; of fewer nothing is told."""


class Sureness(NamedTuple):
    """Answers about as sure as each other."""

    low: float
    high: float
    """Confidence, 0 to 1."""
    said: float
    """The mean confidence of those that have a label."""
    wrong: Estimate
    """By these labels, whatever was promised."""

    @property
    def than_said(self) -> str:
        """How often it was right, beside what it said."""
        if 1 - self.wrong.high > self.said:
            return "more often"
        return "less often" if 1 - self.wrong.low < self.said else "as often"


def sureness(answers: Sequence[Judged]) -> list[Sureness]:
    """The least sure first; none where there are too few labels."""
    labelled = [one for one in drawn_labels(answers) if one.facts.confidence is not None and one.transcript]
    if len(labelled) < LABELS_MIN:
        return []
    every = [one for one in answers if one.facts.confidence is not None and one.transcript]
    found = []
    for low, high in zip((0.0, *CONFIDENCE), (*CONFIDENCE, 1.0), strict=True):
        here = [one for one in labelled if _is_between(one, low, high)]
        if len(here) >= BAND_MIN:
            labels = [Label(0, float(one.is_wrong), one.chance or 1.0) for one in here]
            answered = sum(one.stands_for for one in every if _is_between(one, low, high))
            told = by_labels(labels, answered)
            found.append(Sureness(low, high, sum(map(_sure, here)) / len(here), told))
    return found


def _is_between(one: Judged, low: float, high: float) -> bool:
    return low <= _sure(one) < high or _sure(one) == high == 1.0


def _sure(one: Judged) -> float:
    return one.facts.confidence or 0.0
