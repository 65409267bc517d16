"""What an answer's confidence promises: how often it is wrong, and how often somebody complains. Pure.

Learnt of a reference: utterances from when the model was new. A word or an entry that was wrong more often than its
confidence has it was so from the start, and that is no change.
"""

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from cloud.drift.facts import Facts
from cloud.outcomes import calibration
from cloud.outcomes.calibration import Calibration, Floats

UTTERANCES_MIN = 200
"""Of fewer nobody knows what is usual."""
SURE_SHARE = 0.25
"""Of the reference's answers, the least sure; what is as unsure is not "confident and wrong"."""
OUTSIDE_SHARE = 0.01
"""Of the reference, on each side of each fact: beyond is unusual."""
PRIOR = 2.0
"""Complaints that each key is thought to have had as promised, before its own are counted."""
TOLERANCE = 2.0
"""Times what is promised: no more than that is worth a sentence."""
TOLERANCE_KNOWN = 1.2
PROMISED_MIN, PROMISED_MAX = 0.005, 0.9

SOUND = ("level_dbfs", "noise_floor_dbfs", "snr_db", "syllables_per_s", "fall_db_per_s", "clipped_share")
"""Facts by which an utterance sounds as usual or does not."""

Key = tuple[str, str]
"""What an answer is one of: ("word", "latte"), ("intent", "orderDrink"), ("entry", "drink-7"), ("all", "")."""


class Past(NamedTuple):
    """An utterance of the reference."""

    facts: Facts
    keys: Sequence[Key]
    complaint: float
    """Probability that somebody found it wrong and showed it; 0: nobody did."""
    wrong: float | None = None
    """By a label; None: there is none."""


class Promises:
    """Of one model."""

    def __init__(self, past: Sequence[Past]) -> None:
        """At least UTTERANCES_MIN."""
        sure = [one.facts.confidence for one in past if one.facts.confidence is not None]
        self.sure_min = float(np.quantile(sure, SURE_SHARE)) if sure else 1.0
        self._bounds = _bounds([one.facts for one in past])
        known = [one for one in past if self.counts(one.facts)]
        self._complains = _fitted(known, [one.complaint for one in known])
        labelled = [one for one in known if one.wrong is not None]
        self._errs = _fitted(labelled, [one.wrong or 0.0 for one in labelled]) if labelled else None
        self.shares: dict[Key, float] = {}
        """Of all utterances, those of a key that count."""
        self._ratios: dict[Key, float] = {}
        self._learn(known, len(past))

    def counts(self, facts: Facts) -> bool:
        """Whether it was understood, as surely as most, and sounded as usual: only then is a wrong answer news."""
        if facts.intent is None and not facts.results_count:
            return False
        return facts.confidence is not None and facts.confidence >= self.sure_min and self.is_usual(facts)

    def is_usual(self, facts: Facts) -> bool:
        """Whether it sounds like the reference."""
        for name, low, high in self._bounds:
            value = getattr(facts, name)
            if value is not None and not low <= value <= high:
                return False
        return True

    def complaint(self, facts: Facts) -> float:
        """The probability of a complaint."""
        return _wrong(self._complains, facts)

    def wrong(self, facts: Facts) -> float:
        """The probability of a wrong answer."""
        if self._errs is None:
            # Nobody labelled any of the reference: what the model says itself.
            return 1 - (facts.confidence or 0.0)
        return _wrong(self._errs, facts)

    def most(self, probability: float, key: Key) -> float:
        """The most that it should be of a key's answers."""
        ratio = self._ratios.get(key, self._ratios.get(("all", ""), 1.0))
        return min(max(TOLERANCE * ratio * probability, PROMISED_MIN), PROMISED_MAX)

    def usual(self, probability: float) -> float:
        """The same of all answers, where the beginning of a change is known and any is worth a sentence."""
        return min(self.most(probability, ("all", "")) * TOLERANCE_KNOWN / TOLERANCE, PROMISED_MAX)

    def _learn(self, known: Sequence[Past], utterances: int) -> None:
        complained: dict[Key, float] = {}
        promised: dict[Key, float] = {}
        expected = self._complains.wrong(_rows([one.facts for one in known]))
        for one, probability in zip(known, expected, strict=True):
            for key in one.keys:
                self.shares[key] = self.shares.get(key, 0.0) + 1 / utterances
                complained[key] = complained.get(key, 0.0) + one.complaint
                promised[key] = promised.get(key, 0.0) + float(probability)
        for key, much in promised.items():
            # Luck in the reference is no promise: a standard error more may well be usual.
            unsure = math.sqrt(complained[key] + 1)
            self._ratios[key] = max(1.0, (complained[key] + PRIOR + unsure) / (much + PRIOR))


def _fitted(known: Sequence[Past], happened: Sequence[float]) -> Calibration:
    if not known:
        return calibration.fit(_rows([]), np.zeros(0))
    return calibration.fit(_rows([one.facts for one in known]), np.asarray(happened, float))


def _wrong(fitted: Calibration, facts: Facts) -> float:
    bias, slope = fitted.weights.tolist()
    return 1 / (1 + math.exp(-(bias + slope * calibration.sureness(facts))))


def _rows(facts: Sequence[Facts]) -> Floats:
    """How sure alone: of a few complaints more cannot be learnt."""
    rows = [[1.0, calibration.sureness(one)] for one in facts]
    return np.array(rows).reshape(-1, 2)


def _bounds(facts: Iterable[Facts]) -> list[tuple[str, float, float]]:
    known = list(facts)
    found = []
    for name in SOUND:
        values = [value for one in known if (value := getattr(one, name)) is not None]
        if len(values) >= UTTERANCES_MIN // 2:
            low, high = np.quantile(values, [OUTSIDE_SHARE, 1 - OUTSIDE_SHARE])
            found.append((name, float(low), float(high)))
    return found
