"""Slices of what was answered in which more is wrong than elsewhere, by what mending each would gain. Pure.

As models/errors does with a test set, and in the same words, of answers of which little is known: a slice's rate is of
those that are known to be wrong, which is the least that are. It is told if no luck explains it beside the rest, with
so many slices looked at (Bonferroni); the one that would gain most is taken, its answers are laid aside, and the rest
is looked at again, so that one trouble is told once.
"""

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from cloud.outcomes.concept import Seen, keys_of
from cloud.outcomes.judged import Judged
from cloud.outcomes.outcome import plain_words

ANSWERS_MIN = 15
"""Fewer show nothing."""
WRONG_MIN = 3
FALSE_SHARE = 0.05
"""Chance that any slice is told where there is nothing but luck."""
TIMES_MIN = 1.5
"""Times the rest's rate: less is not worth a sentence."""
AS_GOOD = 0.75
"""What would gain so much of the most explains as much; the rarest is told."""
SLICES_MAX = 8
Z = 1.645
"""90 % of intervals hold the truth, as in error_rate.py."""

SNR_DB = (10.0, 20.0)
CONFIDENCE = (0.5, 0.8, 0.95)
"""Where these are cut."""

Key = tuple[str, str]
"""Kind and value: ("word", "latte"), ("board", "kitchen"), ("snr_db", "< 10")."""


class Rate(NamedTuple):
    """Of wrong answers, with a 90 % interval."""

    rate: float
    low: float
    high: float


class Slice(NamedTuple):
    """Of all answers."""

    key: Key
    answers: int
    share: float
    """Of all."""
    looked_at: int
    """Of those that were read, the ones of which it is known whether they were right."""
    wrong: int
    """Of them."""
    known: Rate
    """Known to be wrong, of all answers of the slice: the least that are wrong."""
    rest: float
    """The same of all other answers."""
    gain: float
    """What the rate of all would fall by, if this slice erred as the rest does."""
    places: Sequence[int] = ()
    """Of those that are known to be wrong, the newest first."""


