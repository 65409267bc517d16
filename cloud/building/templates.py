"""Sentence templates in Home Assistant's syntax, read by its own library hassil, as a network of words.

hassil matches letters and lets a word be put together ("light[s]"); recognisers speak whole words. So a template
becomes a network of pieces of words first, and every way from one gap between words to the next is a word of the
network.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from hassil.expression import (
    Alternative,
    Expression,
    ListReference,
    Permutation,
    RuleReference,
    Sequence,
    TextChunk,
)

from cloud.building.spoken_text import GAP, as_said, parts_of, words_of
from cloud.understanding.network import Arc, Mark, NetworkBuilder
from common.errors import DomainError

ARCS_MAX = 600_000
"""Of a whole network. Templates multiply: a few lines can stand for more sentences than there are atoms."""
WAYS_MAX = 10_000
"""Steps of putting together the words that may stand at one place: "[a][b][c]" is eight words."""
EFFORT_MAX = 500_000
"""The same steps, of a whole network."""
PERMUTED_MAX = 6
"""Parts that may come in any order; each one more takes twice as many ways."""
DEPTH_MAX = 24
"""Rules within rules."""


class Piece(NamedTuple):
    """A step between two points of a template: letters, a gap between words, or what stands for words."""

    target: int
    text: str = ""
    arc: Arc | None = None
    """A list or a mark, to be copied into the network; its target is that of the piece."""


ListStart = Callable[[ListReference], int]
"""The first state of a list that a template refers to. DomainError if there is none."""


class Effort:
    """What building a network takes, together."""

    def __init__(self) -> None:
        self._left = EFFORT_MAX

    def spend(self) -> None:
        """DomainError where it was too much."""
        self._left -= 1
        if self._left < 0:
            raise DomainError("is one template too many: all together they take too long to build")


class Template:
    """Adds templates to a network."""

    def __init__(
        self, builder: NetworkBuilder, effort: Effort, rules: Mapping[str, Expression], list_start: ListStart
    ) -> None:
        self._builder = builder
        self._effort = effort
        self._rules = rules
        self._list_start = list_start
        self._points: list[list[Piece]] = []
        self._states: dict[int, int] = {}
        self._depth = 0
        self.slots: dict[str, int] = {}
        """The slots that were referred to, and where the list of each starts."""

    def add(self, expression: Expression, start: int, final: int) -> None:
        """The template's sentences, between two states of the network. DomainError if it refers to what is not there
        or stands for too much."""
        self._points = []
        first, last = self._point(), self._point()
        end = self._expand(expression, first)
        self._points[end].append(Piece(last))
        self._states = {first: start, last: final}
        self._convert(first, last)

    def _point(self) -> int:
        if len(self._points) > ARCS_MAX:
            raise DomainError(f"stands for too many sentences, more than {ARCS_MAX:,} steps")
        self._points.append([])
        return len(self._points) - 1

    def _step(self, source: int, text: str = "", arc: Arc | None = None) -> int:
        target = self._point()
        self._points[source].append(Piece(target, text, arc))
        return target

    def _expand(self, expression: Expression, at: int) -> int:
        """Adds an expression after a point; the point after it."""
        match expression:
            case TextChunk():
                return self._expand_text(expression.original_text, at)
            case Sequence():
                for item in expression.items:
                    at = self._expand(item, at)
                return at
            case Alternative():
                return self._join([self._expand(item, at) for item in expression.items])
            case Permutation():
                return self._expand_permutation(expression, at)
            case ListReference():
                return self._expand_list(expression, at)
            case RuleReference():
                return self._expand_rule(expression, at)
        raise DomainError(f"has a part that is not understood: {expression}")

    def _expand_text(self, text: str, at: int) -> int:
        for part in parts_of(text):
            at = self._step(at, part)
        return at

    def _expand_permutation(self, expression: Permutation, at: int) -> int:
        if len(expression.items) > PERMUTED_MAX:
            raise DomainError(f"has {len(expression.items)} parts in any order, but {PERMUTED_MAX} are the most")
        # A point for each set of parts that were said: what follows is the same in whichever order they were.
        points = {frozenset[int](): at}
        for _ in expression.items:
            ends: dict[frozenset[int], list[int]] = {}
            for said, point in points.items():
                for number, item in enumerate(expression.items):
                    if number not in said:
                        ends.setdefault(said | {number}, []).append(self._expand(item, point))
            points = {said: self._join(its_ends) for said, its_ends in ends.items()}
        return next(iter(points.values()))

    def _expand_list(self, reference: ListReference, at: int) -> int:
        start = self._list_start(reference)
        self.slots[reference.slot_name] = start
        at = self._step(at, arc=Arc(0, mark=Mark("open", reference.slot_name)))
        at = self._step(at, arc=Arc(0, calls=start))
        return self._step(at, arc=Arc(0, mark=Mark("close", reference.slot_name)))

    def _expand_rule(self, reference: RuleReference, at: int) -> int:
        rule = self._rules.get(reference.rule_name)
        if rule is None:
            raise DomainError(f"refers to <{reference.rule_name}>, and there is no such rule")
        if self._depth >= DEPTH_MAX:
            raise DomainError(f"goes through <{reference.rule_name}> for ever: rules refer to each other in a circle")
        self._depth += 1
        at = self._expand(rule, at)
        self._depth -= 1
        return at

    def _join(self, ends: list[int]) -> int:
        joined = self._point()
        for end in ends:
            self._points[end].append(Piece(joined))
        return joined

    def _convert(self, first: int, last: int) -> None:
        """Words from gap to gap."""
        waiting, seen = [first], {first}
        while waiting:
            point = waiting.pop()
            for target, arc in self._arcs_from(point, last):
                self._add(self._states[point], self._state(target), arc)
                if target not in seen:
                    seen.add(target)
                    waiting.append(target)
            if self._builder.size > ARCS_MAX:
                raise DomainError(f"stands for too many sentences, more than {ARCS_MAX:,} steps")

    def _add(self, source: int, target: int, arc: Arc) -> None:
        if arc.word:
            _add_way(self._builder, as_said(arc.word), source, target)
        else:
            self._builder.add(source, arc._replace(target=target))

    def _state(self, point: int) -> int:
        if point not in self._states:
            self._states[point] = self._builder.state()
        return self._states[point]

    def _arcs_from(self, point: int, last: int) -> list[tuple[int, Arc]]:
        """What may follow a gap: the arcs, and the points that they lead to."""
        arcs: list[tuple[int, Arc]] = []
        seen: set[tuple[int, str]] = set()
        waiting = [(point, "")]
        while waiting:
            here, letters = waiting.pop()
            if (here, letters) in seen:
                continue
            seen.add((here, letters))
            self._effort.spend()
            if len(seen) > WAYS_MAX:
                raise DomainError(
                    "goes on in too many ways at one place: put spaces between words, or take some of its choices out"
                )
            if here == last and letters:
                arcs.append((last, Arc(0, letters)))
            elif here == last and here != point:
                arcs.append((last, Arc(0)))
            for piece in self._points[here]:
                if piece.arc is not None and letters:
                    arcs.append((self._before(piece), Arc(0, letters)))
                elif piece.arc is not None:
                    arcs.append((piece.target, piece.arc))
                elif piece.text == GAP and letters:
                    arcs.append((piece.target, Arc(0, letters)))
                elif piece.text == GAP:
                    waiting.append((piece.target, ""))
                else:
                    waiting.append((piece.target, letters + piece.text))
        return list(dict.fromkeys(arcs))

    def _before(self, piece: Piece) -> int:
        """A point that leads to that piece and to nothing else."""
        point = self._point()
        self._points[point].append(piece)
        return point


def add_words(builder: NetworkBuilder, text: str, start: int, final: int) -> None:
    """Adds plain words between two states of the network. DomainError if there are none."""
    words = words_of(text)
    if not words:
        raise DomainError(f"has no words: {text}")
    _add_way(builder, words, start, final)


def _add_way(builder: NetworkBuilder, words: list[str], start: int, final: int) -> None:
    if not words:
        builder.add(start, Arc(final))
    for number, word in enumerate(words, 1):
        target = final if number == len(words) else builder.state()
        builder.add(start, Arc(target, word))
        start = target
