"""A condition that clips meet or do not: a property with a value, or on one side of a figure."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from models.errors.outcome import Outcome

Met = npt.NDArray[np.bool_]
"""By which clips a condition is met, shape (clips,)."""

CLIPS_MIN = 15
"""Fewer clips show nothing."""
QUANTILES = (0.1, 0.2, 0.33, 0.5, 0.67, 0.8, 0.9)
"""Where figures are cut: the ends, where it is hard, closer."""


class Condition(NamedTuple):
    """Such as ``noise = kitchen`` or ``snr_db < 10``."""

    property: str
    relation: str
    """``=``, ``<`` or ``≥``."""
    value: str | float

    def is_met_by(self, properties: Mapping[str, str | float]) -> bool:
        """Whether a clip is one of those."""
        value = properties.get(self.property)
        if value is None or isinstance(value, str) or isinstance(self.value, str):
            return self.relation == "=" and value == self.value
        return value < self.value if self.relation == "<" else value >= self.value

    def __str__(self) -> str:
        value = self.value if isinstance(self.value, str) else f"{self.value:.4g}"
        return f"{self.property} {self.relation} {value}"


def conditions(outcomes: Sequence[Outcome]) -> tuple[list[Condition], npt.NDArray[np.bool_]]:
    """All that at least CLIPS_MIN clips meet and as many do not, and by which clips: shape (conditions, clips)."""
    found: list[Condition] = []
    met: list[Met] = []
    for condition, by in _candidates(outcomes):
        if CLIPS_MIN <= by.sum() <= len(outcomes) - CLIPS_MIN and not any(np.array_equal(by, other) for other in met):
            found.append(condition)
            met.append(by)
    return found, np.array(met, np.bool_).reshape(len(found), len(outcomes))


def _candidates(outcomes: Sequence[Outcome]) -> Iterator[tuple[Condition, Met]]:
    names = dict.fromkeys(name for one in outcomes for name in one.properties)
    for name in names:
        values = [one.properties.get(name) for one in outcomes]
        if any(isinstance(value, str) for value in values):
            for text, _ in Counter(value for value in values if value is not None).most_common():
                yield Condition(name, "=", text), np.array([value == text for value in values])
            continue
        numbers = np.array([np.nan if value is None else value for value in values], np.float64)
        for cut in np.unique(_round(np.nanquantile(numbers, QUANTILES))):
            yield Condition(name, "<", float(cut)), numbers < cut
            yield Condition(name, "≥", float(cut)), numbers >= cut


def _round(cuts: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """To figures that a person would say: two digits of what tells them apart."""
    spread = float(np.ptp(cuts))
    if spread <= 0:
        return cuts
    step = 10.0 ** (np.floor(np.log10(spread)) - 1)
    return np.asarray(np.round(cuts / step) * step)