class Slices:
    """Of one log."""

    def __init__(self, answers: Sequence[Judged]) -> None:
        keys: dict[Key, int] = {}
        pairs = [(place, keys.setdefault(key, len(keys))) for place, one in enumerate(answers) for key in keys_for(one)]
        self._answers = answers
        self._keys = list(keys)
        self._numbers = keys
        self._place, self._key = np.array(pairs, np.int64).reshape(-1, 2).T
        self._weights = np.array([one.stands_for for one in answers], np.float64)
        self._wrong = np.array([one.is_wrong for one in answers], np.bool_)
        self._is_known = np.array([one.is_known for one in answers], np.bool_)

    def all(self) -> Rate:
        """Known to be wrong, of all answers."""
        weighed = self._weights * self._wrong
        return _rate(float(self._weights.sum()), float(weighed.sum()), float((weighed * self._weights).sum()))

    def worst(self) -> list[Slice]:
        """Those that are no luck, the one that would gain most first."""
        left, found = np.ones(len(self._answers), np.bool_), list[Slice]()
        while len(found) < SLICES_MAX:
            best = self._best(left)
            if best is None:
                break
            found.append(self.of(best, left))
            left[self._place[self._key == self._numbers[best]]] = False
        return sorted(found, key=lambda one: -one.gain)

    def kind(self, kind: str) -> list[Slice]:
        """All of a kind with enough answers, the worst first."""
        every = np.ones(len(self._answers), np.bool_)
        counts = np.bincount(self._key, minlength=len(self._keys))
        named = [key for key in self._keys if key[0] == kind and counts[self._numbers[key]] >= ANSWERS_MIN]
        return sorted((self.of(key, every) for key in named), key=lambda one: (-one.known.low, -one.known.rate))

    def of(self, key: Key, left: npt.NDArray[np.bool_]) -> Slice:
        """One, among the answers that are left."""
        inside = np.zeros(len(self._answers), np.bool_)
        inside[self._place[self._key == self._numbers[key]]] = True
        inside &= left
        weights, wrong = self._weights[inside], self._wrong[inside]
        answers, total = float(weights.sum()), float(self._weights[left].sum())
        weighed = weights * wrong
        known = _rate(answers, float(weighed.sum()), float((weighed * weights).sum()))
        others = left & ~inside
        rest = float((self._weights * self._wrong)[others].sum()) / max(float(self._weights[others].sum()), 1.0)
        share = answers / max(total, 1.0)
        places = [int(place) for place in np.flatnonzero(inside & self._wrong)]
        places.sort(key=lambda place: -(self._answers[place].facts.at_unix_us or 0))
        return Slice(
            key,
            round(answers),
            share,
            int(self._is_known[inside].sum()),
            int(wrong.sum()),
            known,
            rest,
            share * (known.rate - rest),
            places,
        )

    def _best(self, left: npt.NDArray[np.bool_]) -> Key | None:
        """The slice that is no luck with the largest gain, or the rarest of those that gain nearly as much."""
        counted = left[self._place]
        keys, places = self._key[counted], self._place[counted]
        size = len(self._keys)
        weights, wrong = self._weights[places], (self._weights * self._wrong)[places]
        read = np.bincount(keys, minlength=size)
        bad = np.bincount(keys, self._wrong[places], minlength=size)
        answers, weighed = np.bincount(keys, weights, minlength=size), np.bincount(keys, wrong, minlength=size)
        squares = np.bincount(keys, wrong * weights, minlength=size)
        total, all_wrong = float(self._weights[left].sum()), float((self._weights * self._wrong)[left].sum())
        others = total - answers
        asked = (read >= ANSWERS_MIN) & (bad >= WRONG_MIN) & (others >= ANSWERS_MIN)
        if not asked.any():
            return None
        rest = (all_wrong - weighed) / np.maximum(others, 1.0)
        gain = answers / total * (weighed / np.maximum(answers, 1.0) - rest)
        z = NormalDist().inv_cdf(1 - FALSE_SHARE / int((read >= ANSWERS_MIN).sum()))
        wide = float((self._weights**2 * self._wrong)[left].sum()) / max(all_wrong, 1.0)
        pooled = all_wrong / total * (1 - all_wrong / total) * wide
        # Of the rest, too, nobody knows the rate exactly.
        beyond = gain / np.maximum(answers / total, 1e-9) > z * np.sqrt(
            pooled * (1 / np.maximum(answers, 1) + 1 / np.maximum(others, 1))
        )
        told = [
            number
            for number in np.flatnonzero(asked & beyond & (weighed >= TIMES_MIN * rest * answers))
            if _rate(answers[number], weighed[number], squares[number], z).low > rest[number]
        ]
        if not told:
            return None
        most = max(gain[number] for number in told)
        near = [number for number in told if gain[number] >= AS_GOOD * most]
        return self._keys[min(near, key=lambda number: (answers[number], self._keys[number]))]


def keys_for(one: Judged) -> list[Key]:
    """What slices an answer is in; the values of facts by their names."""
    seen = Seen(one.facts, plain_words(one.transcript), one.entry)
    keys: list[Key] = [key for key in keys_of(seen) if key[0] != "all"]
    facts = one.facts
    if facts.intent is None:
        keys.append(("intent", ""))
    if not one.transcript:
        keys.append(("word", ""))
    keys.append(("board", facts.device_id))
    for kind in ("model", "edge_version", "domain_version"):
        if (value := getattr(facts, kind)) is not None:
            keys.append((kind, value))
    if facts.snr_db is not None:
        keys.append(("snr_db", _between(facts.snr_db, SNR_DB)))
    if facts.confidence is not None and one.transcript:
        keys.append(("confidence", _between(100 * facts.confidence, [100 * cut for cut in CONFIDENCE])))
    return keys


def _between(value: float, cuts: Sequence[float]) -> str:
    place = sum(value >= cut for cut in cuts)
    if place == 0:
        return f"< {cuts[0]:g}"
    return f"≥ {cuts[-1]:g}" if place == len(cuts) else f"{cuts[place - 1]:g} to {cuts[place]:g}"


def _rate(answers: float, wrong: float, squares: float, z: float = Z) -> Rate:
    """Wilson's interval (1927); `squares`: of what each that is wrong stands for, by which the interval is wider."""
    if answers <= 0:
        return Rate(0.0, 0.0, 1.0)
    count = answers / max(1.0, squares / wrong if wrong else 1.0)
    rate = min(1.0, wrong / answers)
    middle = (rate + z * z / (2 * count)) / (1 + z * z / count)
    reach = z * math.sqrt(rate * (1 - rate) / count + z * z / (4 * count * count)) / (1 + z * z / count)
    return Rate(rate, max(0.0, middle - reach), min(1.0, middle + reach))
