"""Which phrases of a list sound alike."""

import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as some

from cloud.pronouncing.distance import apart
from cloud.pronouncing.phones import SILENCE, Phones, numbers
from cloud.pronouncing.pronouncer import Pronouncer
from cloud.pronouncing.sounding_alike import NEAR, sounding_alike

lists_of_phrases = some.lists(
    some.lists(some.lists(some.sampled_from(list(numbers("AA IY T D K S"))), max_size=3).map(bytes), max_size=2),
    max_size=12,
)


def said(*words: str) -> list[tuple[Phones, ...]]:
    found = Pronouncer().pronounce(words)
    return [found[word].variants for word in words]


def test_homophones_come_first_then_what_is_near() -> None:
    words = ("fifteen", "light", "dark", "too", "fifty", "two", "roast", "lite")
    found = sounding_alike(said(*words))
    assert [(words[pair.first], words[pair.second]) for pair in found] == [
        ("light", "lite"),
        ("too", "two"),
        ("fifteen", "fifty"),
    ]
    assert [pair.distance for pair in found[:2]] == [0, 0]
    assert 0 < found[2].nearness <= NEAR


@given(lists_of_phrases)
def test_every_pair_of_homophones_is_found_and_no_more(phrases: list[list[Phones]]) -> None:
    spoken = [[phones for phones in variants if phones] for variants in phrases]
    wanted = {
        (first, second)
        for second in range(len(spoken))
        for first in range(second)
        if set(spoken[first]) & set(spoken[second])
    }
    assert {(pair.first, pair.second) for pair in sounding_alike(phrases, 0)} == wanted


@given(lists_of_phrases)
def test_what_is_found_is_as_far_apart_as_it_says(phrases: list[list[Phones]]) -> None:
    found = sounding_alike(phrases, 0.3)
    assert found == sorted(found, key=lambda pair: (pair.nearness, pair.first, pair.second))
    for pair in found:
        assert pair.first < pair.second
        assert pair.nearness <= 0.3
        ones, others = ([phones for phones in phrases[place] if phones] for place in pair[:2])
        assert pair.distance >= apart(ones, others) - 1e-4


@pytest.mark.parametrize("phrases", [[], [()], [(), ()], [(b"",), (b"",)], [(numbers("T"), numbers("T"))]])
def test_few_or_none_are_no_trouble(phrases: list[tuple[Phones, ...]]) -> None:
    assert sounding_alike(phrases) == []


def test_ten_thousand_values_take_seconds_even_if_all_are_much_the_same() -> None:
    draw = random.Random(5)
    syllables = [numbers(text) for text in ("L AA", "M AH N", "T OW", "R IY S", "K AE", "D ER")]
    phrases = [[b"".join(draw.choices(syllables, k=draw.randint(2, 4)))] for _ in range(10_000)]
    began = time.process_time()
    found = sounding_alike(phrases)
    assert time.process_time() - began < 20
    assert len(found) > 10_000
    assert max(max(phones) for variants in phrases for phones in variants) < SILENCE
