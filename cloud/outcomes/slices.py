"""Slices of what was answered in which more is wrong than elsewhere, by what mending each would gain. Pure.

As models/errors does with a test set, and in the same words, of answers of which little is known: a slice's rate is of
those that are known to be wrong, which is the least that are. It is told if no luck explains it beside the rest, with
so many slices looked at (Bonferroni); the one that would gain most is taken, its answers are laid aside, and the rest
is looked at again, so that one trouble is told once.
"""

import math
from collections.abc import Sequence
from functools import lru_cache
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from cloud.outcomes.calibration import Floats
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

WORDS_MAX = 4096
"""Transcripts whose words are kept."""

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
    known: Rate
    """Known to be wrong, of all answers of the slice: the least that are wrong."""
    rest: float
    """The same of all others that are in no slice told before."""
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
        least = min((one.chance for one in answers if one.chance is not None), default=1.0)
        self._weighed = self._weights * np.array([_worth(one, least) for one in answers])

    def all(self) -> Rate:
        """Known to be wrong, of all answers."""
        return _rate(float(self._weights.sum()), float(self._weighed.sum()), float((self._weighed**2).sum()))

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

    def kind(self, kind: str, most: int) -> list[Slice]:
        """Those of a kind with enough answers, so many, the worst first."""
        every = np.ones(len(self._answers), np.bool_)
        counted = self._counted(every)
        named = [
            (counted.rate(number), key)
            for number, key in enumerate(self._keys)
            if key[0] == kind and counted.read[number] >= ANSWERS_MIN
        ]
        named.sort(key=lambda one: (-one[0].low, -one[0].rate, one[1]))
        return [self.of(key, every) for _, key in named[:most]]

    def of(self, key: Key, left: npt.NDArray[np.bool_]) -> Slice:
        """One, among the answers that are left."""
        inside = np.zeros(len(self._answers), np.bool_)
        inside[self._place[self._key == self._numbers[key]]] = True
        inside &= left
        weighed = self._weighed[inside]
        answers, total = float(self._weights[inside].sum()), float(self._weights.sum())
        known = _rate(answers, float(weighed.sum()), float((weighed**2).sum()))
        others = left & ~inside
        rest = float(self._weighed[others].sum()) / max(float(self._weights[others].sum()), 1.0)
        share = answers / max(total, 1.0)
        places = [int(place) for place in np.flatnonzero(inside & self._wrong)]
        places.sort(key=lambda place: -(self._answers[place].facts.at_unix_us or 0))
        return Slice(
            key,
            round(answers),
            share,
            known,
            rest,
            share * (known.rate - rest),
            places,
        )

    def _best(self, left: npt.NDArray[np.bool_]) -> Key | None:
        """The slice that is no luck with the largest gain, or the rarest of those that gain nearly as much."""
        counted = self._counted(left)
        answers, weighed = counted.answers, counted.weighed
        total, all_wrong = float(self._weights[left].sum()), float(self._weighed[left].sum())
        others = total - answers
        asked = (counted.read >= ANSWERS_MIN) & (counted.bad >= WRONG_MIN) & (others >= ANSWERS_MIN)
        if not asked.any():
            return None
        rest = (all_wrong - weighed) / np.maximum(others, 1.0)
        gain = answers / total * (weighed / np.maximum(answers, 1.0) - rest)
        z = NormalDist().inv_cdf(1 - FALSE_SHARE / int((counted.read >= ANSWERS_MIN).sum()))
        wide = max(1.0, float((self._weighed[left] ** 2).sum()) / max(all_wrong, 1e-9))
        pooled = all_wrong / total * (1 - all_wrong / total) * wide
        # Of the rest, too, nobody knows the rate exactly.
        beyond = gain / np.maximum(answers / total, 1e-9) > z * np.sqrt(
            pooled * (1 / np.maximum(answers, 1) + 1 / np.maximum(others, 1))
        )
        told = [
            number
            for number in map(int, np.flatnonzero(asked & beyond & (weighed >= TIMES_MIN * rest * answers)))
            if counted.rate(number, z).low > rest[number]
        ]
        if not told:
            return None
        most = max(gain[number] for number in told)
        near = [number for number in told if gain[number] >= AS_GOOD * most]
        return self._keys[min(near, key=lambda number: (answers[number], self._keys[number]))]

    def _counted(self, left: npt.NDArray[np.bool_]) -> "_Counted":
        """Among the answers that are left."""
        is_left = left[self._place]
        keys, places = self._key[is_left], self._place[is_left]
        weighed = self._weighed[places]
        ones = np.ones(len(places))
        every: tuple[Floats, ...] = (ones, ones * self._wrong[places], self._weights[places], weighed, weighed**2)
        return _Counted(*(np.asarray(np.bincount(keys, each, len(self._keys)), np.float64) for each in every))


class _Counted(NamedTuple):
    """Of each key, shape (keys,)."""

    read: Floats
    """Answers that were read."""
    bad: Floats
    """Of them, those that are known to be wrong."""
    answers: Floats
    """That they stand for."""
    weighed: Floats
    squares: Floats

    def rate(self, number: int, z: float = Z) -> Rate:
        """Of a key."""
        return _rate(float(self.answers[number]), float(self.weighed[number]), float(self.squares[number]), z)


def keys_for(one: Judged) -> list[Key]:
    """What slices an answer is in; the values of facts by their names."""
    facts = one.facts
    keys: list[Key] = [key for key in keys_of(Seen(facts, _words(one.transcript), one.entry)) if key[0] != "all"]
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


def _worth(one: Judged, least: float) -> float:
    """What counts of an answer that is wrong. Unsure ones are drawn for labels more often than others, and what
    somebody picked says nothing of how many are wrong."""
    if not one.is_wrong:
        return 0.0
    if one.is_complained:
        return 1.0
    return 0.0 if one.chance is None else least / one.chance


@lru_cache(WORDS_MAX)
def _words(transcript: str) -> tuple[str, ...]:
    """Most is said again and again."""
    return tuple(plain_words(transcript))


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
