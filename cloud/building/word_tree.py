"""Words of many values in a network, beginnings that they share once (Fredkin 1960, "Trie memory")."""

from collections.abc import Sequence

from cloud.understanding.network import Arc, NetworkBuilder


class WordTree:
    """Adds values to a network, a long list's."""

    def __init__(self, builder: NetworkBuilder, start: int) -> None:
        self._builder = builder
        self._start = start
        self._next: dict[tuple[int, str], int] = {}

    def add(self, words: Sequence[str]) -> int:
        """The state behind these words. Whether letters are large or small makes no difference."""
        at = self._start
        for word in words:
            key = (at, word.lower())
            if key not in self._next:
                self._next[key] = self._builder.state()
                self._builder.add(at, Arc(self._next[key], word))
            at = self._next[key]
        return at
