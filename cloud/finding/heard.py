"""What was heard, in every way in which it was heard, and the entries for all of them together.

Each reading is searched for. Where an engine listened for the catalogue's names themselves, they count as much as the
sound makes them likely; what several readings lead to is likelier than each alone makes it.
"""

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from cloud.decoders import Hypothesis, Name
from cloud.finding.index import Index, Indexed
from cloud.finding.search import Found, as_found, search
from cloud.finding.sounding import Sounding
from cloud.finding.why import why
from cloud.finding.words import content_words, stem

# Chosen on the tuning half of `scripts/bench spoken_queries`.
NO_NAME = 2.0
"""As likely as this name, nothing of the catalogue was named; a natural logarithm."""
DOUBT = 2.0
"""Names are so many times less far apart than their scores, natural logarithms."""
BESIDE_NAMES = 0.3
"""What a result of the words counts where names were listened for."""
BESIDE_SOUND = 0.6
"""What a name that sounds like a part of the words counts for each other word that is no filler, as a share."""
SOUND_POWER = 3
"""Of a likeness, before it is a score."""
SOUNDING_MAX, PARTS_MAX, SHORTLISTED = 5, 3, 300
"""Names that sound alike, of each part; parts that are looked at; pronunciations that are measured for each."""
ALTERNATIVE = 0.5
"""What a result of other words than the answer's counts, as a share."""

NAMESAKES_MAX = 20
"""Entries of one name."""
READINGS_MAX = 4
"""Words that are searched for."""
EXPLAINED_MAX = 5


class Lead(NamedTuple):
    """What leads to an entry."""

    found: Found
    score: float
    heard: str
    """In what."""
    how: str
    """Empty: by its words."""


def find(
    index: Index, sounding: Sounding | None, chosen: Hypothesis, limit: int, *, explain: bool = False
) -> tuple[list[Found], list[str]]:
    """The best entries for an answer and its other readings; where asked for, a sentence for each of the first that
    says why. `sounding`: of the domain's names, where there are many."""
    leads: dict[str, list[Lead]] = {}
    for lead in (*_named(index, chosen), *_by_words(index, chosen, limit), *_by_sound(index, sounding, chosen)):
        leads.setdefault(lead.found.id, []).append(lead)
    scores = {id: 1 - math.prod(1 - lead.score for lead in its) for id, its in leads.items()}
    best = sorted(leads, key=lambda id: -scores[id])[:limit]
    results = [leads[id][0].found._replace(score=round(scores[id], 4)) for id in best]
    shown = results[: EXPLAINED_MAX if explain else 0]
    return results, [
        f"{one.title} ({one.score:.2f}): {'; '.join(_why(index, lead) for lead in leads[one.id])}." for one in shown
    ]


def _why(index: Index, lead: Lead) -> str:
    if lead.how:
        return lead.how
    words = why(index, lead.heard, lead.found.id)
    return f'"{lead.heard}" matches with {lead.found.score:.2f}, times {lead.score / lead.found.score:.2f}: {words}'


def _named(index: Index, chosen: Hypothesis) -> Iterator[Lead]:
    """By names that were listened for."""
    for name, share in shares(chosen.names):
        for entry in entries_named(index, name.text):
            how = f'its name was heard in "{name.said}" (share {share:.2f} of all names)'
            yield Lead(as_found(entry, share), share, name.said, how)


def _by_words(index: Index, chosen: Hypothesis, limit: int) -> Iterator[Lead]:
    # Readings with a name in them were counted by the name.
    named = {name.said for name in chosen.names}
    others = [one.transcript for one in chosen.alternatives if one.engine != chosen.engine]
    others = [text for text in others if text not in named]
    for number, text in enumerate(dict.fromkeys([chosen.transcript, *others[: READINGS_MAX - 1]])):
        weight = _weight(chosen) * (ALTERNATIVE if number else 1.0)
        for hit in search(index, text, limit):
            yield Lead(hit, weight * hit.score, text, "")


def _by_sound(index: Index, sounding: Sounding | None, chosen: Hypothesis) -> Iterator[Lead]:
    best: dict[str, Lead] = {}
    for one in sounding.like(chosen.transcript, SOUNDING_MAX, PARTS_MAX, SHORTLISTED) if sounding else ():
        score = _weight(chosen) * one.likeness**SOUND_POWER * BESIDE_SOUND**one.beside
        how = f'"{one.part}" sounds like its name (likeness {one.likeness:.2f})'
        for entry in entries_named(index, one.name) if score > 0 else ():
            if entry.id not in best or score > best[entry.id].score:
                best[entry.id] = Lead(as_found(entry, score), score, one.part, how)
    yield from best.values()


def _weight(chosen: Hypothesis) -> float:
    return BESIDE_NAMES if chosen.names else 1.0


def shares(names: Sequence[Name]) -> Iterator[tuple[Name, float]]:
    """Names with how likely each is the one that was said, beside all others and beside none."""
    odds = [math.exp(name.score / DOUBT) for name in names]
    for name, its in zip(names, odds, strict=True):
        yield name, its / (sum(odds) + math.exp(NO_NAME / DOUBT))


def entries_named(index: Index, name: str) -> list[Indexed]:
    """The entries of that name: those that are called so to the letter, if there are any."""
    like_it = index.named([stem(word) for word in content_words(name)], NAMESAKES_MAX)
    return [entry for entry in like_it if entry.title == name] or like_it
