"""How unlike two pronunciations sound."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from cloud.pronouncing.distance import apart, candidates, distance, distances
from cloud.pronouncing.phones import LEFT_OUT, SUBSTITUTIONS, Phones, numbers

spoken = some.binary(max_size=8).map(lambda raw: bytes(byte % 40 for byte in raw))


def plainly(one: Phones, other: Phones) -> float:
    """The same by its definition, a cell at a time."""
    table = {(0, 0): 0.0}
    for i in range(len(one) + 1):
        for j in range(len(other) + 1):
            ways = []
            if i:
                ways.append(table[i - 1, j] + LEFT_OUT[one[i - 1]])
            if j:
                ways.append(table[i, j - 1] + LEFT_OUT[other[j - 1]])
            if i and j:
                ways.append(table[i - 1, j - 1] + SUBSTITUTIONS[one[i - 1], other[j - 1]])
            table[i, j] = min(ways, default=0.0)
    return table[len(one), len(other)]


@given(spoken, some.lists(spoken, min_size=1, max_size=6))
def test_all_at_a_time_is_each_by_itself(said: Phones, others: list[Phones]) -> None:
    found = distances(said, candidates(others))
    assert found == pytest.approx([plainly(said, other) for other in others], abs=1e-4)


@given(spoken, spoken)
def test_it_is_the_same_either_way_round_and_nothing_only_for_the_same(one: Phones, other: Phones) -> None:
    assert distance(one, other) == pytest.approx(distance(other, one), abs=1e-4)
    assert distance(one, one) == 0
    silent = numbers(["SIL"])
    assert (distance(one, other) == 0) == (one.replace(silent, b"") == other.replace(silent, b""))


def test_what_is_misheard_is_nearer_than_what_is_not() -> None:
    rose, roast, road = (numbers(said) for said in ("R OW Z", "R OW S T", "R OW D"))
    light, dark = numbers("L AY T"), numbers("D AA R K")
    assert distance(light + rose, light + roast) < distance(light + rose, dark + roast)
    assert distance(rose, roast) < distance(rose, road) + LEFT_OUT.max()
    assert distance(b"", rose) == pytest.approx(float(LEFT_OUT[list(rose)].sum()), abs=1e-5)


def test_rows_that_are_taken_are_as_wide_as_the_longest() -> None:
    all_of_them = candidates([b"", numbers("AA B"), numbers("AA B K D")])
    some_of_them = all_of_them.take(np.array([1, 0]))
    assert some_of_them.phones.shape == (2, 2)
    assert list(distances(numbers("AA B"), some_of_them)) == list(distances(numbers("AA B"), all_of_them)[[1, 0]])
    assert distances(b"", candidates([])).shape == (0,)


def test_of_variants_the_nearest_count() -> None:
    tomatoes = numbers("T AH M EY T OW"), numbers("T AH M AA T OW")
    assert apart(tomatoes, [numbers("T AH M AA T OW")]) == 0
    assert apart(tomatoes[:1], tomatoes[1:]) > 0
