"""Which phrases of a list sound alike: homophones, and those that a noise makes the same.

Phrases are compared whose kinds of phones are the same but for one that is changed or left out: Garbe's symmetric
deletes (SymSpell, 2012). All homophones are found, and of 10,000 values in two seconds most of what is near.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from cloud.pronouncing.distance import Candidates, candidates, pairwise
from cloud.pronouncing.phones import CLASS_OF, LEFT_OUT, Costs, Phones, numbers

NEAR = 0.12
"""Distance by phones of the longer phrase: "fifteen" and "fifty" are this near, "light" and "night" are not."""
CROWD = 48
"""Of more phrases of the same kinds each is compared with so many that follow it in the order of phones."""
BATCH = 50_000

_WEAK = numbers("AH IH UH HH Y")
"""Come and go."""
_LEAST_LEFT_OUT = float(LEFT_OUT[LEFT_OUT > 0].min())
Rows = npt.NDArray[np.int64]
Pairs = Rows


class Alike(NamedTuple):
    """Two phrases by their places in the list, the first before the second."""

    first: int
    second: int
    distance: float
    """Of the two variants that are nearest, see distance.py; 0: homophones."""
    nearness: float
    """The same by phones of the longer: up to what was asked for."""


def sounding_alike(phrases: Sequence[Sequence[Phones]], near: float = NEAR) -> list[Alike]:
    """Pairs of phrases that sound alike, the worst first.

    `phrases`: the variants of each. `near`: the most distance by phone that counts, 0 for homophones alone.
    """
    said = [(phones, place) for place, variants in enumerate(phrases) for phones in dict.fromkeys(variants) if phones]
    said.sort()
    owners = np.array([place for _, place in said], np.int64)
    pairs = _candidates([phones for phones, _ in said], owners, near)
    together = candidates([phones for phones, _ in said])
    found: dict[tuple[int, int], Alike] = {}
    for start in range(0, len(pairs), BATCH):
        some = pairs[start : start + BATCH]
        for pair, distance, nearness in zip(some, *_measured(together, some), strict=True):
            if nearness <= near:
                first, second = sorted(int(owner) for owner in owners[pair])
                alike = Alike(first, second, float(distance), float(nearness))
                found[first, second] = min(alike, found.get((first, second), alike), key=_worst_first)
    return sorted(found.values(), key=_worst_first)


def _worst_first(alike: Alike) -> tuple[float, int, int]:
    return alike.nearness, alike.first, alike.second


def _measured(said: Candidates, pairs: Pairs) -> tuple[Costs, Costs]:
    ones, others = said.take(pairs[:, 0]), said.take(pairs[:, 1])
    far = pairwise(ones, others)
    longer: Costs = np.maximum(ones.lengths, others.lengths).astype(np.float32)
    return far, far / longer


def _candidates(said: Sequence[Phones], owners: Rows, near: float) -> Pairs:
    """(pairs, 2) rows of `said`, which is in order, that may sound alike; each once, of different owners."""
    rows: dict[bytes, list[int]] = {}
    for row, phones in enumerate(said):
        kinds = phones.translate(CLASS_OF, _WEAK)
        # In a short one a phone of another kind is too much already.
        fewer = range(len(kinds) if near * len(phones) >= _LEAST_LEFT_OUT else 0)
        for key in {kinds, *(kinds[:at] + kinds[at + 1 :] for at in fewer)}:
            rows.setdefault(key, []).append(row)
    size = len(said)
    keys = [_close(np.array(its, np.int64), size) for its in rows.values() if len(its) > 1]
    each = np.sort(np.concatenate(keys)) if keys else np.empty(0, np.int64)
    each = each[np.diff(each, prepend=-1) > 0]
    pairs = np.stack(np.divmod(each, max(1, size)), axis=1)
    others: Pairs = pairs[owners[pairs[:, 0]] != owners[pairs[:, 1]]]
    return others


def _close(rows: Rows, size: int) -> Rows:
    """Pairs of ascending rows that follow each other closely enough, as numbers."""
    steps = range(1, min(CROWD, len(rows) - 1) + 1)
    return np.concatenate([rows[:-step] * size + rows[step:] for step in steps])
