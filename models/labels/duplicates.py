"""The same words twice: written in two ways, or learnt from in one split and measured with in another."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from models.labels.slips import is_one_edit

LONG_WORDS = 8
"""A text so long with one word different is the same text; shorter ones are phrases with a slot."""
NEAR_WORDS_MIN = 5
"""Shorter texts are meant to be said by many."""


class Near(NamedTuple):
    """Two texts by their places in what was given."""

    first: int
    second: int


def groups(keys: Iterable[str]) -> dict[str, list[int]]:
    """Places by key, of keys that are there more than once; the empty key is none."""
    found: defaultdict[str, list[int]] = defaultdict(list)
    for place, key in enumerate(keys):
        if key:
            found[key].append(place)
    return {key: places for key, places in found.items() if len(places) > 1}


def near_duplicates(texts: Sequence[Sequence[str]], sides: Sequence[str | None]) -> Iterator[Near]:
    """Pairs of texts (their words) with different sides that are nearly the same: one word more, less or another.

    Texts one word apart share a form that they have with a word left out. Each text of a later place is paired once.
    """
    seen: defaultdict[int, list[int]] = defaultdict(list)
    for place, words in enumerate(texts):
        if len(words) < NEAR_WORDS_MIN - 1 or sides[place] is None:
            continue
        forms = {hash(tuple(words))} | {hash((*words[:at], *words[at + 1 :])) for at in range(len(words))}
        partner = _partner(place, forms, seen, texts, sides)
        if partner is not None:
            yield Near(partner, place)
        for form in forms:
            # More of a kind add nothing but time.
            if len(seen[form]) < 8:
                seen[form].append(place)


def is_near(one: Sequence[str], other: Sequence[str]) -> bool:
    """Whether a single word lies between two texts, and does not make them two phrases of one pattern."""
    if len(one) > len(other):
        one, other = other, one
    if len(other) - len(one) > 1 or len(other) < NEAR_WORDS_MIN:
        return False
    at = next((at for at, (left, right) in enumerate(zip(one, other, strict=False)) if left != right), len(one))
    if len(one) < len(other):
        return list(one[at:]) == list(other[at + 1 :])
    if at == len(one):
        return True
    if list(one[at + 1 :]) != list(other[at + 1 :]):
        return False
    return len(one) >= LONG_WORDS or (len(one[at]) > 3 and is_one_edit(one[at], other[at]))


def _partner(
    place: int,
    forms: set[int],
    seen: defaultdict[int, list[int]],
    texts: Sequence[Sequence[str]],
    sides: Sequence[str | None],
) -> int | None:
    for form in forms:
        for earlier in seen.get(form, ()):
            if sides[earlier] != sides[place] and is_near(texts[earlier], texts[place]):
                return earlier
    return None
