"""What graphones follow what: an n-gram with Kneser and Ney's smoothing as Chen and Goodman 1998 modified it.

"An Empirical Study of Smoothing Techniques for Language Modeling". All orders are interpolated, and kept in the form
in which they are looked up: a tree of contexts, breadth first.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
LEAST_DISCOUNT = 0.05


class Tree(NamedTuple):
    """Node 0 is the empty context; the others follow, those of a level by parent and symbol."""

    symbols: Integers
    """(nodes,) the last symbol of each; of node 0 any."""
    children: Integers
    """(nodes,) how many each has; they lie one behind the other."""
    chances: Floats
    """(nodes,) natural logarithm of the chance of the last symbol after those before."""
    backing_off: Floats
    """(nodes,) natural logarithm of what a shorter context's chance is multiplied by."""


class _Order(NamedTuple):
    """All n-grams of one length, by context and symbol."""

    context: Integers
    symbol: Integers
    shorter: Integers
    """The one without its first symbol, among those one shorter."""
    times: Integers


def learn(sequences: Sequence[Sequence[int]], symbols: int, least: Sequence[int]) -> Tree:
    """The tree of sequences of symbols below `symbols`; that and the next number are the end's and the beginning's.

    `least`: of each order, how often an n-gram must have been seen to be kept, never falling.
    """
    size = symbols + 2
    orders = _counted(sequences, symbols, len(least))
    kept = np.zeros(1, np.int64)
    chances_below = np.full(1, 1 / size)
    parts: list[tuple[Integers, Integers, Floats]] = []
    backing_off: list[Floats] = []
    for number, order in enumerate(orders):
        chances, left = _smoothed(orders, number, order.times >= least[number], chances_below, size)
        parent = kept[order.context]
        keep = (order.times >= least[number]) & (parent >= 0)
        backing_off.append(left[kept >= 0])
        parts.append((parent[keep], order.symbol[keep], chances[keep]))
        kept = np.full(len(keep), -1, np.int64)
        kept[keep] = np.arange(int(keep.sum()))
        chances_below = chances
    backing_off.append(np.ones(int((kept >= 0).sum())))
    nodes = [1, *(len(symbol) for _, symbol, _ in parts)]
    children = [np.bincount(parent, minlength=above) for (parent, _, _), above in zip(parts, nodes, strict=False)]
    with np.errstate(divide="ignore"):
        logarithms = np.log(np.concatenate([np.ones(1), *(chance for _, _, chance in parts)]))
    return Tree(
        np.concatenate([np.zeros(1, np.int64), *(symbol for _, symbol, _ in parts)]),
        np.concatenate([*children, np.zeros(nodes[-1], np.int64)]),
        logarithms,
        np.log(np.concatenate(backing_off)),
    )


def _counted(sequences: Sequence[Sequence[int]], end: int, longest: int) -> list[_Order]:
    begin, size = end + 1, end + 2
    text = np.array([symbol for sequence in sequences for symbol in (begin, *sequence, end)], np.int64)
    place = np.concatenate([np.arange(len(sequence) + 2) for sequence in sequences])
    # Which n-gram of each order ends at each place of the text.
    ending = np.zeros(len(text), np.int64)
    orders = []
    for number in range(longest):
        there = np.flatnonzero(place >= number)
        before = ending[there - 1] if number else np.zeros(len(there), np.int64)
        grams, first, which, times = np.unique(
            before * size + text[there], return_index=True, return_inverse=True, return_counts=True
        )
        shorter = ending[there][first] if number else np.zeros(len(grams), np.int64)
        orders.append(_Order(grams // size, grams % size, shorter, times))
        ending = np.full(len(text), -1, np.int64)
        ending[there] = which
    return orders


def _smoothed(
    orders: Sequence[_Order], number: int, keep: npt.NDArray[np.bool_], below: Floats, size: int
) -> tuple[Floats, Floats]:
    """Chance of each n-gram of that order, and of each of their contexts what is left to shorter ones."""
    order = orders[number]
    contexts = len(orders[number - 1].symbol) if number else 1
    times = order.times.astype(float)
    if number + 1 < len(orders):
        # How many different symbols stand before it; at the beginning nothing does, and its times count.
        before = np.bincount(orders[number + 1].shorter, minlength=len(times))
        times = np.where(before > 0, before, times)
    if not number:
        times[order.symbol == size - 1] = 0
    once, twice, thrice, often = ((times == count).sum() for count in (1, 2, 3, 4))
    share = once / max(1, once + 2 * twice)
    discounts = [
        max(LEAST_DISCOUNT, count - (count + 1) * share * more / max(1, fewer))
        for count, fewer, more in ((1, once, twice), (2, twice, thrice), (3, thrice, often))
    ]
    # What is not kept leaves all that it has.
    off = np.where(keep, np.array([0, *discounts])[np.minimum(times, 3).astype(int)], times)
    total = np.bincount(order.context, times, minlength=contexts)
    left = np.divide(np.bincount(order.context, off, minlength=contexts), total, out=np.ones(contexts), where=total > 0)
    own = np.divide(times - off, total[order.context], out=np.zeros(len(times)), where=total[order.context] > 0)
    return own + left[order.context] * below[order.shorter], left
