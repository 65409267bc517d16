"""Which names sound like a part of what was heard."""

import pytest

from cloud.finding.sounding import Sounding, parts
from cloud.pronouncing.pronouncer import Pronouncer

NAMES = ("Caaguazú", "Haddington", "Wesley Chapel", "Degema Hulk", "Roshal’", "Oslo", "Bath")


@pytest.fixture(scope="module")
def places() -> Sounding:
    pronouncer = Pronouncer()
    said = pronouncer.pronounce(NAMES)
    return Sounding({name: said[name].variants for name in NAMES} | {"…": ()}, pronouncer)


@pytest.mark.parametrize(
    ("heard", "name"),
    [
        ("Cardi wazu on the map, please.", "Caaguazú"),
        ("where is heading ton", "Haddington"),
        ("How far is it to Westley Chappel?", "Wesley Chapel"),
        ("Rochel", "Roshal’"),
        ("oslow", "Oslo"),
    ],
)
def test_what_was_misheard_sounds_like_what_was_said(places: Sounding, heard: str, name: str) -> None:
    assert places.like(heard, 3)[0].name == name


def test_the_part_is_told_and_each_name_once(places: Sounding) -> None:
    found = places.like("take me to bath please", 5)
    assert found[0] == ("Bath", 3, "bath", 1.0, 1)
    assert len({(one.name, one.before) for one in found}) == len(found)


def test_nothing_sounds_like_nothing(places: Sounding) -> None:
    assert places.like("", 3) == places.like("…", 3) == []


def test_fillers_around_a_part_make_it_likelier() -> None:
    assert parts(["where", "is", "wesley", "chapel"])[0] == (2, 4)
    assert parts(["oslo"]) == [(0, 1)]
    assert len(parts([str(number) for number in range(40)])) <= 10
