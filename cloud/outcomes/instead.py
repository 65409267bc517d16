"""What was heard instead of what was said, where somebody wrote that down. Pure.

How often words are wrong is for `parrotlet-models errors`, which counts them; this only says which.
"""

import difflib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from cloud.outcomes.judged import Judged
from cloud.outcomes.outcome import plain_words

WORDS_MAX = 3
ALIKE_MIN = 0.4
"""More words at a time, or less alike as a whole, are another sentence."""


class Instead(NamedTuple):
    """A word or a few, as spoken."""

    said: str
    """"": nothing."""
    heard: str
    """The same."""
    places: Sequence[int]
    """Of the answers in which that was so."""


def instead(answers: Sequence[Judged]) -> list[Instead]:
    """The commonest first."""
    found: dict[tuple[str, str], list[int]] = defaultdict(list)
    for place, one in enumerate(answers):
        if one.truth is not None:
            for pair in _pairs(plain_words(one.truth), plain_words(one.transcript)):
                found[pair].append(place)
    pairs = [Instead(said, heard, places) for (said, heard), places in found.items()]
    return sorted(pairs, key=lambda one: (-len(one.places), one.said, one.heard))


def _pairs(said: list[str], heard: list[str]) -> Iterator[tuple[str, str]]:
    matched = difflib.SequenceMatcher(None, said, heard, False)
    if matched.ratio() < ALIKE_MIN:
        return
    for tag, begin, end, other_begin, other_end in matched.get_opcodes():
        if tag == "equal":
            continue
        if end - begin == other_end - other_begin <= WORDS_MAX:
            yield from zip(said[begin:end], heard[other_begin:other_end], strict=True)
        elif max(end - begin, other_end - other_begin) <= WORDS_MAX:
            yield " ".join(said[begin:end]), " ".join(heard[other_begin:other_end])
