"""The phones, and how easily one is heard as another."""

import numpy as np
import pytest

from cloud.pronouncing.dictionary import dictionary
from cloud.pronouncing.phones import (
    CLASS_OF,
    CLASSES,
    LEFT_OUT,
    NAMES,
    NUMBERS,
    SILENCE,
    SUBSTITUTIONS,
    VOWELS,
    names,
    numbers,
)


def cost(one: str, other: str) -> float:
    return float(SUBSTITUTIONS[NUMBERS[one], NUMBERS[other]])


def test_the_phones_are_those_of_the_dictionary_and_silence() -> None:
    used = {phone for word in list(dictionary())[::50] for said in dictionary().lookup(word) for phone in said}
    assert used == set(range(39))
    assert len(NAMES) == 40
    assert NAMES[SILENCE] == "SIL"
    assert len(VOWELS) == 15


def test_names_and_numbers_are_each_others_opposite() -> None:
    assert names(numbers("HH AH L OW")) == "HH AH L OW"
    assert numbers(NAMES) == bytes(range(40))
    with pytest.raises(KeyError, match="ah"):
        numbers("HH ah")


def test_a_phone_is_itself_for_nothing_and_all_else_costs_the_same_either_way_round() -> None:
    assert SUBSTITUTIONS.shape == (40, 40)
    assert np.diag(SUBSTITUTIONS).max() == 0
    assert SUBSTITUTIONS[~np.eye(40, dtype=bool)].min() > 0.1
    assert SUBSTITUTIONS.max() == 1
    assert (SUBSTITUTIONS == SUBSTITUTIONS.T).all()
    # Else nobody would ever take one for the other, and the table would not say what it does.
    skipped_for_it = LEFT_OUT[:SILENCE, np.newaxis] + LEFT_OUT[:SILENCE]
    assert (skipped_for_it >= SUBSTITUTIONS[:SILENCE, :SILENCE]).all()


@pytest.mark.parametrize(
    ("near", "far"),
    [("S Z", "S G"), ("F TH", "F K"), ("M N", "M S"), ("IH IY", "IH AA"), ("AA AO", "AA IY"), ("P B", "P L"),
     ("R ER", "R AE"), ("AH IH", "AH OY"), ("CH SH", "CH M")],
)  # fmt: skip
def test_what_people_mix_up_is_near(near: str, far: str) -> None:
    assert cost(*near.split()) < 0.8 * cost(*far.split())


def test_a_vowel_is_no_consonant_and_a_weak_phone_is_missed_sooner() -> None:
    assert cost("AA", "T") == 1
    assert LEFT_OUT[NUMBERS["AH"]] < LEFT_OUT[NUMBERS["AY"]]
    assert LEFT_OUT[NUMBERS["T"]] < LEFT_OUT[NUMBERS["SH"]]


def test_each_phone_is_in_one_class() -> None:
    assert sorted(name for phones in CLASSES for name in phones.split()) == sorted(NAMES[:-1])
    assert CLASS_OF[NUMBERS["S"]] == CLASS_OF[NUMBERS["Z"]] != CLASS_OF[NUMBERS["F"]]
    assert CLASS_OF[SILENCE] not in CLASS_OF[:SILENCE]
