"""What is nearly a command: parts of it, its words in another order or among those of other commands, and words that
sound like them. A model that never learnt them takes them for the command."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from models.own.wanted import Wanted, is_none_of, words_of

ALIKE_MAX = 4
"""Of a word, so many that sound like it."""
SOUNDS_APART_MAX = 2
WEAK = frozenset({"a", "an", "and", "my", "of", "please", "the", "to"})
"""Nobody minds which of these was said."""
NEAR_MAX = 120

Sounds = tuple[str, ...]
"""Phonemes, as the dictionary writes them."""


def near(commands: Sequence[Wanted], dictionary: Mapping[str, Sounds]) -> list[str]:
    """Texts that are no command, the most telling kinds first."""
    said = [words_of(command.text) for command in commands]
    found: dict[str, None] = {}
    for kind in (_crossed(said), _parts(said), _changed(said, dictionary), _turned(said)):
        found |= dict.fromkeys(" ".join(words) for words in kind)
    return [text for text in found if text and is_none_of(text, commands)][:NEAR_MAX]


def _parts(said: Sequence[Sequence[str]]) -> Iterator[Sequence[str]]:
    for words in said:
        for length in range(len(words) - 1, 0, -1):
            yield from (words[at : at + length] for at in range(len(words) - length + 1))


def _crossed(said: Sequence[Sequence[str]]) -> Iterator[Sequence[str]]:
    """The beginning of one with the end of another."""
    for one in said:
        for other in said:
            if one != other and len(one) > 1 and len(other) > 1:
                yield [*one[:-1], other[-1]]
                yield [one[0], *other[1:]]


def _turned(said: Sequence[Sequence[str]]) -> Iterator[Sequence[str]]:
    yield from (words[::-1] for words in said if len(words) > 1)


def _changed(said: Sequence[Sequence[str]], dictionary: Mapping[str, Sounds]) -> Iterator[Sequence[str]]:
    """With one word in place of another that sounds like it."""
    words_said = {word for words in said for word in words} - WEAK
    like = {word: alike(word, dictionary) for word in words_said}
    for number in range(ALIKE_MAX):
        for words in said:
            for at, word in enumerate(words):
                if number < len(like.get(word, ())):
                    yield [*words[:at], like[word][number], *words[at + 1 :]]


def alike(word: str, dictionary: Mapping[str, Sounds]) -> list[str]:
    """Other words, the nearest in sound first; none where the dictionary does not know the word."""
    sounds = dictionary.get(word)
    if sounds is None:
        return []
    far = {other: distance(sounds, its) for other, its in dictionary.items() if its != sounds}
    most = min(SOUNDS_APART_MAX, len(sounds) - 1)
    near_enough = [other for other, how_far in far.items() if how_far <= most]
    return sorted(near_enough, key=lambda other: (far[other], other))[:ALIKE_MAX]


def distance(one: Sounds, other: Sounds) -> int:
    """Sounds put in, left out or changed between two words (Levenshtein's)."""
    row = list(range(len(other) + 1))
    for at, sound in enumerate(one, 1):
        before, row[0] = row[0], at
        for number, its in enumerate(other, 1):
            before, row[number] = row[number], min(row[number] + 1, row[number - 1] + 1, before + (sound != its))
    return row[-1]


def spoken_words(texts: Iterable[str], dictionary: Mapping[str, Sounds]) -> dict[str, Sounds]:
    """Of the dictionary, the words that people say."""
    said = {word for text in texts for word in words_of(text)}
    return {word: dictionary[word] for word in sorted(said) if word in dictionary}
