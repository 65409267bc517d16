"""Lengths of time that are said."""

import pytest

from edge.actions.durations import clock, given_s, said_s, told


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("set a timer for ten minutes", 600),
        ("Set a timer for 10 minutes.", 600),
        ("for an hour and a half", 5400),
        ("twenty five minute timer", 1500),
        ("a twenty-five minute timer", 1500),
        ("half an hour", 1800),
        ("half a minute", 30),
        ("one and a half minutes", 90),
        ("two and a half hours", 9000),
        ("a minute and thirty seconds", 90),
        ("2 hours 5 minutes", 7500),
        ("1.5 hours", 5400),
        ("a quarter of an hour", 900),
        ("three quarters of an hour", 2700),
        ("ninety nine seconds", 99),
        ("fourteen minutes", 840),
        ("sixty minutes", 3600),
        ("one minute timer", 60),
        ("set a timer", None),
        ("ten", None),
        ("minutes", None),
        ("the last minute", None),
    ],
)
def test_a_length_is_found_in_a_sentence(text: str, seconds: float | None) -> None:
    assert said_s(text) == seconds


@pytest.mark.parametrize(
    ("values", "seconds"),
    [
        ({"minutes": 10}, 600),
        ({"hours": "1", "minutes": "30"}, 5400),
        ({"seconds": "600"}, 600),
        ({"minutes": "ten"}, None),
        ({"minutes": -1}, None),
        ({"minutes": "nan"}, None),
        ({"minutes": "inf"}, None),
        ({"minutes": [1]}, None),
        ({}, None),
    ],
)
def test_values_are_added_up_and_what_is_no_number_is_none(values: dict[str, object], seconds: float | None) -> None:
    assert given_s(values.get) == seconds


@pytest.mark.parametrize(
    ("seconds", "words", "digits"),
    [
        (0, "0 seconds", "0:00"),
        (1, "1 second", "0:01"),
        (60, "1 minute", "1:00"),
        (90.2, "1 minute 30 seconds", "1:31"),
        (600, "10 minutes", "10:00"),
        (5400, "1 hour 30 minutes", "1:30:00"),
        (7205, "2 hours", "2:00:05"),
        (-3, "0 seconds", "0:00"),
    ],
)
def test_a_length_is_told_in_words_and_in_digits(seconds: float, words: str, digits: str) -> None:
    assert told(max(seconds, 0)) == words
    assert clock(seconds) == digits


@pytest.mark.parametrize("seconds", [*range(1, 200), 3600, 5400, 7140])
def test_what_is_told_is_understood_again(seconds: int) -> None:
    assert said_s(told(seconds)) == seconds
