"""Which of many phrases sound most like some phones."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as some

from cloud.pronouncing.distance import apart
from cloud.pronouncing.nearest import SHORTLIST, Nearest
from cloud.pronouncing.phones import Phones, numbers
from cloud.pronouncing.pronouncer import Pronouncer

TITLES = ("Light roast", "Dark roast", "Iced mocha", "Caf\u00e9 latte", "Ouagadougou", "NHS", "Tomato")
spoken = some.binary(min_size=1, max_size=8).map(lambda raw: bytes(byte % 39 for byte in raw))


@pytest.fixture(scope="module")
def titles() -> Nearest:
    said = Pronouncer().pronounce(TITLES)
    return Nearest([said[title].variants for title in TITLES])


@pytest.mark.parametrize(
    ("heard", "meant"),
    [
        ("light rose", "Light roast"),
        ("dark rows", "Dark roast"),
        ("ice moke o", "Iced mocha"),
        ("coffee lot a", "Caf\u00e9 latte"),
        ("waga do goo", "Ouagadougou"),
        ("and h s", "NHS"),
    ],
)
def test_what_was_misheard_is_found(titles: Nearest, heard: str, meant: str) -> None:
    said = Pronouncer().pronounce([heard])[heard].variants[0]
    assert TITLES[titles.find(said)[0].phrase] == meant


def test_any_variant_of_a_phrase_is_the_phrase_and_it_is_found_once(titles: Nearest) -> None:
    for said in ("T AH M EY T OW", "T AH M AA T OW"):
        found = titles.find(numbers(said))
        assert (TITLES[found[0].phrase], found[0].distance, found[0].likeness) == ("Tomato", 0, 1)
        assert sorted(near.phrase for near in found) == list(range(len(TITLES)))
    assert len(titles.find(numbers("T AH"), most=2)) == 2
    assert titles.find(b"") == []


@given(some.lists(some.lists(spoken, max_size=3), max_size=8), spoken)
def test_few_are_measured_all(phrases: list[list[Phones]], said: Phones) -> None:
    found = Nearest(phrases).find(said)
    assert sorted(near.phrase for near in found) == [place for place, variants in enumerate(phrases) if variants]
    assert [near.distance for near in found] == sorted(near.distance for near in found)
    for near in found:
        assert near.distance == pytest.approx(apart([said], phrases[near.phrase]), abs=1e-4)
        assert 0 <= near.likeness <= 1


def test_of_more_than_are_measured_nearly_always_the_nearest_is_found() -> None:
    draw = random.Random(3)
    syllables = [bytes([draw.randrange(39), draw.randrange(39)]) for _ in range(60)]
    phrases = [[b"".join(draw.choices(syllables, k=draw.randint(3, 6)))] for _ in range(4 * SHORTLIST)]
    every = Nearest(phrases)
    right = 0
    for place in range(0, len(phrases), 97):
        said = bytearray(phrases[place][0])
        said[draw.randrange(len(said))] = draw.randrange(39)
        del said[draw.randrange(len(said))]
        distance = min(apart([bytes(said)], variants) for variants in phrases[place : place + 1])
        right += every.find(bytes(said))[0].distance <= distance + 1e-4
    assert right >= 0.9 * len(range(0, len(phrases), 97))


def test_it_is_built_the_same_each_time() -> None:
    said = [Pronouncer().pronounce([title])[title].variants for title in TITLES] * 300
    phones = numbers("L AY T R OW S")
    assert Nearest(said).find(phones) == Nearest(said).find(phones)
    assert [near.phrase for near in Nearest(said).find(phones, 3)] == [0, 7, 14]
