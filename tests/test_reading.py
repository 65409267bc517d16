"""How something written is read out."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from cloud.pronouncing.number_words import number
from cloud.pronouncing.reading import READINGS_MAX, Piece, plain, readings


def read(written: str) -> list[str]:
    """Pieces with blanks between; of those that are spelled the letters with dots."""
    return [
        " ".join(".".join(piece.text) if piece.letter_by_letter else piece.text for piece in way)
        for way in readings(written)
    ]


@pytest.mark.parametrize(
    ("written", "ways"),
    [
        ("light roast", ["light roast"]),
        ("7pm", ["seven p.m"]),
        ("7 AM", ["seven a.m"]),
        ("am I", ["am i"]),
        ("U.S.A.", ["u.s.a"]),
        ("2nd", ["second"]),
        ("21st", ["twenty first"]),
        ("40TH", ["fortieth"]),
        ("100th", ["one hundredth"]),
        ("12", ["twelve"]),
        ("0", ["zero"]),
        ("2.50", ["two point five zero"]),
        ("7:05", ["seven oh five"]),
        ("12:00", ["twelve o'clock", "twelve"]),
        ("1984", ["nineteen eighty four", "one thousand nine hundred eighty four",
                  "one thousand nine hundred and eighty four"]),
        ("1905", ["nineteen oh five", "one thousand nine hundred five", "one thousand nine hundred and five"]),
        ("2015", ["two thousand fifteen", "twenty fifteen", "two thousand and fifteen"]),
        ("1900", ["nineteen hundred", "one thousand nine hundred"]),
        ("1,000", ["one thousand", "one zero zero zero"]),
        ("007", ["zero zero seven", "oh oh seven"]),
        ("20 oz", ["twenty ounces", "twenty ounce"]),
        ("oz", ["oz"]),
        ("50%", ["fifty percent"]),
        ("mp3", ["mp three"]),
        ("R&B", ["r and b"]),
        ("Saint-\u00c9tienne", ["saint etienne"]),
        ("o\u2019brien's", ["o'brien's"]),
        ("\u0663", ["three"]),
        ("", []),
        ("*** \u5317\u4eac ", []),
        ("1:2:3", ["one two three"]),
    ],
)  # fmt: skip
def test_it_is_read_out_as_people_do(written: str, ways: list[str]) -> None:
    assert read(written) == ways


def test_capitals_are_perhaps_letters_unless_the_word_is_long() -> None:
    assert readings("NHS") == [(Piece("nhs", perhaps_letters=True),)]
    assert readings("PARROT") == [(Piece("parrot"),)]
    assert readings("Nhs") == [(Piece("nhs"),)]


def test_accents_are_plain_to_look_up_and_tell_how_it_is_said() -> None:
    assert plain("Stra\u00dfe \u00c6r\u00f8 \u0141\u00f3d\u017a") == "strasseaerolodz"
    assert readings("caf\u00e9") == [(Piece("cafe", hint="cafay"),)]
    assert readings("Z\u00fcrich") == [(Piece("zurich"),)]
    # Written with the accent as a sign of its own.
    assert readings("cafe\u0301") == readings("caf\u00e9")


@pytest.mark.parametrize(
    ("digits", "words"),
    [
        ("1000000", "one million"),
        ("999999999999", "nine hundred ninety nine billion nine hundred ninety nine million nine hundred ninety nine"
         " thousand nine hundred ninety nine"),
        ("1234567890123", "one two three four five six seven eight nine zero one two three"),
        ("40", "forty"),
        ("115", "one hundred fifteen"),
    ],
)  # fmt: skip
def test_numbers_of_any_size_are_said(digits: str, words: str) -> None:
    assert " ".join(number(digits)[0]) == words


@given(some.text(max_size=30))
def test_whatever_is_written_is_read_in_a_few_ways_of_plain_letters(written: str) -> None:
    ways = readings(written)
    assert len(ways) <= READINGS_MAX
    assert all(piece.text and set(piece.text) <= set("abcdefghijklmnopqrstuvwxyz'") for way in ways for piece in way)
