"""Slices of a test set in which a model errs more than elsewhere, by what mending each would gain over all clips.

A slice is a condition or two at once: all pairs are looked at, and so whatever a tree of depth two could find. A pair
counts if it errs more than either half of it without the other; a single condition counts unless a pair within it is
all the trouble. The slice that would gain most is taken, its clips are laid aside, and the rest is looked at again, so
that one trouble is told once.

Significance: how often as many errors would fall into a slice if they fell at random, by a Poisson distribution as
wide as the errors are (quasi-Poisson), for errors are few and the normal one is too kind to small slices. With so many
slices looked at, the share of false ones among those told is held (Benjamini and Hochberg 1995), and a pair beside its
halves must pass Bonferroni's limit.
"""

from collections.abc import Sequence
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import gammainc

from models.errors.condition import CLIPS_MIN, Condition, conditions
from models.errors.outcome import Outcome

FALSE_SHARE = 0.05
"""Of the slices that are told, at most so many are there by luck, on the average."""
REST_SHARE = 0.25
"""A condition whose clips outside of a pair make up less than this of its gain is told as that pair."""

SLICES_MAX = 30

Floats = npt.NDArray[np.float64]


class Slice(NamedTuple):
    """One of them, worst first."""

    conditions: tuple[Condition, ...]
    clips: int
    share: float
    """Of all units."""
    error_rate: float
    rest_rate: float
    """Of all clips that are in no slice."""
    gain: float
    """What the error rate over all would fall by, if this slice erred as the rest does."""
    p: float
    """Chance of such a slice if nothing were wrong with it, before correction."""

    def __str__(self) -> str:
        return " and ".join(map(str, self.conditions))


def weak_slices(outcomes: Sequence[Outcome]) -> list[Slice]:
    """By gain, the largest first; none where errors lie as luck would have it."""
    errors = np.array([one.errors for one in outcomes], np.float64)
    units = np.array([one.units for one in outcomes], np.float64)
    named, met = conditions(outcomes)
    left = np.ones(len(outcomes), np.bool_)
    found: list[tuple[_Candidate, npt.NDArray[np.bool_]]] = []
    while named and len(found) < SLICES_MAX and left.sum() > 2 * CLIPS_MIN:
        best = _best(named, met & left, left, errors, units)
        if best is None:
            break
        inside = np.logical_and.reduce([met[number] for number in best.numbers]) & left
        found.append((best, inside))
        left &= ~inside
    rest_rate = float(errors[left].sum() / max(units[left].sum(), 1e-9))
    slices = []
    for (numbers, p), inside in found:
        rate = float(errors[inside].sum() / units[inside].sum())
        share = float(units[inside].sum() / units.sum())
        of = tuple(named[number] for number in numbers)
        slices.append(Slice(of, int(inside.sum()), share, rate, rest_rate, share * (rate - rest_rate), p))
    return sorted(slices, key=lambda one: -one.gain)


class _Candidate(NamedTuple):
    numbers: tuple[int, ...]
    """Of its conditions."""
    p: float


class _Counts(NamedTuple):
    """Of each pair of conditions, shape (conditions, conditions); a condition with itself is that one alone."""

    clips: Floats
    errors: Floats
    units: Floats


def _best(
    named: list[Condition], met: npt.NDArray[np.bool_], left: npt.NDArray[np.bool_], errors: Floats, units: Floats
) -> _Candidate | None:
    """The slice with the largest excess among those that are no luck."""
    rate = errors[left].sum() / units[left].sum()
    surplus = errors[left] - rate * units[left]
    variance = float(surplus.var())
    if not variance:
        return None
    counts = _counts(met, errors, units)
    expected = rate * counts.units
    # How many times as wide as a Poisson distribution's the spread of errors is.
    width = variance / errors[left].mean()
    p = gammainc(np.maximum(counts.errors, 1e-9) / width, np.maximum(expected, 1e-9) / width)
    excess = counts.errors - expected
    asked = np.triu(_pairs(named, counts), 1) | np.diag(np.diag(counts.clips) >= CLIPS_MIN)
    is_told = asked & _discoveries(p, asked)
    is_told &= np.eye(len(named), dtype=np.bool_) | _is_beyond_its_halves(counts, excess, variance, asked)
    if not is_told.any():
        return None
    first, second = np.unravel_index(np.where(is_told, excess, -np.inf).argmax(), excess.shape)
    numbers = _narrowed(int(first), int(second), is_told | is_told.T, excess)
    return _Candidate(numbers, float(p[first, second]))


def _counts(met: npt.NDArray[np.bool_], errors: Floats, units: Floats) -> _Counts:
    by = met.astype(np.float32)
    weights = (np.ones(met.shape[1]), errors, units)
    return _Counts(*(((by * weight.astype(np.float32)) @ by.T).astype(np.float64) for weight in weights))


def _pairs(named: list[Condition], counts: _Counts) -> npt.NDArray[np.bool_]:
    """Which pairs are a slice of their own: enough clips in both, and in either without the other."""
    names = np.array([condition.property for condition in named])
    alone = np.diag(counts.clips)
    left_out = np.minimum(alone[:, None], alone[None, :]) - counts.clips
    pairs: npt.NDArray[np.bool_] = (counts.clips >= CLIPS_MIN) & (left_out >= CLIPS_MIN)
    pairs &= names[:, None] != names[None, :]
    return pairs


def _is_beyond_its_halves(
    counts: _Counts, excess: Floats, variance: float, asked: npt.NDArray[np.bool_]
) -> npt.NDArray[np.bool_]:
    """Whether the mean surplus of a pair lies above those of both its conditions without the other, and no luck."""
    clips = np.maximum(counts.clips, 1)
    rest_clips = np.maximum(np.diag(counts.clips)[:, None] - counts.clips, 1)
    difference = excess / clips - (np.diag(excess)[:, None] - excess) / rest_clips
    z = difference / np.sqrt(variance * (1 / clips + 1 / rest_clips))
    limit = NormalDist().inv_cdf(1 - FALSE_SHARE / max(1, int(asked.sum())))
    beyond: npt.NDArray[np.bool_] = np.minimum(z, z.T) > limit
    return beyond


def _narrowed(first: int, second: int, is_told: npt.NDArray[np.bool_], excess: Floats) -> tuple[int, ...]:
    """The pair within a single condition that is all its trouble, where there is one."""
    if first != second:
        return first, second
    within = is_told[first] & (excess[first] > (1 - REST_SHARE) * excess[first, first])
    within[first] = False
    if not within.any():
        return (first,)
    return first, int(np.where(within, excess[first], -np.inf).argmax())


def _discoveries(p: Floats, asked: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Benjamini and Hochberg's step-up rule over all that was looked at."""
    ordered = np.sort(p[asked])
    passing = np.flatnonzero(ordered <= FALSE_SHARE * np.arange(1, len(ordered) + 1) / len(ordered))
    limit = ordered[passing[-1]] if len(passing) else -1.0
    told: npt.NDArray[np.bool_] = p <= limit
    return told
