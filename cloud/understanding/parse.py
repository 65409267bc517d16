"""Finds the sentences of a network that some words are, and what they mean. Pure."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from cloud.understanding.network import Following, Mark, Place


class Meaning(NamedTuple):
    """One way to understand words."""

    block: int
    """Number of the block of sentences that they are of."""
    slots: dict[str, str]
    """From a slot's name to the words of its value, lower case. Of a slot that is said twice, the last."""
    values: dict[str, str]
    """From a slot's name to its value in one form."""
    cost: float
    """How unlikely the sentence is, a negative natural logarithm of the network."""


class _Way(NamedTuple):
    """A way through the network, from its end backwards."""

    cost: float
    marks: tuple[Mark, ...]
    """Before its last word."""
    word: str
    before: "_Way | None"


def parse(following: Following, words: Sequence[str]) -> list[Meaning]:
    """What these words (lower case) can mean, the likeliest first; empty where they are no sentence."""
    # For each block on its own: those that say the same may want other slots.
    ways = {(following.start, ""): _Way(0.0, (), "", None)}
    for word in words:
        spoken: dict[tuple[Place, str], _Way] = {}
        for (place, block), way in ways.items():
            for one in following.by_word(place).get(word, ()):
                cost = way.cost + one.cost
                key = one.place, next((mark.name for mark in one.marks if mark.kind == "block"), block)
                if key not in spoken or cost < spoken[key].cost:
                    spoken[key] = _Way(cost, one.marks, word, way)
        ways = spoken
    found = []
    for (place, _), way in ways.items():
        if (end := following.end(place)) is not None:
            found.append(_meaning(_Way(way.cost + end.cost, end.marks, "", way)))
    return sorted(found, key=lambda meaning: meaning.cost)


def _meaning(way: _Way) -> Meaning:
    block = 0
    slots: dict[str, str] = {}
    values: dict[str, str] = {}
    said: list[str] = []
    value = ""
    for item in _in_order(way):
        match item:
            case str():
                said.append(item)
            case Mark("block", number):
                block = int(number)
            case Mark("open"):
                said, value = [], ""
            case Mark("value", _, in_one_form):
                value = in_one_form
            case Mark("close", slot):
                slots[slot] = " ".join(said)
                values[slot] = value or slots[slot]
            case Mark("fixed", slot, in_one_form):
                slots[slot] = in_one_form.lower()
                values[slot] = in_one_form
    return Meaning(block, slots, values, way.cost)


def _in_order(way: _Way) -> Iterator[Mark | str]:
    """All that is said and passed, from the beginning."""
    ways: list[_Way] = []
    at: _Way | None = way
    while at is not None:
        ways.append(at)
        at = at.before
    for one in reversed(ways):
        yield from one.marks
        if one.word:
            yield one.word
