"""What is usual for a stream of rows: how each number lies, by the time of day and week, and how long it lingers. Pure.

A new value becomes a score, about standard normal while nothing changed: its rank among what was learnt (so heavy
tails and steps do not matter), beyond them by how far it is off. Seasons are taken out before. What lingers (the same
person says several things, a tap runs for minutes) makes a mean of n utterances less sure than n strangers would: by
how much is learnt as well, from the autocorrelation (Geyer 1992).
"""

from collections.abc import Sequence
from statistics import NormalDist

import msgspec
import numpy as np
import numpy.typing as npt

from cloud.drift.seasons import Seasons, seasons_of
from cloud.drift.sitting import alike_of, begins, first_of, news_of

Floats = npt.NDArray[np.float64]

LEAST = 40
"""Fewer values of a feature say not what is usual; it is not watched."""
QUANTILES = 33
SCORE_MAX = 4.0
"""One utterance says no more, however far off it is."""

EQUAL = 4
"""Values that are nearer to each other than so many to a step are one."""
LAGS = 25
LINGER_MAX = 12.0
UNSURE = 1.25
"""An autocorrelation is known from few utterances; too small a one would be told as a change."""

_GRID = np.array([NormalDist().inv_cdf((at + 0.5) / QUANTILES) for at in range(QUANTILES)])


class Reference(msgspec.Struct, frozen=True):
    """Of features in a fixed order; lists of lists are (features, knots)."""

    count: int
    """Utterances that it was learnt from."""
    seasons: Seasons
    scales: list[float]
    """A standard deviation that outliers do not move, and not below the feature's step."""
    knots: list[list[float]]
    """Values off the season's mean, rising; empty: this feature is not watched."""
    scores: list[list[float]]
    """Of each knot."""
    linger: list[float]
    """How many times more a mean of scores varies than if utterances knew nothing of each other."""
    linger_squared: list[float]
    """The same of their squares."""
    alike: list[float] = []
    """How much scores of one sitting have in common, see sitting.py; what lingers is what is left. Empty: nothing."""

    def score(self, values: Floats, at_unix_us: int | None) -> Floats:
        """The scores of a row's features, NaN where a value is missing or not watched."""
        off = values - self.seasons.usual(at_unix_us)
        found = np.full(len(self.knots), np.nan)
        for number, knots in enumerate(self.knots):
            if knots and not np.isnan(off[number]):
                found[number] = self._of(number, float(off[number]), knots)
        return found

    def _of(self, number: int, value: float, knots: list[float]) -> float:
        scores = self.scores[number]
        if value < knots[0]:
            return max(-SCORE_MAX, scores[0] - (knots[0] - value) / self.scales[number])
        if value > knots[-1]:
            return min(SCORE_MAX, scores[-1] + (value - knots[-1]) / self.scales[number])
        return max(-SCORE_MAX, min(SCORE_MAX, float(np.interp(value, knots, scores))))


def learnt(
    values: Floats, at_unix_us: Sequence[int | None], steps: Sequence[float], boards: Sequence[str] = ()
) -> Reference:
    """From rows in their order, (utterances, features); `steps` are the features' own. `boards`: of each row; none: all
    are one's."""
    first = begins(boards or [""] * len(values), at_unix_us)
    seasons = seasons_of(values, at_unix_us)
    off = values - np.array([seasons.usual(at) for at in at_unix_us])
    scales = list(steps)
    knots: list[list[float]] = [[] for _ in steps]
    scores: list[list[float]] = [[] for _ in steps]
    linger, squared, alike = [1.0] * len(steps), [1.0] * len(steps), [0.0] * len(steps)
    for number, every in enumerate(off.T):
        own = every[~np.isnan(every)]
        if len(own) < LEAST:
            continue
        scales[number] = max(steps[number], _scale(own))
        knots[number], scores[number] = _ranks(own, steps[number])
        its = np.clip(np.interp(own, knots[number], scores[number]), -SCORE_MAX, SCORE_MAX)
        begun = first_of(first, ~np.isnan(every))
        alike[number] = alike_of(its, begun)
        news = np.clip(news_of(its, begun, alike[number]), -SCORE_MAX, SCORE_MAX)
        linger[number], squared[number] = lingering(news), lingering(np.square(its))
    return Reference(len(values), seasons, scales, knots, scores, linger, squared, alike)


def lingering(scores: Floats) -> float:
    """How many times more the mean of scores in their order varies than that of strangers would; from 1."""
    centred = scores - scores.mean()
    power = float(centred @ centred)
    if power <= 0:
        return 1.0
    lags = min(LAGS, len(scores) // 4)
    total = 0.0
    for lag in range(1, lags + 1):
        alike = float(centred[lag:] @ centred[:-lag]) / power
        total += max(0.0, alike) * (1 - lag / (lags + 1))
    return min(LINGER_MAX, 1 + 2 * UNSURE * total)


def _scale(rest: Floats) -> float:
    low, high = np.quantile(rest, [0.1, 0.9])
    return float(high - low) / 2.563


def _ranks(rest: Floats, step: float) -> tuple[list[float], list[float]]:
    """Knots and their scores: the normal quantiles of their ranks, equal values sharing one; of mean 0 and spread 1,
    or less where all lie closer together than the step."""
    values = np.quantile(rest, (np.arange(QUANTILES) + 0.5) / QUANTILES)
    # What differs by the season's mean alone is equal.
    grid = step / EQUAL
    knots, place = np.unique(np.rint(values / grid) * grid, return_inverse=True)
    scores = np.bincount(place, _GRID) / np.bincount(place)
    its = np.interp(rest, knots, scores)
    spread = float(its.std())
    narrow = min(1.0, float(rest.std()) / step)
    scores = (scores - its.mean()) * (narrow / spread if spread > 0 else 0.0)
    return knots.tolist(), scores.tolist()
