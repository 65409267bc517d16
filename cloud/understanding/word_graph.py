"""A network as a plain graph of words, for recognisers that know no lists. Pure."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from cloud.understanding.network import Following, Network, Place


class Transition(NamedTuple):
    """A word from one state to another; an empty word leads to the end."""

    source: int
    target: int
    probability: float
    word: str


class WordGraph(NamedTuple):
    """States are numbers from 0."""

    transitions: tuple[Transition, ...]
    states: int
    start: int
    end: int


class TooLarge(Exception):
    """Raised when a network stands for too large a graph."""


def word_graph(network: Network, transitions_max: int) -> WordGraph:
    """The graph, without what is there twice. TooLarge where each list, as often as sentences refer to it, makes more
    than that many transitions."""
    following = Following(network)
    numbers: dict[Place, int] = {following.start: 1}
    waiting = [following.start]
    found: dict[Transition, None] = {}
    while waiting:
        place = waiting.pop()
        if (end := following.end(place)) is not None:
            found[Transition(numbers[place], 0, math.exp(-end.cost), "")] = None
        for spoken in following.words(place):
            if spoken.place not in numbers:
                numbers[spoken.place] = len(numbers) + 1
                waiting.append(spoken.place)
            word, probability = spoken.word.lower(), math.exp(-spoken.cost)
            found[Transition(numbers[place], numbers[spoken.place], probability, word)] = None
        if len(found) > transitions_max:
            raise TooLarge(f"more than {transitions_max:,} transitions")
    return _merged(list(found), len(numbers) + 1)


def _merged(transitions: Sequence[Transition], states: int) -> WordGraph:
    """The same with states as one that have the same future (Kanellakis and Smolka 1990, "CCS expressions, finite state
    processes, and three problems of equivalence"). State 0 is the end, 1 the start."""
    leaving: list[list[tuple[str, float, int]]] = [[] for _ in range(states)]
    for source, target, probability, word in transitions:
        leaving[source].append((word, probability, target))
    kinds, count = [int(state == 0) for state in range(states)], 2
    while True:
        numbers: dict[object, int] = {}
        futures = (
            (kinds[state], frozenset((word, probability, kinds[target]) for word, probability, target in ways))
            for state, ways in enumerate(leaving)
        )
        kinds = [numbers.setdefault(future, len(numbers)) for future in futures]
        if len(numbers) == count:
            break
        count = len(numbers)
    merged = dict.fromkeys(one._replace(source=kinds[one.source], target=kinds[one.target]) for one in transitions)
    return WordGraph(tuple(merged), count, kinds[1], kinds[0])
