"""What a query asks for: its words, how much each matters, and what else each may have been.

A recogniser writes words that sound right. "whether in berlin" and "lite on" are answered by taking a word that no
name of the catalogue has for the ones that look or sound like it, and one that some name has for its homophones.
"""

import difflib
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from cloud.finding.index import Index
from cloud.finding.words import content_words, sound, stem

WORDS_MAX = 40
"""Words of a query that are looked at."""
READINGS_MAX = 4
"""Other words that a word may stand for."""

# Chosen on the queries of tests/test_search.py.
SIMILAR_MIN = 0.7
"""Least similarity of letters of a word that is taken for another."""
SAME_SOUND = 0.8
"""What a word counts that sounds like the one that was heard."""
HOMOPHONE = 0.9
"""What a word counts, times its letters in common, that sounds like one which the catalogue has too."""
SAME_SOUND_LETTERS_MIN = 0.5
"""Least similarity of letters where two words sound alike."""


class Word(NamedTuple):
    """A word of a query."""

    text: str
    stem: str
    share: float
    """How much of the query it tells; the shares of all words make 1."""
    entries: int
    """How many entries have it in a name or tag."""
    readings: Mapping[str, float]
    """Stems that it may stand for, with how likely that is: its own has 1."""


def asked(index: Index, query: str) -> list[Word]:
    """The different words of a query, in order, fillers left out."""
    texts = list(dict.fromkeys(_joined(index, content_words(query)[:WORDS_MAX])))
    stems = [stem(text) for text in texts]
    entries = index.frequencies(stems)
    weight = weights(index.size, entries, stems)
    total = sum(weight[root] for root in stems)
    return [
        Word(text, root, weight[root] / total, entries.get(root, 0), _readings(index, text, root, root in entries))
        for text, root in zip(texts, stems, strict=True)
    ]


def weights(size: int, frequencies: Mapping[str, int], stems: Iterable[str]) -> dict[str, float]:
    """Inverse document frequencies of stems in a catalogue of `size` entries; one of no entry weighs most."""
    return {root: math.log1p(size / frequencies.get(root, 1)) for root in stems}


def _joined(index: Index, words: Sequence[str]) -> list[str]:
    """The words, pairs such as "dish washer" as one where the catalogue writes them so."""
    known = index.frequencies([stem(a + b) for a, b in zip(words, words[1:], strict=False)])
    out: list[str] = []
    for word in words:
        if out and stem(out[-1] + word) in known and not word.isdecimal():
            out[-1] += word
        else:
            out.append(word)
    return out


def _readings(index: Index, word: str, root: str, known: bool) -> dict[str, float]:
    if word.isdecimal():
        return {root: 1.0}
    likely: dict[str, float] = {}
    others = index.sounding_like(word) if known else index.spelled_like(word) | index.sounding_like(word)
    for other, other_root in others.items():
        likeness = _likeness(word, other, known)
        if likeness > 0:
            likely[other_root] = max(likeness, likely.get(other_root, 0.0))
    likeliest = sorted(likely.items(), key=lambda reading: (-reading[1], reading[0]))[:READINGS_MAX]
    return dict(likeliest) | {root: 1.0}


def _likeness(word: str, other: str, known: bool) -> float:
    """How likely `other` was said where `word` was heard; 0: not to be thought of."""
    matcher = difflib.SequenceMatcher(None, word, other, autojunk=False)
    # The quick upper bound saves nine in ten of the slow ratios.
    letters = matcher.ratio() if matcher.quick_ratio() >= SAME_SOUND_LETTERS_MIN else 0.0
    same_sound = letters >= SAME_SOUND_LETTERS_MIN and sound(word) == sound(other)
    if known:
        return HOMOPHONE * letters if same_sound else 0.0
    return max(letters, SAME_SOUND) if same_sound else letters * (letters >= SIMILAR_MIN)
