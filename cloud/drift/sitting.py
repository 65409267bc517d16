"""What is said in one sitting is alike: the same person, in the same room, says the same again. Pure.

A board hears little for hours and then ten utterances in as many minutes. To count these as ten, or all utterances as a
tenth of one, are both wrong. So each is compared with what the ones before it in its sitting lead to expect (a random
effect of the sitting, whose share of the variance was learnt): what is left knows nothing of them, and says the less of
a lasting change the more of them there were.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

APART_US = 600_000_000
"""Who says nothing for so long has gone."""
ALIKE_MAX = 0.8


class News(NamedTuple):
    """Of an utterance."""

    scores: Floats
    """What the sitting did not lead to expect, with a spread of 1; NaN where one is missing."""
    weights: Floats
    """What a lasting shift by 1 shifts them by: 1 in the first utterance of a sitting, less in each further one."""


class Sitting:
    """Of one stream."""

    def __init__(self, alike: Floats) -> None:
        """`alike`: of each number, from `alike_of`; one for all of them is broadcast."""
        self._alike = alike
        self.begin()

    def begin(self) -> None:
        """Another one."""
        self.sums: Floats = np.zeros(np.shape(self._alike))
        self.counts: Floats = np.zeros(np.shape(self._alike))

    def push(self, scores: Floats) -> News:
        """The next utterance of it."""
        alike, count = self._alike, self.counts
        share = alike / (1 + np.maximum(count - 1, 0) * alike)
        spread = np.sqrt(1 - alike * share * count)
        weights: Floats = (1 - share * count) / spread
        found = (scores - share * self.sums) / spread
        known = ~np.isnan(scores)
        self.sums = self.sums + np.where(known, scores, 0.0)
        self.counts = self.counts + known
        return News(found, weights)


def begins(boards: Sequence[str], at_unix_us: Sequence[int | None]) -> list[bool]:
    """Of utterances in their order, which are the first of a sitting."""
    pairs = list(zip(boards, at_unix_us, strict=True))
    return [not number or is_apart(pairs[number - 1], pair) for number, pair in enumerate(pairs)]


def is_apart(before: tuple[str, int | None], after: tuple[str, int | None]) -> bool:
    """Whether they are not of one sitting, each by its board and time; nobody knows when: they are not."""
    if before[0] != after[0] or before[1] is None or after[1] is None:
        return True
    return abs(after[1] - before[1]) > APART_US


def first_of(first: Sequence[bool], kept: Bools) -> list[bool]:
    """Of some of the utterances, which are the first of their sitting among these."""
    numbers: list[int] = np.cumsum(first)[kept].tolist()
    return [not place or number != numbers[place - 1] for place, number in enumerate(numbers)]


def alike_of(scores: Floats, first: Sequence[bool]) -> float:
    """The share of the variance that is the sitting's (an intraclass correlation), of scores in their order without
    what is missing, 0 to ALIKE_MAX."""
    centred = scores - scores.mean()
    power = float(np.square(centred).mean()) if len(centred) else 0.0
    starts = np.flatnonzero(np.array(first, bool))
    if power <= 0 or len(starts) >= len(centred):
        return 0.0
    sums, squares = np.add.reduceat(centred, starts), np.add.reduceat(np.square(centred), starts)
    sizes = np.diff([*starts.tolist(), len(centred)])
    # Of all pairs of a sitting; a long one has more of them than it deserves.
    weights = 1 / np.maximum(sizes - 1, 1)
    pairs = float((weights * sizes * (sizes - 1)).sum())
    return float(np.clip((weights * (np.square(sums) - squares)).sum() / pairs / power, 0.0, ALIKE_MAX))


def news_of(scores: Floats, first: Sequence[bool], alike: float) -> Floats:
    """What each of scores in their order adds to its sitting."""
    sitting = Sitting(np.array(alike))
    found = np.empty(len(scores))
    for number, (score, is_first) in enumerate(zip(scores, first, strict=True)):
        if is_first:
            sitting.begin()
        found[number] = sitting.push(np.asarray(score)).scores
    return found
