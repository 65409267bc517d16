"""The sentences of a domain as a network of words: what may be said, and what each way through it means.

A recursive transition network (Woods 1970, "Transition network grammars for natural language analysis") of depth two:
the sentences, and each slot's list once, however many sentences refer to it. States are numbers, one range for all.
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple


class Mark(NamedTuple):
    """Something that a way through the network means from there on."""

    kind: str
    """"block": which sentences these are; "open", "close": a slot's words begin, end; "value": what the words of a list
    are in one form; "fixed": a slot that no words are said for."""
    name: str = ""
    """Of the slot; of a block, its number."""
    value: str = ""
    """In one form; empty: the words that were said."""


class Arc(NamedTuple):
    """A step. Says a word, goes through a list, or neither."""

    target: int
    word: str = ""
    """As it is written, such as "I'd" or "Zürich"; empty: nothing is said."""
    mark: Mark | None = None
    calls: int | None = None
    """The first state of a list that is gone through before the target is reached."""
    cost: float = 0.0
    """How unlikely the step is, a negative natural logarithm."""


class Network(NamedTuple):
    """Read-only. A list ends in its own final state, from which its caller goes on."""

    arcs: tuple[tuple[Arc, ...], ...]
    """By the state that they leave."""
    start: int
    final: int
    list_ends: frozenset[int]
    """The final states of the lists."""

    def words(self) -> set[str]:
        """Every word that may be said, in lower case."""
        return {arc.word.lower() for arcs in self.arcs for arc in arcs if arc.word}


class NetworkBuilder:
    """Makes a Network, piece by piece (Thompson 1968)."""

    def __init__(self) -> None:
        self._arcs: list[list[Arc]] = []
        self._list_ends: set[int] = set()
        self.size = 0
        """Arcs so far."""

    def state(self) -> int:
        self._arcs.append([])
        return len(self._arcs) - 1

    def add(self, source: int, arc: Arc) -> None:
        self._arcs[source].append(arc)
        self.size += 1

    def end_list(self, final: int) -> None:
        """That state is where a list is left."""
        self._list_ends.add(final)

    def finish(self, start: int, final: int) -> Network:
        return Network(tuple(map(tuple, self._arcs)), start, final, frozenset(self._list_ends))


def plain(network: Network) -> Network:
    """The sentences as they were written, without what people say around them."""
    arcs = (
        tuple(arc for arc in leaving if not arc.cost or (arc.mark is not None and arc.mark.kind == "block"))
        for leaving in network.arcs
    )
    return network._replace(arcs=tuple(arcs))


def beginnings(network: Network) -> dict[int, int]:
    """Of each block by its number: the state from which its sentences go on."""
    marked = ((arc.mark, arc.target) for leaving in network.arcs for arc in leaving)
    return {int(mark.name): target for mark, target in marked if mark is not None and mark.kind == "block"}


class Place(NamedTuple):
    """Where a way through a network has come to."""

    state: int
    caller: int | None = None
    """Within a list: the state to go on from after it."""


def steps(network: Network, place: Place) -> Iterator[tuple[Arc, Place]]:
    """What may come next from a place: arcs, and where each leads. Leaving a list is an arc that says nothing."""
    if place.caller is not None and place.state in network.list_ends:
        yield Arc(place.caller), Place(place.caller)
    for arc in network.arcs[place.state]:
        yield arc, Place(arc.target, place.caller) if arc.calls is None else Place(arc.calls, arc.target)


class Spoken(NamedTuple):
    """A word that may come next, with all that is passed on the way to it."""

    word: str
    place: Place
    """Where it leads."""
    cost: float
    marks: tuple[Mark, ...]
    """Before the word, in order."""


class End(NamedTuple):
    """The end of a sentence, with all that is passed on the way to it."""

    cost: float
    marks: tuple[Mark, ...]


class Following:
    """What may follow the places of a network, found when it is first asked for."""

    def __init__(self, network: Network) -> None:
        self.start = Place(network.start)
        self._network = network
        self._final = Place(network.final)
        self._words: dict[Place, dict[str, list[Spoken]]] = {}
        self._ends: dict[Place, End | None] = {}

    def words(self, place: Place) -> Iterator[Spoken]:
        """Every word that may come next."""
        return itertools.chain.from_iterable(self.by_word(place).values())

    def by_word(self, place: Place) -> Mapping[str, Sequence[Spoken]]:
        """The same by the words in lower case."""
        if place not in self._words:
            self._follow(place)
        return self._words[place]

    def end(self, place: Place) -> End | None:
        """The end of the sentence; None: none ends there."""
        if place not in self._ends:
            self._follow(place)
        return self._ends[place]

    def _follow(self, place: Place) -> None:
        reached = self._silently(place)
        words: dict[str, list[Spoken]] = {}
        for here, (cost, marks) in reached.items():
            for arc, there in steps(self._network, here):
                if arc.word:
                    spoken = Spoken(arc.word, there, cost + arc.cost, marks)
                    words.setdefault(arc.word.lower(), []).append(spoken)
        self._words[place] = words
        self._ends[place] = reached.get(self._final)

    def _silently(self, place: Place) -> dict[Place, End]:
        """Every place that is reached without a word, at the least cost."""
        reached, waiting = {place: End(0.0, ())}, [place]
        while waiting:
            here = waiting.pop()
            cost, marks = reached[here]
            for arc, there in steps(self._network, here):
                if not arc.word and (there not in reached or cost + arc.cost < reached[there].cost):
                    reached[there] = End(cost + arc.cost, marks if arc.mark is None else (*marks, arc.mark))
                    waiting.append(there)
        return reached
