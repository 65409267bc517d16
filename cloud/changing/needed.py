"""How many utterances a gate needs to see a difference, said beforehand. Pure.

The logarithm of a gambler's wealth is taken for a random walk with drift, and is to pass a threshold (the inverse
Gaussian law of first passages). Of the gamblers of `Bet` the one that is quickest counts, with its part of the wealth.
"""

import functools
import math
import random
from collections import Counter
from collections.abc import Sequence
from statistics import NormalDist
from typing import NamedTuple

from cloud.changing.compared import Divided
from cloud.changing.evidence import BELIEFS, PARTS, SLACK, STAKE_MAX

CERTAINTY = 0.9

ARRIVALS = 20_000
"""Drawn, to know how comparisons are made up."""

NEVER = 10_000_000
"""More utterances than anybody waits for."""


class Walk(NamedTuple):
    """Of the logarithm of wealth: a step's mean and variance, and utterances in a step."""

    drift: float
    variance: float
    utterances: float = 1.0


def of_pairs(log_threshold: float, *, bound: float, difference: float, unlike: float) -> int:
    """Utterances that both must hear, to be `CERTAINTY` sure to see that the candidate errs by `difference` more (less:
    negative) than what serves, against a claim that ends at `bound`. `unlike` is the share of utterances of which just
    one of them is right."""
    unlike = min(1.0, max(unlike, abs(difference)))
    chances = {1.0: (unlike + difference) / 2, -1.0: (unlike - difference) / 2, 0.0: 1 - unlike}
    sign = 1 if difference > bound else -1
    squares = sum(chance * (value - bound) ** 2 for value, chance in chances.items())
    walks = []
    for belief in BELIEFS:
        stake = sign * min(belief / squares, STAKE_MAX / (1 + abs(bound)))
        steps = {value: math.log1p(stake * (value - bound)) for value in chances}
        drift = sum(chance * steps[value] for value, chance in chances.items())
        variance = sum(chance * (steps[value] - drift) ** 2 for value, chance in chances.items())
        walks.append(Walk(drift, variance))
    return _least(walks, log_threshold)


def of_groups(log_threshold: float, *, bound: float, difference: float, error: float, share: float) -> int:
    """Utterances that the candidate must answer, as `of_pairs` has it. `error` is the share of errors of what serves,
    `share` that of utterances which the candidate answers."""
    rates = (min(1.0, max(0.0, error + difference)), error)
    sign = 1 if difference > bound else -1
    blocks = _blocks(round(min(0.95, max(0.01, share)), 2))
    candidates = sum(chance * first for chance, first, _ in blocks)
    served = sum(chance * second for chance, _, second in blocks)
    centre = (candidates * (rates[0] - bound) + served * rates[1]) / (candidates + served)
    centre = min(max(centre, 0.02), 0.98)
    walks = []
    for belief in BELIEFS:
        drift = spread = 0.0
        for chance, first, second in blocks:
            whole = belief / (centre * (1 - centre) * (1 / first + 1 / second))
            if sign > 0:
                ruin = min(first / (centre + bound + SLACK), second / (1 + SLACK - centre))
            else:
                ruin = min(first / (1 + SLACK - bound - centre), second / (centre + SLACK))
            stake = sign * min(whole, STAKE_MAX * ruin)
            mean, variance = 0.0, 0.0
            for number, rate, less, part in (
                (first, rates[0], bound + centre, stake / first),
                (second, rates[1], centre, -stake / second),
            ):
                right, wrong = math.log1p(-part * less), math.log1p(part * (1 - less))
                mean += number * (rate * wrong + (1 - rate) * right)
                variance += number * rate * (1 - rate) * (wrong - right) ** 2
            drift += chance * mean
            spread += chance * (variance + mean * mean)
        walks.append(Walk(drift, spread - drift * drift, candidates))
    return _least(walks, log_threshold)


@functools.cache
def _blocks(share: float) -> Sequence[tuple[float, int, int]]:
    """(part of all, utterances of the candidate, of the others) of comparisons, as they come where the candidate
    answers that share."""
    draw, divided, found = random.Random(1), Divided(), Counter[tuple[int, int]]()
    for _ in range(ARRIVALS):
        if (groups := divided.take(0.0, by_candidate=draw.random() < share)) is not None:
            found[len(groups[0]), len(groups[1])] += 1
    return [(count / found.total(), *sizes) for sizes, count in sorted(found.items())]


def _least(walks: list[Walk], log_threshold: float) -> int:
    levels = [log_threshold - math.log(part) for part in PARTS]
    counts = [walk.utterances * _steps(walk, level) for walk, level in zip(walks, levels, strict=True)]
    return min(NEVER, round(min(counts)))


def _steps(walk: Walk, level: float) -> int:
    """After which the level was passed with CERTAINTY."""
    if walk.drift <= 0:
        return NEVER
    low, high = 1, NEVER
    while low < high:
        middle = (low + high) // 2
        if _passed(walk, level, middle) >= CERTAINTY:
            high = middle
        else:
            low = middle + 1
    return low


def _passed(walk: Walk, level: float, steps: int) -> float:
    """Probability that the level was passed within so many steps."""
    gone, spread = walk.drift * steps, math.sqrt(walk.variance * steps)
    normal = NormalDist()
    reflected = 2 * walk.drift * level / walk.variance if walk.variance else math.inf
    back = normal.cdf((-level - gone) / spread) if spread else 0.0
    return 1 - normal.cdf((level - gone) / spread) + (math.exp(min(reflected, 700.0)) * back if back else 0.0)
