"""The names of a catalogue as tokens: which may come next after some. Lean: 100,000 names are a few megabytes.

A sorted table is a trie: names that begin alike lie together, and a place in the trie is a range of rows.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from cloud.finding.words import unaccented

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]

TOKENS_MAX = 24
"""Of a name; what is behind is not listened for."""


class Node(NamedTuple):
    """Where a reading stands within names: those of `first` to before `end` begin with what was read."""

    first: int
    end: int
    depth: int
    """Tokens that were read."""


class Next(NamedTuple):
    """What may come next, each (ways,)."""

    tokens: Integers
    firsts: Integers
    ends: Integers
    """The ranges of rows that they lead to."""
    likely: Floats
    """Of the likeliest name in each range."""


class Ended(NamedTuple):
    """A name that is complete."""

    name: str
    likely: float


class NameTable:
    """Names by the tokens they are written with."""

    def __init__(
        self,
        names: Sequence[str],
        table: npt.NDArray[np.uint16],
        owners: npt.NDArray[np.int32],
        likely: Floats | None = None,
    ) -> None:
        """`table`: (ways, tokens) numbers of tokens and 1, 0 behind a name's end, in order; `owners`: (ways,) whose
        they are; `likely`: (names,) how likely each is, natural logarithms."""
        self.names = names
        self._table = table
        self._owners = owners
        self._likely = np.zeros(len(owners), np.float32) if likely is None else likely[owners]
        self.start = Node(0, len(table), 0)
        self._starts = self._next(self.start)

    def among(self, likely: Floats) -> "NameTable":
        """Only some of the names: (names,) how likely each is, natural logarithms; -inf: left out."""
        rows = np.isfinite(likely)[self._owners]
        return NameTable(self.names, self._table[rows], self._owners[rows], likely)

    def next(self, node: Node) -> Next:
        """What may come next."""
        return self._starts if node.depth == 0 else self._next(node)

    def ended(self, node: Node) -> list[Ended]:
        """The names that are complete."""
        if not node.depth:
            return []
        end = node.first + int(np.searchsorted(self._table[node.first : node.end, node.depth], 0, "right"))
        rows = slice(node.first, end)
        likely = dict(zip(self._owners[rows].tolist(), self._likely[rows].tolist(), strict=True))
        return [Ended(self.names[number], its) for number, its in likely.items()]

    def _next(self, node: Node) -> Next:
        column = self._table[node.first : node.end, node.depth]
        tokens, starts = np.unique(column, return_index=True)
        ends = np.append(starts[1:], len(column))
        likely = self._likely[node.first : node.end]
        best = np.maximum.reduceat(likely, starts) if len(starts) else likely
        going = tokens > 0
        return Next(
            tokens[going].astype(np.int64) - 1, starts[going] + node.first, ends[going] + node.first, best[going]
        )


def name_table(names: Sequence[str], tokenise: Callable[[list[str]], list[list[int]]]) -> NameTable:
    """All the ways to write these names, each once."""
    texts = [(f" {text}", number) for number, name in enumerate(names) for text in written(name)]
    tokens = tokenise([text for text, _ in texts])
    width = min(max(map(len, tokens), default=0), TOKENS_MAX) + 1
    # What has ended comes before what goes on: 0 stands behind an end.
    table = np.zeros((len(tokens), width), np.uint16)
    for row, its in zip(table, tokens, strict=True):
        row[: min(len(its), TOKENS_MAX)] = np.array(its[:TOKENS_MAX]) + 1
    order = np.lexsort(table.T[::-1])
    return NameTable(names, table[order], np.array([number for _, number in texts], np.int32)[order])


def written(name: str) -> Iterator[str]:
    """The ways somebody may write a name: as it is, without accents, without signs, in small letters."""
    plain = unaccented(name)
    words = " ".join(re.findall(r"\w+", re.sub("['`]", "", plain)))
    return iter(dict.fromkeys(text for text in (name, plain, words, words.lower()) if text))
