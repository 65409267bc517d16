"""The ways a recogniser that writes may write the words of a sentence. Pure.

Whisper learnt from what people wrote: "12-ounce", "25", "50%", "I'd", "Paris". A domain says them in words.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from cloud.understanding.network import Following, Place
from cloud.understanding.numbers import NUMBER_WORDS, number_at

Tokens = tuple[int, ...]

NUMBER_WORDS_MAX = 6
"""Words of one number: "nine hundred and ninety nine" has five."""

_SYMBOLS = {"percent": ("%",), "degrees": ("°",), "and": (" &",)}


class Spelled(NamedTuple):
    """Words that may come next, and one way to write them."""

    tokens: Tokens
    words: tuple[str, ...]
    place: Place
    """Where they lead."""
    cost: float


class Spelling:
    """Writes what follows a place of a network."""

    def __init__(self, following: Following, tokenise: Callable[[str], list[int]]) -> None:
        self._following = following
        self._tokenise = tokenise
        self._tokens: dict[str, Tokens] = {}

    def after(self, place: Place, *, first: bool) -> Iterator[Spelled]:
        """Every way to write every word that may come next. `first`: it begins the sentence."""
        for spoken in self._following.words(place):
            for text in forms(spoken.word, first=first):
                yield Spelled(self._written(text), (spoken.word,), spoken.place, spoken.cost)
            if spoken.word in NUMBER_WORDS:
                yield from self._numbers(Spelled((), (spoken.word,), spoken.place, spoken.cost))

    def _numbers(self, begun: Spelled) -> Iterator[Spelled]:
        """Numbers that begin with those words, in digits."""
        words = list(begun.words)
        value, end = number_at(words, 0)
        if end == len(words):
            yield begun._replace(tokens=self._written(f" {value}"))
        if len(words) < NUMBER_WORDS_MAX:
            for spoken in self._following.words(begun.place):
                longer = [*words, spoken.word]
                # Whether it goes on as one number: the next word counts into it, or an "and" that another one follows.
                if spoken.word in NUMBER_WORDS and number_at(longer, 0)[1] == len(longer) or spoken.word == "and":
                    yield from self._numbers(Spelled((), tuple(longer), spoken.place, begun.cost + spoken.cost))

    def _written(self, text: str) -> Tokens:
        if text not in self._tokens:
            self._tokens[text] = tuple(self._tokenise(text))
        return self._tokens[text]


def forms(word: str, *, first: bool) -> list[str]:
    """A word with what stands before it: a space, or the hyphen of a compound."""
    capital = word[0].upper() + word[1:]
    if word == "i" or word.startswith("i'"):
        return [f" {capital}"]
    forms = [f" {word}", f" {capital}", *_SYMBOLS.get(word, ())]
    if not first:
        forms.append(f"-{word}")
    return list(dict.fromkeys(forms))
