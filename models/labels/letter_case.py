"""Capitals: at the start of a sentence and of names, everywhere, or nowhere."""

from collections.abc import Callable

from models.labels.definition import Definition
from models.labels.usage import CASED, Usage
from models.labels.writing import MARK, begins_sentence, first_letter, mark_spans, without_marks

ALWAYS = frozenset({"i", "i'm", "i've", "i'll", "i'd"})
SEEN_SMALL_MIN = 3
"""A capital within a sentence is a slip if the set has the word so often without."""


class CaseConvention:
    """Which words are names, the set itself tells."""

    name = "letter_case"

    def __init__(self, definition: Definition, usage: Usage) -> None:
        self._write, self._usage = definition.letter_case.write, usage
        self.agreed = {
            "sentence": "sentences and names begin with a capital, and nothing else does",
            "lower": "there are no capitals",
            "upper": "all letters are capitals",
            "free": "capitals are as one likes",
        }[self._write]

    def ways(self, text: str) -> list[str]:
        plain = without_marks(text)
        letters = [match[0] for match in CASED.finditer(plain)]
        if not letters:
            return []
        if plain.islower():
            return ["small letters"]
        if plain.isupper() and sum(map(len, letters)) > 1:
            return ["capitals"]
        large = sum(word[0].isupper() for word in letters)
        if len(letters) > 2 and large * 3 >= len(letters) * 2:
            return ["a capital a word"]
        return ["sentence"] if letters[0][0].isupper() else ["small at the start"]

    def conform(self, text: str) -> str:
        if self._write == "free":
            return text
        if self._write != "sentence":
            return _outside_marks(text, str.lower if self._write == "lower" else str.upper)
        way = self.ways(text)
        capitals = way == ["capitals"] and len(CASED.findall(text)) > 1
        return self._sentence(text, forget=capitals, small_min=1 if way == ["a capital a word"] else SEEN_SMALL_MIN)

    def _sentence(self, text: str, *, forget: bool, small_min: int) -> str:
        """Capitals where they belong; `forget`: those that are there say nothing; `small_min`: see _cased."""
        marks = mark_spans(text)
        first = first_letter(text)
        parts, done = [], 0
        for match in CASED.finditer(text):
            if any(start <= match.start() < end for start, end in marks):
                continue
            begins = match.start() == first or begins_sentence(text, match.start())
            if (cased := self._cased(match[0], begins=begins, forget=forget, small_min=small_min)) != match[0]:
                parts += [text[done : match.start()], cased]
                done = match.end()
        return "".join([*parts, text[done:]])

    def _cased(self, word: str, *, begins: bool, forget: bool, small_min: int) -> str:
        """One word; a capital within a sentence goes if the set has the word `small_min` times without."""
        lower = word.lower()
        if begins or lower in ALWAYS or self._is_known_name(lower):
            return (lower[0].upper() + lower[1:]) if forget or word[0].islower() else word
        if forget:
            return lower
        stray = word[0].isupper() and (word[1:].islower() or len(word) == 1)
        if stray and self._usage.inside_small[lower] >= max(small_min, 4 * self._usage.inside_large[lower]):
            return lower
        return word

    def _is_known_name(self, lower: str) -> bool:
        large, small = self._usage.inside_large[lower], self._usage.inside_small[lower]
        return large >= SEEN_SMALL_MIN and large > 4 * small


def _outside_marks(text: str, cased: Callable[[str], str]) -> str:
    parts, done = [], 0
    for match in MARK.finditer(text):
        parts += [cased(text[done : match.start()]), match[0]]
        done = match.end()
    return "".join([*parts, cased(text[done:])])
