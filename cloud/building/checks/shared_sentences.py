"""Sentences that two blocks of a domain have both: nobody can tell what they mean.

The blocks are walked side by side, word by word (the subset construction, Rabin and Scott 1959, "Finite automata and
their decision problems"), as far as two of them can go on together. A list that both go through at once is one step,
but for values that begin with another value: who says the shorter one may go on with what makes the longer.
"""

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from cloud.understanding.block import Block
from cloud.understanding.network import Network, Place, beginnings, plain, steps

STEPS_MAX = 1_000_000
"""Of the walk: about four seconds."""

Slots = frozenset[str]


class Shared(NamedTuple):
    """A sentence that two blocks have."""

    one: int
    other: int
    words: tuple[str, ...]


class At(NamedTuple):
    """Where a block has come to, and which slots it has by then."""

    block: int
    place: Place
    slots: Slots


Ats = frozenset[At]


class _Onward(NamedTuple):
    """What may come next after a place; places, with the slots that were added on the way."""

    words: Mapping[str, list[tuple[Place, Slots]]]
    lists: Mapping[int, list[tuple[int, Slots]]]
    """By a list's first state: where its callers go on."""
    ends: list[Slots]
    leaves: bool
    """A list may be left here."""


class SharedSentences(NamedTuple):
    """All that were found, one for two blocks."""

    found: list[Shared]
    is_all: bool
    """Every sentence was compared; if not, it would have taken too long."""


def shared_sentences(network: Network, blocks: Sequence[Block], differ: Callable[[int, int], bool]) -> SharedSentences:
    """`differ`: whether it matters which of two blocks a sentence is of."""
    walk = _Walk(network, blocks, differ)
    is_all = walk.go()
    return SharedSentences(list(walk.found.values()), is_all)


