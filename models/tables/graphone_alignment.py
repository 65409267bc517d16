"""Which letters of a word make which of its phones: each letter none, one or two.

Found by expectation and maximisation over all words at once; Jiampojamarn, Kondrak and Sherif 2007, "Applying
Many-to-Many Alignments and Hidden Markov Models to Letter-to-Phoneme Conversion".
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

ROUNDS = 8
SOUNDS_MAX = 2
"""Phones of a letter at most, as of x."""
LEAST_BY_LETTER = -3.0
"""Mean log probability of a word's letters below which it is no spelling: abbreviations, and words that are cut off."""
BATCH = 4000
UNLIKELY = np.array([0.1, 1.0, 0.01])
"""Before anything was seen: that a letter makes no phone, one, two."""
NO_LETTER = 26

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


class Spelt(NamedTuple):
    """A word and one of its pronunciations."""

    word: str
    """a to z only."""
    phones: tuple[str, ...]


class _Batch(NamedTuple):
    """Words of about the same length, side by side."""

    places: Integers
    letters: Integers
    """(words, longest); NO_LETTER behind the end, which makes no phone."""
    sounds: Integers
    """(3, words, phones + 1): at each place between phones the number of none, of the one, of the two before it; -1:
    there are not so many."""
    phones: Integers


def align(words: Sequence[Spelt]) -> list[list[tuple[str, str]]]:
    """Of each word, its letters and the phones that they make, "x" and "K S"; empty where it is not spelt so."""
    names = sorted({phone for word in words for phone in word.phones})
    batches = list(_batches(words, names))
    chances = _at_first(len(names))
    for _ in range(ROUNDS):
        counts = np.full(chances.shape, 1e-12)
        for batch in batches:
            _expect(batch, chances, counts)
        chances = counts / counts.sum(axis=1, keepdims=True)
        chances[NO_LETTER] = 0
        chances[NO_LETTER, 0] = 1
    found: list[list[tuple[str, str]]] = [[] for _ in words]
    for batch in batches:
        for place, made in zip(batch.places, _best(batch, chances), strict=True):
            texts = ["" if not sound else " ".join(_phones(sound, names)) for sound in made]
            found[place] = list(zip(words[place].word, texts, strict=True)) if made else []
    return found


def _batches(words: Sequence[Spelt], names: Sequence[str]) -> list[_Batch]:
    number = {name: place for place, name in enumerate(names)}
    order = sorted(range(len(words)), key=lambda at: (len(words[at].word), len(words[at].phones)))
    batches = []
    for start in range(0, len(order), BATCH):
        places = order[start : start + BATCH]
        longest = max(len(words[at].phones) for at in places)
        letters = np.full((len(places), max(len(words[at].word) for at in places)), NO_LETTER, np.int64)
        sounds = np.full((SOUNDS_MAX + 1, len(places), longest + 1), -1, np.int64)
        sounds[0] = 0
        for row, at in enumerate(places):
            letters[row, : len(words[at].word)] = np.frombuffer(words[at].word.encode(), np.uint8) - ord("a")
            said = np.array([number[phone] for phone in words[at].phones], np.int64)
            sounds[1, row, 1 : len(said) + 1] = 1 + said
            sounds[2, row, 2 : len(said) + 1] = 1 + len(names) + said[:-1] * len(names) + said[1:]
        phones = np.array([len(words[at].phones) for at in places], np.int64)
        batches.append(_Batch(np.array(places, np.int64), letters, sounds, phones))
    return batches


def _phones(sound: int, names: Sequence[str]) -> list[str]:
    if sound <= len(names):
        return [names[sound - 1]]
    first, second = divmod(sound - 1 - len(names), len(names))
    return [names[first], names[second]]


def _at_first(phones: int) -> Floats:
    """(27, sounds) chances of what each letter makes."""
    likely = np.repeat(UNLIKELY, (1, phones, phones**2))
    chances: Floats = np.tile(likely / likely.sum(), (NO_LETTER + 1, 1))
    chances[NO_LETTER] = 0
    chances[NO_LETTER, 0] = 1
    return chances


def _steps(batch: _Batch, chances: Floats, at: int) -> list[Floats]:
    """Of letter `at` that it makes 0, 1, 2 phones, by the place between phones where it ends, from that number on."""
    its = batch.letters[:, at, np.newaxis]
    steps = []
    for made in range(SOUNDS_MAX + 1):
        sounds = batch.sounds[made][:, made:]
        steps.append(np.where(sounds >= 0, chances[its, sounds], 0))
    return steps


def _expect(batch: _Batch, chances: Floats, counts: Floats) -> None:
    """Adds to `counts` how often each letter is expected to make each sound."""
    words, ends = batch.sounds.shape[1:]
    rows = np.arange(words)
    steps = [_steps(batch, chances, at) for at in range(batch.letters.shape[1])]
    ahead = [np.zeros((words, ends))]
    ahead[0][:, 0] = 1
    for step in steps:
        ahead.append(np.zeros((words, ends)))
        for made, chance in enumerate(step):
            ahead[-1][:, made:] += ahead[-2][:, : ends - made] * chance
    whole = ahead[-1][rows, batch.phones]
    behind = np.zeros((words, ends))
    behind[rows, batch.phones] = np.divide(1, whole, out=np.zeros(words), where=whole > 0)
    for at in range(len(steps) - 1, -1, -1):
        before = np.zeros((words, ends))
        for made, chance in enumerate(steps[at]):
            way = chance * behind[:, made:]
            before[:, : ends - made] += way
            expected = way * ahead[at][:, : ends - made]
            its = np.broadcast_to(batch.letters[:, at, np.newaxis], expected.shape)
            some = expected > 0
            np.add.at(counts, (its[some], batch.sounds[made][:, made:][some]), expected[some])
        behind = before


def _best(batch: _Batch, chances: Floats) -> list[list[int]]:
    """Sounds of each word's letters, the likeliest way; empty where no way is likely."""
    words, ends = batch.sounds.shape[1:]
    with np.errstate(divide="ignore"):
        costs = np.log(chances)
    score = np.full((words, ends), -np.inf)
    score[:, 0] = 0
    choices = np.zeros((batch.letters.shape[1], words, ends), np.int8)
    for at in range(batch.letters.shape[1]):
        after = np.full((words, ends), -np.inf)
        for made in range(SOUNDS_MAX + 1):
            sounds = batch.sounds[made][:, made:]
            cost = np.where(sounds >= 0, costs[batch.letters[:, at, np.newaxis], sounds], -np.inf)
            way = score[:, : ends - made] + cost
            better = way > after[:, made:]
            after[:, made:][better] = way[better]
            choices[at][:, made:][better] = made
        score = after
    found = []
    for row, phones in enumerate(batch.phones):
        letters = int((batch.letters[row] != NO_LETTER).sum())
        made_of: list[int] = []
        place = int(phones)
        for at in range(letters - 1, -1, -1):
            made = int(choices[at, row, place])
            made_of.insert(0, int(batch.sounds[made, row, place]))
            place -= made
        likely = score[row, phones] >= LEAST_BY_LETTER * letters
        found.append(made_of if likely else [])
    return found
