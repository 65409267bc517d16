"""Which names of a catalogue sound like a part of what was heard.

"cardi wazu on the map please" has Caaguazú in it. Every part of what was heard that may be the name is compared, as it
would be said, with how the names are said (cloud/pronouncing/nearest.py).
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from cloud.finding.words import FILLERS
from cloud.pronouncing.nearest import SHORTLIST, Nearest
from cloud.pronouncing.phones import Phones
from cloud.pronouncing.pronouncer import Pronouncer
from cloud.understanding.written import spoken_words

PARTS_MAX = 10
PART_WORDS_MAX = 6


class Sounds(NamedTuple):
    """A name that sounds like a part of what was heard."""

    name: str
    before: int
    """Words before that part."""
    part: str
    likeness: float
    """See cloud/pronouncing/nearest.py."""
    beside: int
    """Words around the part that are no fillers."""


class Sounding:
    """The names of a catalogue by their sound."""

    def __init__(self, said: Mapping[str, Sequence[Phones]], pronouncer: Pronouncer) -> None:
        self._names = tuple(said)
        self._nearest = Nearest(list(said.values()))
        self._pronouncer = pronouncer

    def like(self, text: str, most: int, parts_max: int = PARTS_MAX, shortlisted: int = SHORTLIST) -> list[Sounds]:
        """The names most like any part of a text, the likest first; so many of each part at most, each once behind the
        same words. Fewer parts and a shorter list are quicker."""
        words = spoken_words(text)
        spans = parts(words)[:parts_max]
        heard = {span: " ".join(words[slice(*span)]) for span in spans}
        said = self._pronouncer.pronounce(heard.values())
        best: dict[tuple[int, int], Sounds] = {}
        for (start, end), part in heard.items():
            beside = _telling([*words[:start], *words[end:]])
            for phones in said[part].variants[:1] if part in said else ():
                for near in self._nearest.find(phones, most, shortlisted):
                    key = (near.phrase, start)
                    if key not in best or near.likeness > best[key].likeness:
                        best[key] = Sounds(self._names[near.phrase], start, part, near.likeness, beside)
        return sorted(best.values(), key=lambda sounds: -sounds.likeness)


def parts(words: Sequence[str]) -> list[tuple[int, int]]:
    """Starts and ends of the parts of what was heard that may be a name, the likelier first: without fillers, and with
    nothing that matters around them."""
    spans = [(start, end) for end in range(len(words), 0, -1) for start in range(end)]
    spans.sort(key=lambda span: _unlikely(words, *span))
    return [(start, end) for start, end in spans if end - start <= PART_WORDS_MAX][:PARTS_MAX]


def _unlikely(words: Sequence[str], start: int, end: int) -> float:
    """How unlikely a part is the name: words around it that say something, fillers in it."""
    part, around = words[start:end], [*words[:start], *words[end:]]
    return _telling(around) + len(part) - _telling(part) + 0.25 * (len(words) - end)


def _telling(words: Sequence[str]) -> int:
    """How many say something."""
    return sum(word not in FILLERS for word in words)
