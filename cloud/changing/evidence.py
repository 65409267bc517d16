"""What a stream of bounded numbers says of its mean, however often somebody looks. Pure.

Bets against a claim about the mean: whoever bets against a true claim hardly ever becomes much richer, so that great
wealth tells that it is false. Wealth is a martingale, so one may look after each number and stop whenever one likes
(Ville's inequality): a true claim is given up with probability 1/threshold, ever.

Sources: I. Waudby-Smith and A. Ramdas, Estimating means of bounded random variables by betting, J. R. Stat. Soc. B 86
(2024): `Bet` is their diversified Kelly betting, `Interval` their predictable plug-in empirical-Bernstein confidence
sequence (theorem 2). R. Turner, A. Ly and P. Gruenwald, Generic E-variables for exact sequential k-sample tests that
allow for optional stopping (2021): the bet on two groups.
"""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

BELIEFS: npt.NDArray[np.float64] = np.geomspace(0.01, 0.32, 6)
PARTS: npt.NDArray[np.float64] = np.array([0.05, 0.05, 0.15, 0.4, 0.25, 0.1])
"""Differences beyond the bound that the gamblers believe in, and their parts of the wealth: most is for those of some
points, which is what a candidate is tried for."""

STAKE_MAX = 0.9
"""Of what would ruin them."""

SLACK = 0.25
"""Numbers of groups are within -SLACK and 1 + SLACK."""


class Bet:
    """Against the claim that a difference's mean is not above a bound (or, `above=False`, not below it)."""

    def __init__(self, bound: float, *, above: bool) -> None:
        self._bound = bound
        self._sign = 1 if above else -1
        self._logs = np.zeros(len(BELIEFS))
        # What was seen before, which is all that a stake may depend on.
        self._count, self._squares = 4.0, 1.0
        self._numbers, self._sum = 2.0, 0.5

    def take(self, difference: float) -> None:
        """The next one, of an utterance that both heard; -1 to 1."""
        beyond = difference - self._bound
        stakes = np.minimum(BELIEFS * self._count / self._squares, STAKE_MAX / (1 + abs(self._bound)))
        self._logs += np.log1p(self._sign * stakes * beyond)
        self._count, self._squares = self._count + 1, self._squares + beyond * beyond

    def take_groups(self, candidates: Sequence[float], served: Sequence[float]) -> None:
        """The next numbers of two groups, at least one of each, within -SLACK and 1 + SLACK; the difference is of
        their means."""
        centre = min(max(self._sum / self._numbers, 0.02), 0.98)
        first = np.array(candidates) - self._bound - centre
        second = np.array(served) - centre
        # As much on the candidates as on the others, so that where both are alike nothing can be won.
        whole = BELIEFS / (centre * (1 - centre) * (1 / len(first) + 1 / len(second)))
        if self._sign > 0:
            ruin = min(len(first) / (centre + self._bound + SLACK), len(second) / (1 + SLACK - centre))
        else:
            ruin = min(len(first) / (1 + SLACK - self._bound - centre), len(second) / (centre + SLACK))
        stakes = self._sign * np.minimum(whole, STAKE_MAX * ruin)[:, None]
        self._logs += np.log1p(stakes / len(first) * first).sum(axis=1)
        self._logs += np.log1p(-stakes / len(second) * second).sum(axis=1)
        self._numbers += len(first) + len(second)
        self._sum += float(first.sum() + second.sum()) + centre * (len(first) + len(second))

    def state(self) -> list[float]:
        """All that it knows, for `go_on`."""
        return [self._count, self._squares, self._numbers, self._sum, *self._logs.tolist()]

    def go_on(self, state: Sequence[float]) -> None:
        """As if it had taken what made that state."""
        self._count, self._squares, self._numbers, self._sum, *logs = state
        self._logs = np.array(logs)

    @property
    def log_wealth(self) -> float:
        """Natural logarithm; 0 at the beginning. At log(1/alpha) the claim is false, at level alpha."""
        highest = float(self._logs.max())
        return highest + math.log(float(PARTS @ np.exp(self._logs - highest)))


class Interval:
    """Where a mean lies, at all times at once."""

    def __init__(self, alpha: float = 0.05, *, reach: float) -> None:
        """With probability alpha the mean is ever outside. The numbers are within -reach and reach."""
        self.count = 0
        self._reach = reach
        self._log_alpha = math.log(2 / alpha)
        # Of the numbers brought to 0 to 1.
        self._sum, self._squares = 0.0, 0.0
        self._weights, self._weighted, self._price = 0.0, 0.0, 0.0

    def take(self, number: float) -> None:
        """The next one."""
        share = (number / self._reach + 1) / 2
        self.count += 1
        before = (0.5 + self._sum) / self.count
        variance = (0.25 + self._squares) / self.count
        weight = min(0.5, math.sqrt(2 * self._log_alpha / (variance * self.count * math.log(1 + self.count))))
        self._weights += weight
        self._weighted += weight * share
        self._price += (share - before) ** 2 * (-math.log1p(-weight) - weight)
        self._sum += share
        self._squares += (share - (0.5 + self._sum) / (self.count + 1)) ** 2

    def state(self) -> list[float]:
        """All that it knows, for `go_on`."""
        return [self.count, self._sum, self._squares, self._weights, self._weighted, self._price]

    def go_on(self, state: Sequence[float]) -> None:
        """As if it had taken what made that state."""
        count, self._sum, self._squares, self._weights, self._weighted, self._price = state
        self.count = int(count)

    @property
    def mean(self) -> float:
        """Of the numbers; 0 where there are none."""
        return self._reach * (2 * self._sum / self.count - 1) if self.count else 0.0

    @property
    def bounds(self) -> tuple[float, float]:
        """Within -reach and reach."""
        if not self.count:
            return -self._reach, self._reach
        middle = self._weighted / self._weights
        half = (self._log_alpha + self._price) / self._weights
        low, high = max(0.0, middle - half), min(1.0, middle + half)
        return self._reach * (2 * low - 1), self._reach * (2 * high - 1)
