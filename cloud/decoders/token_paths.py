"""The sentences of a network as a recogniser's tokens: which may come next after some.

Nothing is expanded beforehand: what can follow a place of the network is found when a search first gets there.
"""

from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from cloud.decoders.spelling import Spelled, Spelling, Tokens
from cloud.understanding.network import Following, Network, Place

FRONTIERS_MAX = 10_000
"""Sets of points whose ways on are remembered."""


class Point(NamedTuple):
    """Where a reading stands in the network: at a place, or in the middle of what leads there."""

    place: Place
    rest: Tokens = ()
    """Tokens that are still to come."""
    due: float = 0.0
    """What the last of them will cost."""


Frontier = frozenset[Point]
"""All the points at which a reading may stand."""


class Step(NamedTuple):
    """What a token leads to."""

    frontier: Frontier
    cost: float
    """How unlikely the sentences make it, a negative natural logarithm."""


class TokenPaths:
    """Steps through a network by tokens."""

    def __init__(self, network: Network, tokenise: Callable[[str], list[int]]) -> None:
        self.following = Following(network)
        self._spelling = Spelling(self.following, tokenise)
        self._spelled: dict[tuple[Place, bool], tuple[Spelled, ...]] = {}
        self._next: dict[tuple[Frontier, bool], dict[int, Step]] = {}

    def start(self) -> Frontier:
        return frozenset({Point(self.following.start)})

    def is_final(self, frontier: Frontier) -> bool:
        """Whether a sentence may end here."""
        return any(not point.rest and self.following.end(point.place) is not None for point in frontier)

    def next(self, frontier: Frontier, *, first: bool = False) -> dict[int, Step]:
        """By each token that may come next, what it leads to."""
        key = (frontier, first)
        if key not in self._next:
            if len(self._next) >= FRONTIERS_MAX:
                self._next.clear()
            found: dict[int, dict[Point, float]] = {}
            for point in frontier:
                if point.rest:
                    _go(found, point.rest, point.place, point.due)
                    continue
                for spelled in self._after(point.place, first):
                    _go(found, spelled.tokens, spelled.place, spelled.cost)
            self._next[key] = {token: Step(frozenset(ways), min(ways.values())) for token, ways in found.items()}
        return self._next[key]

    def prepare(self, most: int) -> None:
        """Finds the ways on from so many places beforehand, those of few tokens first: what is said first takes no
        longer than what is said again."""
        known = dict.fromkeys([self.start()])
        due = deque(known)
        while due:
            frontier = due.popleft()
            for step in self.next(frontier, first=frontier == self.start()).values():
                if len(known) < most and step.frontier not in known:
                    known[step.frontier] = None
                    due.append(step.frontier)

    def words(self, tokens: Tokens) -> tuple[str, ...]:
        """The words of a sentence that was found by its tokens."""
        ways: dict[Point, tuple[str, ...]] = {Point(self.following.start): ()}
        for number, token in enumerate(tokens):
            further: dict[Point, tuple[str, ...]] = {}
            for point, said in ways.items():
                if point.rest and point.rest[0] == token:
                    further.setdefault(Point(point.place, point.rest[1:]), said)
                elif not point.rest:
                    for spelled in self._after(point.place, number == 0):
                        if spelled.tokens[0] == token:
                            further.setdefault(Point(spelled.place, spelled.tokens[1:]), (*said, *spelled.words))
            ways = further
        return next((said for point, said in ways.items() if self.is_final(frozenset({point}))), ())

    def _after(self, place: Place, first: bool) -> tuple[Spelled, ...]:
        key = (place, first)
        if key not in self._spelled:
            self._spelled[key] = tuple(self._spelling.after(place, first=first))
        return self._spelled[key]


def _go(found: dict[int, dict[Point, float]], tokens: Tokens, place: Place, cost: float) -> None:
    """Adds a way on: where its first token leads, and what that costs."""
    rest = tokens[1:]
    ways = found.setdefault(tokens[0], {})
    there = Point(place, rest, cost if rest else 0.0)
    paid = 0.0 if rest else cost
    ways[there] = min(paid, ways.get(there, paid))
