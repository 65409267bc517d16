"""Finds what a spoken query asks for: exact names first, then the entries whose names and words cover it best."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from cloud.finding.asked import SIMILAR_MIN, Word, asked, weights
from cloud.finding.index import Index, Indexed

CANDIDATES = 40
"""Entries that are compared in full."""
COMMON_ENTRIES = 200
"""Entries with a word from which on it takes too long to rank them all."""
SNIPPET_CHARS = 200

# Chosen on the queries of tests/test_search.py.
SCORE_MIN = 0.48
"""Least score of a result that has neither every word of the query nor its whole name in it."""
WHOLE_NAME = 0.9
"""Share of a name that counts as the whole of it."""
BESIDE_NAME_COVERED_MIN = 0.25
"""Least share of a query, weighted by what its words tell, that a whole name must be."""
BESIDE_NAME_FAMILIAR_MIN = 0.1
"""The same where the catalogue knows every word that was said."""
ELSEWHERE = 0.5
"""What a word counts that stands in the entry, but not in the name it is compared with."""
NAME_SHARE = 0.4
"""How much of the score goes to names that say no more than the query."""
ORDER_SHARE = 0.01
"""How much of it goes to names that say it in the same order; only enough to break a tie."""


class Found(NamedTuple):
    """A result. Scores compare within one answer only: from 0, greater is better, 1 is an exact name."""

    id: str
    title: str
    snippet: str
    score: float
    url: str | None
    action: str | None
    data: str | None
    """JSON of what the action needs."""


class Fit(NamedTuple):
    """How a name and a query fit, each 0 to 1."""

    covered: float
    """Share of the query that the entry has."""
    said: float
    """Share of the name that the query has."""
    ordered: float
    """Share of the name's neighbours that are neighbours in the query."""
    name_words: int

    @property
    def score(self) -> float:
        named = 1 - NAME_SHARE + NAME_SHARE * self.said
        return self.covered * named * (1 - ORDER_SHARE + ORDER_SHARE * self.ordered)


class Contender(NamedTuple):
    """An entry that may be a result."""

    entry: Indexed
    heard: tuple[tuple[Word, float], ...]
    """Words of the query that it has anywhere, with how likely that is."""
    names: tuple[tuple[str, ...], ...]
    """The names that are worth comparing."""


def search(index: Index, query: str, limit: int = 5) -> list[Found]:
    """The best entries for what somebody said or typed, any text at all; empty where nothing fits."""
    words = asked(index, query)
    if not words or limit < 1:
        return []
    candidates = index.named([word.stem for word in words], limit)
    # Numbers alone say too little: nobody wants an alarm at six from "six".
    if not all(word.text.isdecimal() for word in words):
        candidates += index.matching(_telling(index, words), CANDIDATES)
    contenders = [_contender(words, entry) for entry in {entry.id: entry for entry in reversed(candidates)}.values()]
    parts = {part for contender in contenders for name in contender.names for part in name}
    name_weights = weights(index.size, index.frequencies(list(parts)), parts)
    scored = [(_score(words, contender, name_weights), contender.entry) for contender in contenders]
    best = sorted(scored, key=lambda pair: (-pair[0], -pair[1].rank, pair[1].id))
    return [as_found(entry, score) for score, entry in best[:limit] if score > 0]


def found_entries(index: Index, ids: Sequence[str]) -> list[Found]:
    """The entries with these ids, in their order; those that are not there are left out. Their score is 1."""
    known = {entry.id: entry for entry in index.entries(ids)}
    return [as_found(known[id], 1.0) for id in ids if id in known]


def snippet(text: str) -> str:
    """The beginning of a text, at most 200 characters, cut between words."""
    text = " ".join(text.split())
    if len(text) <= SNIPPET_CHARS:
        return text
    head = text[: SNIPPET_CHARS - 1]
    if not text[SNIPPET_CHARS - 1].isspace() and " " in head:
        head = head.rpartition(" ")[0]
    return head.rstrip(" ,.;:") + "…"


def as_found(entry: Indexed, score: float) -> Found:
    """An entry as a result."""
    return Found(entry.id, entry.title, snippet(entry.text), round(score, 4), entry.url, entry.action, entry.data)


def _telling(index: Index, words: Sequence[Word]) -> list[str]:
    """Readings to look entries up by: all, but in a large catalogue not those of its commonest words, as far as
    these together cover too little of the query for a result."""
    spare = SCORE_MIN
    kept: set[str] = set()
    for word in sorted(words, key=lambda word: word.share):
        spare -= word.share
        if spare < 0 or word.entries < COMMON_ENTRIES:
            kept.update(word.readings)
    return sorted(kept)


def _contender(words: Sequence[Word], entry: Indexed) -> Contender:
    everywhere = entry.body.union(*entry.names)
    found = [(word, word.readings.keys() & everywhere) for word in words]
    heard = tuple((word, max(word.readings[root] for root in roots)) for word, roots in found if roots)
    if sum(word.share * likeness for word, likeness in heard) < BESIDE_NAME_FAMILIAR_MIN:
        return Contender(entry, heard, ())
    if len(heard) == len(words):
        return Contender(entry, heard, entry.names)
    in_entry = set().union(*(roots for _, roots in found))
    return Contender(entry, heard, tuple(name for name in entry.names if not in_entry.isdisjoint(name)))


def _score(words: Sequence[Word], contender: Contender, name_weights: Mapping[str, float]) -> float:
    """Score of the best name of an entry; 0 where it is no result."""
    pairs = set(pairwise(word.stem for word in words))
    fits = [_fit(contender.heard, pairs, name, name_weights) for name in contender.names]
    return max((fit.score for fit in fits if _is_result(fit, words, contender.heard)), default=0.0)


def _fit(
    heard: Sequence[tuple[Word, float]],
    pairs: set[tuple[str, str]],
    name: Sequence[str],
    name_weights: Mapping[str, float],
) -> Fit:
    in_name = set(name)
    covered = 0.0
    said: dict[str, float] = {}
    for word, likeness_anywhere in heard:
        here = ELSEWHERE * likeness_anywhere
        for root, likeness in word.readings.items():
            if root in in_name:
                here = max(here, likeness)
                said[root] = max(likeness, said.get(root, 0.0))
        covered += word.share * here
    whole = sum(name_weights[root] for root in in_name)
    neighbours = list(pairwise(name))
    return Fit(
        covered,
        sum(name_weights[root] * likeness for root, likeness in said.items()) / whole,
        sum(pair in pairs for pair in neighbours) / len(neighbours) if neighbours else 1.0,
        len(in_name),
    )


def _is_result(fit: Fit, words: Sequence[Word], heard: Sequence[tuple[Word, float]]) -> bool:
    surely = sum(likeness == 1.0 for _, likeness in heard)
    if surely == 0:
        # Every word is a guess: only a name that is no more than these.
        return fit.score >= SCORE_MIN and fit.said >= SIMILAR_MIN
    if surely == len(words) or fit.score >= SCORE_MIN:
        return True
    if all(word.entries for word in words):
        return fit.said >= WHOLE_NAME and fit.covered >= BESIDE_NAME_FAMILIAR_MIN
    return fit.said >= WHOLE_NAME and fit.covered >= BESIDE_NAME_COVERED_MIN and fit.name_words > 1
