"""Guesses how a word is said from its letters, by what followed what in 120,000 words of the dictionary.

A letter and the phones that it makes are a graphone, and a word is a sequence of them: joint-sequence models, Bisani
and Ney 2008. `models/tables/graphones.py` makes the table. Many words are searched at once, each by a beam.
"""

import io
import zipfile
import zlib
from collections import defaultdict
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from cloud.pronouncing.phones import Phones, numbers
from common.errors import EngineError

TABLE = Path(__file__).parent / "graphones.npz"
VERSION = 1
BEAM = 24
"""Ways that are kept of a word; twice as many find no better."""
BEAM_WIDTH = 8.0
"""How much less likely than the best a way may be, as a natural logarithm."""
BATCH = 500
NEVER = -20.0
"""Logarithm of the chance of what was never seen."""

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]


class Guess(NamedTuple):
    """A way to say a word."""

    phones: Phones
    likelihood: float
    """Natural logarithm of the chance of these letters being said so, among all words."""


class _Ways(NamedTuple):
    """Beginnings of words, side by side."""

    word: Integers
    node: Integers
    likelihood: Floats
    before: Integers
    """Places of their beginnings among the ways of one letter less."""
    graphone: Integers


class Graphones:
    """The table, ready to be searched."""

    def __init__(self, file: Path = TABLE) -> None:
        """EngineError where the file is not such a table."""
        try:
            with np.load(io.BytesIO(file.read_bytes())) as parts:
                table = dict(parts)
        except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
            raise EngineError(f"{file}: cannot be read ({error}); install Parrotlet again.") from error
        if table.get("version") != VERSION:
            raise EngineError(f"{file}: is not the table of this version of Parrotlet; install it again.")
        lines = str(table["graphones"]).split("\n")
        step = np.float32(table["step"])
        symbols, children = table["symbols"].astype(np.int64), table["children"].astype(np.int64)
        self._chances = -step * table["chances"].astype(np.float32)
        self._backing_off = -step * table["backing_off"].astype(np.float32)
        self._phones = [numbers(line[1:]) for line in lines]
        letters = np.array([ord(line[0]) - ord("a") for line in lines])
        self._first = np.searchsorted(letters, np.arange(26))
        self._count = np.bincount(letters, minlength=26)
        self._end, self._size = len(lines), len(lines) + 2
        # Node 0 is nobody's child; the others lie by parent and symbol, so that their keys ascend.
        self._keys = np.repeat(np.arange(len(children)), children) * self._size + symbols[1:]
        self._shorter = self._suffixes(children)
        self._start = self._child(np.zeros(1, np.int64), np.array([self._end + 1]))

    def guess(self, words: Sequence[str], most: int = 5) -> list[list[Guess]]:
        """Ways to say each word, the likeliest first; none where nothing of the dictionary is spelt like it.

        `words`: a to z only, none empty. 0.3 ms a word.
        """
        return [
            guesses
            for start in range(0, len(words), BATCH)
            for guesses in self._search(words[start : start + BATCH], most)
        ]

    def _search(self, words: Sequence[str], most: int) -> list[list[Guess]]:
        longest = max(map(len, words))
        letters = np.zeros((len(words), longest), np.int64)
        for row, word in enumerate(words):
            letters[row, : len(word)] = np.frombuffer(word.encode(), np.uint8) - ord("a")
        lengths = np.array([len(word) for word in words])
        none = np.arange(len(words))
        ways = [_Ways(none, np.repeat(self._start, len(words)), np.zeros(len(words), np.float32), none, none)]
        # By word, the likelihoods of pronunciations; some are spelt in more than one way, and add up.
        found: list[dict[Phones, float]] = [defaultdict(lambda: -np.inf) for _ in words]
        for length in range(1, longest + 1):
            ways.append(self._next(ways[-1], letters[:, length - 1], lengths >= length))
            done = np.flatnonzero(lengths[ways[-1].word] == length)
            ends = np.full(len(done), self._end)
            likelihood = ways[-1].likelihood[done] + self._step(ways[-1].node[done], ends)[0]
            for place, value in zip(done, likelihood, strict=True):
                its, phones = found[ways[-1].word[place]], self._said(ways, int(place))
                its[phones] = float(np.logaddexp(its[phones], value))
        ranked = (sorted(its.items(), key=lambda item: (-item[1], item[0])) for its in found)
        return [[Guess(phones, value) for phones, value in its if phones][:most] for its in ranked]

    def _next(self, ways: _Ways, letter: Integers, goes_on: npt.NDArray[np.bool_]) -> _Ways:
        """The best ways that are a letter longer."""
        here = np.flatnonzero(goes_on[ways.word])
        its = letter[ways.word[here]]
        counts = self._count[its]
        before = np.repeat(here, counts)
        graphone = np.arange(len(before)) - np.repeat(np.cumsum(counts) - counts - self._first[its], counts)
        chances, node = self._step(ways.node[before], graphone)
        word, likelihood = ways.word[before], ways.likelihood[before] + chances
        order = np.lexsort((-likelihood, word))
        _, first, size = np.unique(word[order], return_index=True, return_counts=True)
        rank = np.arange(len(order)) - np.repeat(first, size)
        least = np.repeat(likelihood[order][first], size) - BEAM_WIDTH
        order = order[(rank < BEAM) & (likelihood[order] >= least)]
        return _Ways(word[order], node[order], likelihood[order], before[order], graphone[order])

    def _said(self, ways: Sequence[_Ways], place: int) -> Phones:
        said = []
        for step in ways[:0:-1]:
            said.append(self._phones[step.graphone[place]])
            place = int(step.before[place])
        return b"".join(reversed(said))

    def _step(self, node: Integers, symbol: Integers) -> tuple[Floats, Integers]:
        """Chance of each symbol after each context, and the context then; shorter ones where it was not seen."""
        chances = np.zeros(len(node), np.float32)
        after = np.zeros(len(node), np.int64)
        todo, context = np.arange(len(node)), node
        while len(todo):
            child = self._child(context, symbol[todo])
            seen = child > 0
            chances[todo[seen]] += self._chances[child[seen]]
            after[todo[seen]] = child[seen]
            chances[todo[~seen & (context == 0)]] += NEVER
            goes_on = ~seen & (context > 0)
            todo, context = todo[goes_on], context[goes_on]
            chances[todo] += self._backing_off[context]
            context = self._shorter[context]
        return chances, after

    def _child(self, node: Integers, symbol: Integers) -> Integers:
        """The node of that context and symbol; 0 where there is none."""
        keys = node * self._size + symbol
        at = np.minimum(np.searchsorted(self._keys, keys), len(self._keys) - 1)
        return np.where(self._keys[at] == keys, at + 1, 0)

    def _suffixes(self, children: Integers) -> Integers:
        """Of each node, the one of its context without the first symbol."""
        suffixes = np.zeros(len(children), np.int64)
        parents = np.repeat(np.arange(len(children)), children)
        first, last = 1, 1 + int(children[0])
        while last < len(children):
            first, last = last, last + int(children[first:last].sum())
            if first == last:
                break
            parent = parents[first - 1 : last - 1]
            symbol = self._keys[first - 1 : last - 1] - parent * self._size
            suffixes[first:last] = self._child(suffixes[parent], symbol)
        return suffixes


@cache
def graphones() -> Graphones:
    """The table that comes with the service, read once: 10 MB, 50 ms."""
    return Graphones()
