"""How words are said: by their owner's lexicon, else by the dictionary, else as their letters make it likely."""

import heapq
import math
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple, Protocol

from cloud.pronouncing import dictionary as cmudict
from cloud.pronouncing.compound import parts_of
from cloud.pronouncing.endings import with_s
from cloud.pronouncing.espeak import Espeak
from cloud.pronouncing.graphones import VERSION, Graphones, Guess, graphones
from cloud.pronouncing.phones import Phones
from cloud.pronouncing.reading import Piece, Reading, plain, readings
from cloud.pronouncing.spelled import spelled

VARIANTS_MAX = 4
GUESS_WIDTH = 2.5
"""How much less likely than the best guess another may be, as a natural logarithm."""
SECOND_WIDTH = 1.0
"""The second opinion comes first where the table finds it so little less likely than its own best. Of words held out
for tuning 0.717 are then right first; 0.690 by the table alone, 0.603 by espeak-ng alone."""
GUESSES_MAX = 24
"""Of the table, among which the second opinion is looked for."""
COMPOUND_SURE = -2.0
COMPOUND_PERHAPS = 2.0
"""Letters that are so much less likely as one word than as two, as a natural logarithm, are two words; up to the
second they may be. Of words held out for tuning, 0.84 were said as their parts below the first, 0.45 at the second."""
VARIED_MAX = 20
"""Pieces of a phrase whose variants are tried; those behind are said the usual way."""
WORD_LETTERS_MAX = 60
"""Longer ones are guessed by their beginning."""
_VOWELS = frozenset("aeiouy")

SOURCES = ("lexicon", "dictionary", "letters", "parts", "guess")
"""Where a pronunciation may come from, the surest first."""


class Known(Protocol):
    """A dictionary."""

    def lookup(self, word: str) -> tuple[Phones, ...]: ...


class Pronunciation(NamedTuple):
    """How a word or phrase is said."""

    variants: tuple[Phones, ...]
    """The usual way first, each once."""
    source: str
    """One of SOURCES; of several pieces the least sure one's."""


class Pronouncer:
    """Says words; with an owner's lexicon first of all. EngineError where there is no dictionary."""

    def __init__(
        self,
        lexicon: Mapping[str, tuple[Phones, ...]] | None = None,
        *,
        known: Known | None = None,
        guesser: Graphones | None = None,
        alone: bool = False,
    ) -> None:
        """`alone`: without espeak-ng even where it is installed, which takes 20 ms to start."""
        self._lexicon = lexicon or {}
        self._known = known if known is not None else cmudict.dictionary()
        self._guesser = guesser or graphones()
        self._second = Espeak() if not alone and Espeak.installed() else None

    @property
    def guessed_by(self) -> str:
        """By what words are guessed, as a build's version may name it."""
        table = f"table {VERSION}"
        return table if self._second is None else f"{table}, {self._second.version()}"

    def pronounce(self, written: Iterable[str]) -> dict[str, Pronunciation]:
        """How each is said, a word or a phrase; without what has nothing in it to be said.

        Many at once are quicker: 0.05 ms a word of the dictionary, 0.4 ms another.
        """
        read = {text: self._readings(text) for text in dict.fromkeys(written)}
        pieces = dict.fromkeys(piece for ways in read.values() for way in ways for piece in way)
        said = self._pieces(list(pieces))
        together = ((text, _joined([[said[piece] for piece in way] for way in ways])) for text, ways in read.items())
        return {text: found for text, found in together if found is not None}

    def _readings(self, text: str) -> Sequence[Reading]:
        """What is known as one word is one piece, whatever is written in it: "wi-fi", "rock'n'roll"."""
        own = text.strip().casefold()
        for whole in (own, own.replace("-", "")):
            if whole in self._lexicon or ("-" in own and self._known.lookup(whole)):
                return [(Piece(whole),)]
        return readings(text)

    def _pieces(self, pieces: Sequence[Piece]) -> dict[Piece, Pronunciation]:
        said = {piece: self._lookup(piece) for piece in pieces}
        unknown = [piece for piece, found in said.items() if found is None]
        guessed = self._guess([_guessable(piece) for piece in unknown])
        found = {piece: its for piece, its in said.items() if its is not None}
        for piece, guess in zip(unknown, guessed, strict=True):
            found[piece] = self._unknown(piece, guess)
        return found

    def _lookup(self, piece: Piece) -> Pronunciation | None:
        """What is known of it for sure."""
        text = piece.text
        for source, words in (("lexicon", self._lexicon.get(text, ())), ("dictionary", self._known.lookup(text))):
            if words and not piece.letter_by_letter:
                return Pronunciation(words, source)
        if not text.isascii() or not plain(text):
            return Pronunciation((), "guess")
        if text.endswith("'"):
            return self._lookup(piece._replace(text=text.rstrip("'")))
        if text.endswith("'s"):
            its = self._lookup(piece._replace(text=text[:-2]))
            return its and its._replace(variants=tuple(map(with_s, its.variants)))
        if text.endswith("s") and text[:-1] in self._lexicon and not piece.letter_by_letter:
            return Pronunciation(tuple(map(with_s, self._lexicon[text[:-1]])), "parts")
        if piece.letter_by_letter or piece.perhaps_letters or not _VOWELS.intersection(text):
            return Pronunciation(spelled(text), "letters")
        return None

    def _unknown(self, piece: Piece, guesses: Pronunciation) -> Pronunciation:
        if not guesses.variants:
            return Pronunciation(spelled(piece.text), "letters")
        if piece.text.endswith("'s"):
            return guesses._replace(variants=tuple(map(with_s, guesses.variants)))
        return guesses

    def _guess(self, words: Sequence[str]) -> list[Pronunciation]:
        """By letters, and by the parts of what seems to be two words."""
        known = {word: parts_of(word, self._is_known) for word in words}
        parts = dict.fromkeys(part for its in known.values() if its for part in its)
        with ThreadPoolExecutor(1) as beside:
            asked = beside.submit(self._second.guess, list(known)) if self._second and known else None
            guesses = dict(zip([*known, *parts], self._guesser.guess([*known, *parts], GUESSES_MAX), strict=True))
            second = dict(zip(known, asked.result() if asked else [b""] * len(known), strict=True))
        return [_best(guesses, word, second[word], self._of_parts(known[word])) for word in words]

    def _is_known(self, word: str) -> bool:
        return word in self._lexicon or bool(self._known.lookup(word))

    def _of_parts(self, parts: tuple[str, str] | None) -> tuple[tuple[str, str], tuple[Phones, ...]] | None:
        if parts is None:
            return None
        ways = [self._lexicon.get(part) or self._known.lookup(part) for part in parts]
        return parts, _products([ways])


