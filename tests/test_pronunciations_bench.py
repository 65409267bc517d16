"""How benchmarks/pronunciations.py counts, and what its ear hears."""

import shutil

import pytest
from hypothesis import given
from hypothesis import strategies as some

from benchmarks.pronouncing_by_ear import Ear, Heard, say
from benchmarks.pronunciations import HeldOut, edits, judge, unknown_words
from cloud.pronouncing.dictionary import dictionary
from cloud.pronouncing.phones import numbers
from models.synthesis.programs import Flite
from models.tables.held_words import part_of


def test_a_guess_is_right_if_it_is_any_variant_and_its_faults_are_counted_from_the_nearest() -> None:
    cat, tomato = numbers("K AE T"), (numbers("T AH M EY T OW"), numbers("T AH M AA T OW"))
    found = judge(
        [[numbers("K AA T"), numbers("K AH T"), numbers("K IH T"), cat], [tomato[1]], []],
        {"cat": [cat], "tomato": tomato, "at": [numbers("AE T")]},
    )
    assert found.phone_errors == pytest.approx((1 + 0 + 2) / (3 + 6 + 2))
    assert (found.first, found.of_three, found.of_all) == pytest.approx((1 / 3, 1 / 3, 2 / 3))
    assert found.variants == pytest.approx(5 / 3)


@given(some.binary(max_size=6), some.binary(max_size=6))
def test_edits_are_levenshteins(one: bytes, other: bytes) -> None:
    def plainly(i: int, j: int) -> int:
        if not i or not j:
            return i + j
        change = plainly(i - 1, j - 1) + (one[i - 1] != other[j - 1])
        return min(change, plainly(i - 1, j) + 1, plainly(i, j - 1) + 1) if change else change

    assert edits(one, other) == plainly(len(one), len(other))


def test_what_is_held_out_is_unknown_to_who_guesses() -> None:
    held = HeldOut(dictionary())
    parts = {word: part_of(word) for word in list(dictionary())[::200]}
    assert {part for word, part in parts.items() if held.lookup(word)} == {"learn"}
    assert all(held.lookup(word) for word, part in parts.items() if part == "learn")


def test_words_for_the_ear_are_those_that_the_dictionary_lacks() -> None:
    words = list(unknown_words())
    assert len(words) == len(set(words)) > 0
    assert not [word for word in words if word in dictionary()]


@pytest.mark.skipif(shutil.which("flite") is None, reason="flite is not installed")
def test_the_ear_hears_which_word_was_said_and_how() -> None:
    ways = {
        "coffee": (numbers("K AA F IY"),),
        "tomato": (numbers("T AH M AA T OW"), numbers("T AH M EY T OW")),
        "parrot": (numbers("P EH R AH T"),),
    }
    engine = Flite()
    said = say(engine, next(voice for voice in engine.voices() if voice.name == "slt"), list(ways))
    ear = Ear(ways)
    assert [ear.hear(said[word]) for word in ways] == [Heard("coffee", 0), Heard("tomato", 1), Heard("parrot", 0)]
