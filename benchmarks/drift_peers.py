"""What others do about drift, each with its usual settings: tests of batches, and a window that adapts.

Kolmogorov and Smirnov's test of each feature, a batch of 50 utterances against what was learnt from, at 0.05; with
Bonferroni's correction over the features; and as evidently has it for so few rows (documented rule, by hand: drift of
the data where half of the columns drift). ADWIN (Bifet and Gavaldà 2007) as river has it, one for each feature.
"""

from importlib.util import find_spec
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

BATCH = 50
ALPHA = 0.05
COLUMNS_SHARE = 0.5

Floats = npt.NDArray[np.float64]


class Peer(Protocol):
    """Watches rows of features, after it was shown what is usual."""

    def learn(self, rows: Floats) -> None: ...

    def push(self, row: Floats) -> bool:
        """Whether it tells drift with this row."""


class Batches:
    """Tests of batches by a rule over the features' p-values."""

    def __init__(self, rule: str) -> None:
        self._rule = rule
        self._batch: list[Floats] = []

    def learn(self, rows: Floats) -> None:
        self._reference = rows

    def push(self, row: Floats) -> bool:
        from scipy.stats import ks_2samp

        self._batch.append(row)
        if len(self._batch) < BATCH:
            return False
        batch = np.array(self._batch)
        self._batch = []
        found = []
        for now, before in zip(batch.T, self._reference.T, strict=True):
            now, before = now[~np.isnan(now)], before[~np.isnan(before)]
            if len(now) >= BATCH // 2 and len(before) >= BATCH:
                found.append(float(ks_2samp(now, before).pvalue))
        match self._rule:
            case "any":
                return any(p < ALPHA for p in found)
            case "bonferroni":
                return any(p < ALPHA / len(found) for p in found)
            case _:
                return sum(p < ALPHA for p in found) >= COLUMNS_SHARE * len(found)


class Adwin:
    """River's, one a feature; it has seen what was learnt from."""

    def learn(self, rows: Floats) -> None:
        from river import drift  # A second that only who measures needs.

        # Typed where it is installed, and not where it is not.
        adwin: Any = drift.ADWIN
        self._detectors = [adwin() for _ in rows.T]
        for row in rows:
            self.push(row)

    def push(self, row: Floats) -> bool:
        told = False
        for detector, value in zip(self._detectors, row, strict=True):
            if not np.isnan(value):
                detector.update(float(value))
                told |= detector.drift_detected
        return told


def peers() -> dict[str, Peer]:
    """New ones, by name; without ADWIN where river is not installed, which only benchmarks need."""
    found: dict[str, Peer] = {
        "KS, any feature": Batches("any"),
        "KS, Bonferroni": Batches("bonferroni"),
        "evidently's rule": Batches("half"),
    }
    return found | ({"ADWIN": Adwin()} if find_spec("river") is not None else {})
