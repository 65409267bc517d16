"""How many of the answers since then are wrong, with an interval: without labels, and with a few. Pure.

Without: what confidence promises in such noise (calibration.py). That cannot see that what is right has changed; labels
can. With: prediction-powered inference (Angelopoulos et al. 2023), of labels that were drawn with known probabilities
(labelling.py): the promises' mean, corrected by how far off they are where somebody listened (Horvitz and Thompson
1952). Unbiased whatever the promises are worth; the better they are, the narrower. Where nobody
knows any promises, labels alone tell it, and how many more it takes.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from cloud.drift.facts import Facts
from cloud.outcomes import calibration
from cloud.outcomes.calibration import Floats

Z = 1.645
"""90 % of intervals hold the truth."""

STRETCH = 1.0
"""The weights' uncertainty is that of a function which is right; with this it is that of one which nearly is. Chosen on
streams whose recordings no figure is measured with."""
FLOOR = 0.02
"""No promise is better than that, as a standard deviation."""
PSEUDO = 2.0
"""Labels of which half are as far off as can be: of 50 that all agree, nobody knows that none is wrong."""
WANTED_MAX = 2000
"""Nobody labels more for one figure."""


class Estimate(NamedTuple):
    """A share of wrong answers, 0 to 1."""

    rate: float
    low: float
    high: float
    """90 % interval."""
    labels: int
    utterances: int

    def __str__(self) -> str:
        """For a person."""
        return f"{100 * self.rate:.0f} % ({100 * self.low:.0f} to {100 * self.high:.0f} %)"


class Reference(NamedTuple):
    """Utterances of which it is known what was wrong, as they were when the model was new."""

    rows: Floats
    """Features."""
    wrong: Floats
    """0 to 1 of each."""


class Label(NamedTuple):
    """What somebody found who listened."""

    place: int
    """Of the utterance among those that are estimated."""
    wrong: float
    """0 to 1."""
    probability: float
    """With which it was drawn."""


def reference(facts: Sequence[Facts], wrong: Sequence[float]) -> Reference:
    """Of outcomes that are known."""
    return Reference(calibration.features(facts), np.asarray(wrong, float))


def estimate(known: Reference, now: Sequence[Facts], labels: Sequence[Label] = ()) -> Estimate:
    """Of `now`, at least one utterance."""
    rows = calibration.features(now)
    fitted = calibration.fit(known.rows, known.wrong, calibration.likeness(known.rows, rows))
    promised = fitted.wrong(rows)
    if labels:
        return _corrected(promised, labels)
    rate = float(promised.mean())
    # Even where the probabilities are right, what happens is drawn by them.
    drawn = float((promised * (1 - promised)).mean()) / len(rows)
    spread = math.sqrt(STRETCH**2 * fitted.mean_variance(rows) + drawn + FLOOR**2)
    return _within(rate, Z * spread, 0, len(rows))


def by_labels(labels: Sequence[Label], utterances: int | None = None) -> Estimate:
    """By labels alone, at least one, of the utterances that they were drawn from; None: as many as they stand for."""
    stand_for = round(sum(1 / label.probability for label in labels)) if utterances is None else utterances
    drawn_from = max(len(labels), stand_for)
    return _corrected(np.zeros(drawn_from), [label._replace(place=0) for label in labels])


def wanted(labels: Sequence[Label], within: float) -> int:
    """How many more it takes, drawn as these were, until their rate is known to within so much of either side."""
    effective, variance, worth = 0.0, 0.25, 1.0
    if labels:
        shares, off = _weighed(labels)
        effective = 1 / float((shares**2).sum())
        variance = _smoothed(float(shares @ off**2), effective)
        # A label that was likelier drawn than others counts for less than one.
        worth = effective / len(labels)
    for more in range(WANTED_MAX):
        known = effective + worth * more
        if known > 0 and _half(variance, known) <= within:
            return more
    return WANTED_MAX


def _weighed(labels: Sequence[Label]) -> tuple[Floats, Floats]:
    """The share of each in their rate, and how far off it is from that."""
    weights = np.array([1 / label.probability for label in labels])
    shares: Floats = weights / weights.sum()
    wrong = np.array([label.wrong for label in labels])
    return shares, wrong - float(shares @ wrong)


def _smoothed(variance: float, effective: float) -> float:
    """Of so many, where all may have agreed by luck."""
    return (variance * effective + 0.25 * PSEUDO) / (effective + PSEUDO)


def _half(variance: float, effective: float) -> float:
    """Of an interval of a mean of so many."""
    return math.sqrt(variance / effective) * _student(effective - 1)


def _corrected(promised: Floats, labels: Sequence[Label]) -> Estimate:
    places = np.array([label.place for label in labels])
    wrong = np.array([label.wrong for label in labels])
    chances = np.array([label.probability for label in labels])
    # By their sum and not by the number of utterances: how many were drawn is chance, too (Hájek 1971).
    shares = (1 / chances) / (1 / chances).sum()
    trust = _trust(promised, promised[places], wrong, shares)
    off = wrong - trust * promised[places]
    mean_off = float(shares @ off)
    rate = trust * float(promised.mean()) + mean_off
    effective = 1 / float((shares**2).sum())
    variance = float(shares @ (off - mean_off) ** 2)
    # All were labelled: nothing is left to chance.
    left = max(0.0, 1 - len(labels) / len(promised))
    spread = math.sqrt(left) * _half(_smoothed(variance, effective), effective)
    return _within(rate, spread, len(labels), len(promised))


def _trust(promised: Floats, at_labels: Floats, wrong: Floats, shares: Floats) -> float:
    """How much the promises help, 0 to 1: what makes the interval narrowest (PPI++, Angelopoulos et al. 2023b)."""
    spread = float(promised.var())
    together = float(shares @ ((wrong - shares @ wrong) * (at_labels - shares @ at_labels)))
    return min(max(together / spread, 0.0), 1.0) if spread > 1e-9 else 0.0


def _student(freedom: float) -> float:
    """Z for so many degrees of freedom (Cornish and Fisher 1960)."""
    freedom = max(freedom, 2.0)
    return Z + (Z**3 + Z) / (4 * freedom) + (5 * Z**5 + 16 * Z**3 + 3 * Z) / (96 * freedom**2)


def _within(rate: float, spread: float, labels: int, utterances: int) -> Estimate:
    rate = min(max(rate, 0.0), 1.0)
    return Estimate(rate, max(0.0, rate - spread), min(1.0, rate + spread), labels, utterances)
