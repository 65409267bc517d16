"""How well each name of a catalogue fits the phones that were heard, wherever it was said: all of them, at once.

The best way through a name's phones is compared with whatever else was heard at the same positions (Rose and Paul 1990,
"A hidden Markov model based keyword recognition system"); what was said around it costs a little for each phone, so
that of two names the one that explains more is the better.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from cloud.decoders.phone_ear import NOTHING_NEW
from cloud.pronouncing.phones import Phones

Floats = npt.NDArray[np.float32]

AROUND = 2.5
"""What a phone costs that is heard and is not the name's, a natural logarithm."""
WORST = 8.0
"""Nothing costs more at one position: a network may be sure and wrong."""
PHONES_MAX = 24
"""Of a name; what is behind is not listened for."""
SURE = -0.05
"""Positions where nothing new began, as likely as this at least, are passed over."""
TOGETHER = (6, 8, 10, 13, PHONES_MAX)
"""Names of up to so many phones are compared side by side."""
NEVER = np.float32(1e4)


class NameSpotting:
    """Names by their phones."""

    def __init__(self, said: Sequence[Sequence[Phones]]) -> None:
        """`said`: the variants of each name; one without any is never heard."""
        self._names = len(said)
        ways = [(phones[:PHONES_MAX], name) for name, variants in enumerate(said) for phones in variants if phones]
        self._groups = [_Group(its) for its in _by_length(ways)]

    def costs(self, heard: Floats) -> Floats:
        """(names,) how much worse each fits (positions, phones) of a PhoneEar than whatever was heard, natural
        logarithms; 0 at best."""
        costs = np.full(self._names, NEVER, np.float32)
        before = AROUND * np.append(0, _begins(heard).cumsum()).astype(np.float32)
        misses = np.minimum(heard.max(axis=1, keepdims=True) - heard, WORST)
        matters = np.flatnonzero(heard[:, NOTHING_NEW] < SURE)
        for group in self._groups:
            np.minimum.at(costs, group.owners, group.costs(misses, before, matters))
        return costs


def phones_in(heard: Floats) -> int:
    """So many phones are in (positions, phones) of a PhoneEar."""
    return int(_begins(heard).sum())


def _begins(heard: Floats) -> npt.NDArray[np.bool_]:
    """(positions,): whether another phone begins there."""
    best = heard.argmax(axis=1)
    begins: npt.NDArray[np.bool_] = (best != NOTHING_NEW) & (best != np.append(NOTHING_NEW, best[:-1]))
    return begins


class _Group:
    """Pronunciations of about one length."""

    def __init__(self, ways: Sequence[tuple[Phones, int]]) -> None:
        width = max(len(phones) for phones, _ in ways)
        padded = b"".join(phones.ljust(width, b"\0") for phones, _ in ways)
        self._phones = np.frombuffer(padded, np.uint8).reshape(-1, width)
        self._lengths = np.array([len(phones) for phones, _ in ways])
        self.owners = np.array([name for _, name in ways])

    def costs(self, misses: Floats, before: Floats, matters: npt.NDArray[np.intp]) -> Floats:
        """(ways,)"""
        rows, phones = np.arange(len(self._phones)), self._phones.astype(np.intp)
        # By how many of its phones have begun; a phone that has begun goes on, or nothing new begins.
        reached = np.full((len(phones), phones.shape[1] + 1), NEVER, np.float32)
        costs = np.full(len(phones), NEVER, np.float32)
        for at in matters:
            reached[:, 0] = before[at]
            miss = misses[at].take(phones)
            stays = reached[:, 1:] + np.minimum(miss, misses[at, NOTHING_NEW])
            np.minimum(stays, reached[:, :-1] + miss, out=reached[:, 1:])
            np.minimum(costs, reached[rows, self._lengths] + (before[-1] - before[at + 1]), out=costs)
        return costs


def _by_length(ways: Sequence[tuple[Phones, int]]) -> Iterator[list[tuple[Phones, int]]]:
    shorter = 0
    for longest in TOGETHER:
        if its := [way for way in ways if shorter < len(way[0]) <= longest]:
            yield its
        shorter = longest
