"""What is nearly a command: parts of it, its words in another order or among those of other commands, and words that
sound like them. A model that never learnt them takes them for the command."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence

from models.own.wanted import Wanted, is_none_of, words_of

ALIKE_MAX = 6
"""Of a word, so many that sound like it."""
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
    words_said = sorted({word for words in said for word in words})
    like = {word: alike(word, dictionary) for word in words_said}
    for number in range(ALIKE_MAX):
        for words in said:
            for at, word in enumerate(words):
                if number < len(like[word]):
                    yield [*words[:at], like[word][number], *words[at + 1 :]]


def alike(word: str, dictionary: Mapping[str, Sounds]) -> list[str]:
    """Other words, one sound away, drawn by their letters; none where the dictionary does not know the word."""
    sounds = dictionary.get(word)
    if sounds is None:
        return []
    others = (other for other, its in dictionary.items() if other.isalpha() and _is_one_away(sounds, its))
    return _drawn(others, word)[:ALIKE_MAX]


def _drawn(words: Iterable[str], seed: str) -> list[str]:
    return sorted(words, key=lambda word: hashlib.blake2b(f"{seed}\0{word}".encode(), digest_size=8).digest())


def _is_one_away(one: Sounds, other: Sounds) -> bool:
    """One sound put in, left out or changed."""
    if abs(len(one) - len(other)) > 1 or one == other:
        return False
    same = 0
    while same < min(len(one), len(other)) and one[same] == other[same]:
        same += 1
    if len(one) == len(other):
        return one[same + 1 :] == other[same + 1 :]
    longer, shorter = (one, other) if len(one) > len(other) else (other, one)
    return longer[same + 1 :] == shorter[same:]
