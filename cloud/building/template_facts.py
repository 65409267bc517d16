"""What can be told of a template without writing out its sentences: its slots, its size, whether words are in it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from hassil.expression import (
    Alternative,
    Expression,
    Group,
    ListReference,
    Permutation,
    RuleReference,
    TextChunk,
)

from cloud.building.spoken_text import words_of
from cloud.building.templates import DEPTH_MAX

STEPS_MAX = 10**12
"""Rules within rules double them: nobody counts further."""


class Facts(NamedTuple):
    """Of all sentences that a template stands for."""

    may: frozenset[str] = frozenset()
    """Slots that some have."""
    must: frozenset[str] = frozenset()
    """Slots that all have."""
    is_spoken: bool = False
    """Some have words."""
    is_silent: bool = True
    """One has none."""
    steps: int = 1
    """About as many as the network needs for them, at most STEPS_MAX."""


def facts_of(expression: Expression, rule: Callable[[str], Facts] = lambda _: Facts()) -> Facts:
    """Of an expression; `rule` tells those of an expansion rule."""
    match expression:
        case TextChunk():
            words = len(words_of(expression.original_text))
            return Facts(is_spoken=words > 0, is_silent=words == 0, steps=words + 1)
        case Alternative():
            return _any([facts_of(item, rule) for item in expression.items])
        case Permutation():
            parts = [facts_of(item, rule) for item in expression.items]
            # Each part stands behind every set of others that may have come before it.
            many = sum(one.steps for one in parts) << min(40, max(0, len(parts) - 1))
            return _all(parts)._replace(steps=min(STEPS_MAX, many))
        case Group():
            return _all([facts_of(item, rule) for item in expression.items])
        case ListReference():
            slot = frozenset((expression.slot_name,))
            return Facts(slot, slot, is_spoken=True, is_silent=False, steps=3)
        case RuleReference():
            return rule(expression.rule_name)
    return Facts()


def parts_of(expression: Expression) -> Iterator[Expression]:
    """The expression and all within it."""
    waiting = [expression]
    while waiting:
        one = waiting.pop()
        yield one
        if isinstance(one, Group):
            waiting += reversed(one.items)


def rules_in(expression: Expression) -> list[str]:
    """The rules that it refers to, each once."""
    return list(dict.fromkeys(one.rule_name for one in parts_of(expression) if isinstance(one, RuleReference)))


def lists_in(expression: Expression) -> list[ListReference]:
    """Where it refers to a list or a range."""
    return [one for one in parts_of(expression) if isinstance(one, ListReference)]


def flat_rules(rules: Mapping[str, Sequence[str]]) -> frozenset[str]:
    """Those that lead through no more than DEPTH_MAX others; what is referred to and not there ends."""
    flat: set[str] = set()
    for _ in range(DEPTH_MAX):
        more = {name for name, others in rules.items() if all(other in flat or other not in rules for other in others)}
        if more == flat:
            break
        flat = more
    return frozenset(flat)


def circle(rules: Mapping[str, Sequence[str]], start: str) -> list[str]:
    """Rules that lead from one back to itself, both ends named; empty where none do. `rules`: to which each refers."""
    before: dict[str, str] = {}
    waiting = [start]
    while waiting:
        name = waiting.pop()
        for other in rules.get(name, ()):
            if other == start:
                found = [start, name]
                while found[-1] != start:
                    found.append(before[found[-1]])
                return found[::-1]
            if other not in before:
                before[other] = name
                waiting.append(other)
    return []


def _all(parts: Sequence[Facts]) -> Facts:
    return Facts(
        frozenset().union(*(one.may for one in parts)),
        frozenset().union(*(one.must for one in parts)),
        any(one.is_spoken for one in parts),
        all(one.is_silent for one in parts),
        min(STEPS_MAX, 1 + sum(one.steps for one in parts)),
    )


def _any(parts: Sequence[Facts]) -> Facts:
    return Facts(
        frozenset().union(*(one.may for one in parts)),
        frozenset.intersection(*(one.must for one in parts)) if parts else frozenset(),
        any(one.is_spoken for one in parts),
        any(one.is_silent for one in parts),
        min(STEPS_MAX, 1 + sum(one.steps for one in parts)),
    )
