"""Which of many phrases sound most like some phones: 20,000 titles in a few milliseconds.

Those that share most runs of three kinds of phones (CLASSES) are measured by `distance`. Built from the titles'
pronunciations alone, and never changed.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from cloud.pronouncing.distance import Candidates, candidates, distances
from cloud.pronouncing.phones import CLASS_OF, CLASSES, LEFT_OUT, Phones

SHORTLIST = 1200
"""Pronunciations that are measured of all."""
SIZES = (2, 3)
"""Kinds in a run."""
_EDGE = len(CLASSES) + 1
_KINDS = _EDGE + 1

Integers = npt.NDArray[np.int64]


class Near(NamedTuple):
    """A phrase that was found."""

    phrase: int
    """Its place in the list."""
    distance: float
    """See distance.py."""
    likeness: float
    """1: the same phones; 0: no more like them than silence is."""


class Nearest:
    """Phrases by their sound."""

    def __init__(self, phrases: Sequence[Sequence[Phones]]) -> None:
        """`phrases`: the variants of each; one without any is never found."""
        said = [phones for variants in phrases for phones in variants]
        self._owners = np.repeat(np.arange(len(phrases)), [len(variants) for variants in phrases])
        self._said: Candidates = candidates(said)
        inside = np.arange(self._said.phones.shape[1]) < self._said.lengths[:, np.newaxis]
        self._silence = np.where(inside, LEFT_OUT[self._said.phones], 0).sum(axis=1)
        rows, runs = _runs(self._said)
        order = np.argsort(runs, kind="stable")
        self._rows = rows[order].astype(np.int32)
        self._runs, self._starts = np.unique(runs[order], return_index=True)
        self._ends = np.append(self._starts[1:], len(order))
        # Rare runs tell more; Spärck Jones 1972.
        self._weights = np.log((1 + len(said)) / (self._ends - self._starts)).astype(np.float32)
        squares = np.repeat(self._weights**2, self._ends - self._starts)
        self._norms = np.sqrt(np.bincount(self._rows, squares, minlength=len(said))).astype(np.float32) + 1e-6

    def __len__(self) -> int:
        return len(self._said.lengths)

    def find(self, said: Phones, most: int = 10, shortlisted: int = SHORTLIST) -> list[Near]:
        """The phrases that sound most like `said`, the nearest first, each once; of so many pronunciations measured."""
        if not said or not len(self):
            return []
        shortlist = self._shortlist(said, shortlisted)
        far = distances(said, self._said.take(shortlist))
        order = np.lexsort((shortlist, far))
        found: dict[int, Near] = {}
        for place in order:
            row = shortlist[place]
            phrase, distance = int(self._owners[row]), float(far[place])
            if phrase not in found:
                longer = max(float(LEFT_OUT[list(said)].sum()), float(self._silence[row]))
                found[phrase] = Near(phrase, distance, max(0.0, 1 - distance / longer))
            if len(found) == most:
                break
        return list(found.values())

    def _shortlist(self, said: Phones, count: int) -> Integers:
        _, runs = _runs(candidates([said]))
        places = np.searchsorted(self._runs, runs)
        places = places[places < len(self._runs)]
        places = places[np.isin(self._runs[places], runs)]
        if len(self) <= count or not len(places):
            return np.arange(min(len(self), count))
        rows = np.concatenate([self._rows[self._starts[place] : self._ends[place]] for place in places])
        weights = np.repeat(self._weights[places] ** 2, self._ends[places] - self._starts[places])
        shared = np.bincount(rows, weights, minlength=len(self)) / self._norms
        return np.sort(np.argpartition(-shared, count)[:count])


def _runs(said: Candidates) -> tuple[Integers, Integers]:
    """Rows, and the runs of kinds that are in them, as numbers, each once a row."""
    kinds = np.frombuffer(CLASS_OF, np.uint8)[said.phones].astype(np.int64)
    kinds[np.arange(kinds.shape[1]) >= said.lengths[:, np.newaxis]] = _EDGE
    edge = np.full((len(kinds), 1), _EDGE)
    kinds = np.concatenate([edge, kinds, edge], axis=1)
    found = []
    for size in SIZES:
        places = np.arange(kinds.shape[1] - size + 1)
        runs = np.zeros((len(kinds), len(places)), np.int64)
        for step in range(size):
            runs = runs * _KINDS + kinds[:, step : step + len(places)]
        rows, at = np.nonzero(places + size <= said.lengths[:, np.newaxis] + 2)
        found.append(rows * _KINDS ** (SIZES[-1] + 1) + runs[rows, at] * len(SIZES) + SIZES.index(size))
    each = np.unique(np.concatenate(found))
    return each // _KINDS ** (SIZES[-1] + 1), each % _KINDS ** (SIZES[-1] + 1)