def _guessable(piece: Piece) -> str:
    return (piece.hint or piece.text).removesuffix("'s").replace("'", "")[:WORD_LETTERS_MAX]


def _best(
    guesses: Mapping[str, Sequence[Guess]],
    word: str,
    second: Phones,
    of_parts: tuple[tuple[str, str], tuple[Phones, ...]] | None,
) -> Pronunciation:
    found = guesses[word]
    ways = _with_second(found, second)
    if of_parts is not None and found:
        parts, spoken = of_parts
        apart = sum(guesses[part][0].likelihood if guesses[part] else -math.inf for part in parts)
        if found[0].likelihood - apart < COMPOUND_SURE:
            return Pronunciation(tuple(dict.fromkeys([*spoken, *ways]))[:VARIANTS_MAX], "parts")
        if found[0].likelihood - apart < COMPOUND_PERHAPS:
            ways = [ways[0], spoken[0], *ways[1:]]
    return Pronunciation(tuple(dict.fromkeys(ways))[:VARIANTS_MAX], "guess")


def _with_second(guesses: Sequence[Guess], second: Phones) -> list[Phones]:
    """The table's likely guesses with the other's opinion where it belongs."""
    if not guesses:
        return [second] if second else []
    best = guesses[0].likelihood
    likely = [guess.phones for guess in guesses if guess.likelihood >= best - GUESS_WIDTH]
    if not second:
        return likely
    first = any(guess.phones == second and guess.likelihood >= best - SECOND_WIDTH for guess in guesses)
    return [second, *likely] if first else [likely[0], second, *likely[1:]]


def _joined(ways: Sequence[Sequence[Pronunciation]]) -> Pronunciation | None:
    variants = _products([[piece.variants for piece in way] for way in ways if all(piece.variants for piece in way)])
    if not variants:
        return None
    return Pronunciation(variants, max((piece.source for way in ways for piece in way), key=SOURCES.index))


def _products(ways: Sequence[Sequence[Sequence[Phones]]]) -> tuple[Phones, ...]:
    """Of each way's pieces one variant each, joined; those first that take the usual ones."""
    found: dict[Phones, int] = {}
    for rank, pieces in enumerate(ways):
        # Sums of places in the lists, the least first; VARIANTS_MAX of them never need a place beyond that.
        heap = [(rank, (0,) * len(pieces))]
        seen = set(heap)
        for _ in range(VARIANTS_MAX):
            if not heap:
                break
            cost, chosen = heapq.heappop(heap)
            found.setdefault(b"".join(piece[at] for piece, at in zip(pieces, chosen, strict=True)), cost)
            for place, at in enumerate(chosen[:VARIED_MAX]):
                after = (cost + 1, (*chosen[:place], at + 1, *chosen[place + 1 :]))
                if at + 1 < len(pieces[place]) and after not in seen:
                    seen.add(after)
                    heapq.heappush(heap, after)
    return tuple(sorted(found, key=lambda phones: found[phones]))[:VARIANTS_MAX]