class _Walk:
    def __init__(self, network: Network, blocks: Sequence[Block], differ: Callable[[int, int], bool]) -> None:
        self._network = plain(network)
        self._blocks = blocks
        self._differ = differ
        self._onward: dict[Place, _Onward] = {}
        self._forks: dict[int, set[frozenset[int]]] = {}
        self._before: dict[Ats, tuple[Ats | None, tuple[str, ...]]] = {}
        self._steps = 0
        self.found: dict[tuple[int, int], Shared] = {}

    def go(self) -> bool:
        """Whether the whole way was gone."""
        begin = frozenset(
            At(block, Place(state), frozenset())
            for block, state in beginnings(self._network).items()
            if self._blocks[block].intent
        )
        waiting = [begin]
        self._before[begin] = None, ()
        while waiting and self._steps <= STEPS_MAX:
            ats = waiting.pop()
            self._look(ats)
            for words, after in self._next(ats):
                if after not in self._before and len({at.block for at in after}) > 1 and not self._is_one_step(after):
                    self._before[after] = ats, words
                    waiting.append(after)
        return not waiting

    def _look(self, ats: Ats) -> None:
        """Whether two end here."""
        ended = sorted({
            at.block for at in ats for slots in self._after(at.place).ends if self._fits(at.block, at.slots | slots)
        })  # fmt: skip
        for number, one in enumerate(ended):
            for other in ended[number + 1 :]:
                if (one, other) not in self.found and self._differ(one, other):
                    self.found[one, other] = Shared(one, other, self._words(ats))

    def _fits(self, block: int, slots: Slots) -> bool:
        return self._blocks[block].requires <= slots and not self._blocks[block].forbids & slots

    def _words(self, ats: Ats) -> tuple[str, ...]:
        words: list[str] = []
        at: Ats | None = ats
        while at is not None:
            at, said = self._before[at]
            words[:0] = said
        return tuple(words)

    def _next(self, ats: Ats) -> Iterator[tuple[tuple[str, ...], Ats]]:
        said: dict[str, list[At]] = {}
        called: dict[int, list[At]] = {}
        for block, place, slots in ats:
            onward = self._after(place)
            for word, places in onward.words.items():
                said.setdefault(word, []).extend(At(block, there, slots | more) for there, more in places)
                self._steps += len(places)
            for start, ends in onward.lists.items():
                called.setdefault(start, []).extend(At(block, Place(end), slots | more) for end, more in ends)
        for start, afterwards in called.items():
            yield self._example(start), frozenset(afterwards)
        for word in dict.fromkeys(self._mixed(said, list(called))):
            within = [
                At(at.block, Place(there.state, at.place.state), at.slots)
                for start, afterwards in called.items()
                for there, _ in self._first_words(start).get(word, ())
                for at in afterwards
            ]
            self._steps += len(within)
            yield (word,), frozenset([*said.get(word, ()), *within])

    def _mixed(self, said: Mapping[str, object], lists: Sequence[int]) -> Iterator[str]:
        """Words that are said outside of lists, or begin values of two lists, or a value that begins with another."""
        yield from said
        for start in lists:
            for word, places in self._first_words(start).items():
                if frozenset(there.state for there, _ in places) in self._forks_of(start):
                    yield word
        seen: set[str] = set()
        for start in lists if len(lists) > 1 else ():
            words = self._first_words(start)
            self._steps += len(words)
            yield from (word for word in words if word in seen and word not in said)
            seen.update(words)

    def _after(self, place: Place) -> _Onward:
        if place not in self._onward:
            words: dict[str, list[tuple[Place, Slots]]] = {}
            lists: dict[int, list[tuple[int, Slots]]] = {}
            ends: list[Slots] = []
            leaves = False
            reached: dict[tuple[Place, Slots], None] = {(place, frozenset()): None}
            waiting = list(reached)
            while waiting:
                here, slots = waiting.pop()
                if here == Place(self._network.final):
                    ends.append(slots)
                leaves = leaves or here.state in self._network.list_ends
                for arc, there in steps(self._network, here):
                    self._steps += 1
                    if arc.word:
                        words.setdefault(arc.word.lower(), []).append((there, slots))
                        continue
                    if arc.calls is not None:
                        lists.setdefault(arc.calls, []).append((arc.target, slots))
                        continue
                    opens = arc.mark is not None and arc.mark.kind in ("open", "fixed")
                    onward = there, slots | {arc.mark.name} if opens and arc.mark else slots
                    if onward not in reached:
                        reached[onward] = None
                        waiting.append(onward)
            self._onward[place] = _Onward(words, lists, ends, leaves)
        return self._onward[place]

    def _first_words(self, start: int) -> Mapping[str, list[tuple[Place, Slots]]]:
        """Of a list."""
        return self._after(Place(start)).words

    def _is_one_step(self, ats: Ats) -> bool:
        """Whether all go through the same list by the same value."""
        together: dict[tuple[int, int | None, Slots], set[int]] = {}
        for block, place, slots in ats:
            together.setdefault((block, place.caller, slots), set()).add(place.state)
        states = {frozenset(its) for its in together.values()}
        if len(states) > 1 or any(caller is None for _, caller, _ in together):
            return False
        return not any(states <= forks for forks in self._forks.values())

    def _forks_of(self, start: int) -> set[frozenset[int]]:
        """States of a list behind the same words, from which a value that begins with another may be said."""
        if start not in self._forks:
            begin = frozenset((start,))
            before: dict[frozenset[int], list[frozenset[int]]] = {begin: []}
            forks: set[frozenset[int]] = set()
            waiting = [begin]
            for states in waiting:
                words: dict[str, set[int]] = {}
                onward = [self._after(Place(state)) for state in states]
                for word, places in itertools.chain.from_iterable(one.words.items() for one in onward):
                    words.setdefault(word, set()).update(there.state for there, _ in places)
                for after in map(frozenset, words.values()):
                    if after not in before:
                        waiting.append(after)
                    before.setdefault(after, []).append(states)
                if words and any(one.leaves for one in onward):
                    forks.add(states)
            found = list(forks)
            for states in found:
                found += (earlier for earlier in set(before[states]) - forks)
                forks.update(before[states])
            self._forks[start] = forks
        return self._forks[start]

    def _example(self, start: int) -> tuple[str, ...]:
        """A value of a list."""
        words: list[str] = []
        state = start
        while state not in self._network.list_ends:
            arc = self._network.arcs[state][0]
            words += [arc.word] if arc.word else []
            state = arc.target
        return tuple(words)
