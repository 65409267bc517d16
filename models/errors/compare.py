"""Whether one model is better than another on the same clips, and which clips changed."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from common.errors import DataError
from models.errors.outcome import Outcome

DRAWS = 10_000
SEED = 1


class Comparison(NamedTuple):
    """Of B with A; a negative difference says that B errs less."""

    clips: int
    rate_a: float
    rate_b: float
    difference_low: float
    difference_high: float
    """95 % interval of rate_b - rate_a."""
    mended: tuple[tuple[Outcome, Outcome], ...]
    """Clips on which B errs less."""
    broken: tuple[tuple[Outcome, Outcome], ...]

    @property
    def difference(self) -> float:
        return self.rate_b - self.rate_a

    @property
    def is_luck(self) -> bool:
        """Whether the interval holds no difference at all."""
        return self.difference_low <= 0 <= self.difference_high


def compare(a: Sequence[Outcome], b: Sequence[Outcome]) -> Comparison:
    """By a paired bootstrap (Efron 1979), drawn by speaker where speakers are known: clips of one voice stand or fall
    together. DataError where the two share no clips."""
    by_path = {one.path: one for one in b}
    pairs = [(one, by_path[one.path]) for one in a if one.path in by_path]
    if not pairs:
        raise DataError("The two were not measured on the same clips: no path is in both.")
    groups = np.unique([str(one.properties.get("speaker", one.path)) for one, _ in pairs], return_inverse=True)[1]
    sums = np.array([np.bincount(groups, column) for column in zip(*map(_row, pairs), strict=True)])
    draw = np.random.default_rng(SEED)
    drawn = draw.multinomial(sums.shape[1], np.full(sums.shape[1], 1 / sums.shape[1]), DRAWS) @ sums.T
    low, high = np.quantile((drawn[:, 1] - drawn[:, 0]) / drawn[:, 2], [0.025, 0.975])
    errors_a, errors_b, units = sums.sum(axis=1)
    changed = [(one, other) for one, other in pairs if one.errors != other.errors]
    return Comparison(
        len(pairs),
        float(errors_a / units),
        float(errors_b / units),
        float(low),
        float(high),
        tuple(pair for pair in changed if pair[1].errors < pair[0].errors),
        tuple(pair for pair in changed if pair[1].errors > pair[0].errors),
    )


def _row(pair: tuple[Outcome, Outcome]) -> tuple[float, float, float]:
    return pair[0].errors, pair[1].errors, pair[0].units
