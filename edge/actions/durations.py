"""Lengths of time, as they are said and as they are told."""

import re
from collections.abc import Callable
from functools import cache
from typing import Any

UNITS_S = {"second": 1.0, "minute": 60.0, "hour": 3600.0}

_ONES = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    *("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_NUMBERS = {word: float(number) for number, word in enumerate(_ONES)}
_NUMBERS |= {word: 10.0 * number for number, word in enumerate(_TENS, start=2)}
_NUMBERS |= {"a": 1.0, "an": 1.0}


def given_s(value: Callable[[str], Any]) -> float | None:
    """The sum of the values called hours, minutes and seconds; None where none of them is a number."""
    given = {unit: _number(value(f"{unit}s")) for unit in UNITS_S}
    found = [number * UNITS_S[unit] for unit, number in given.items() if number is not None]
    return sum(found) if found else None


def said_s(text: str) -> float | None:
    """The length of time in an English sentence, such as "an hour and a half", "half an hour", "one and a half
    minutes", "twenty five minute"; None: there is none."""
    found = [_seconds(said) for said in _said().finditer(" ".join(text.lower().replace("-", " ").split()))]
    return sum(found) if found else None


def told(seconds: float) -> str:
    """Such as "1 hour 30 minutes"; of an hour and more without seconds."""
    whole = round(seconds)
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    counts = ((hours, "hour"), (minutes, "minute"), (0 if hours else rest, "second"))
    return " ".join(f"{count} {unit}{'' if count == 1 else 's'}" for count, unit in counts if count) or "0 seconds"


def clock(seconds: float) -> str:
    """Such as "4:05" or "1:30:00"; what has begun of a second counts as one."""
    whole = int(-(-max(seconds, 0.0) // 1))
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


@cache
def _said() -> re.Pattern[str]:
    """Made when it is first needed: most boards idle most of the time."""
    number = rf"(?:\d+(?:\.\d+)?|(?:{'|'.join(_TENS)})(?: (?:{'|'.join(_ONES[1:10])}))?|{'|'.join(_ONES[::-1])}|an?)"
    return re.compile(
        rf"\b(?:half an? (?P<half>second|minute|hour)"
        rf"|(?P<quarters>a|one|three) quarters? of an (?P<quartered>hour)"
        rf"|(?P<more>{number}) and a half (?P<more_unit>second|minute|hour)s?"
        rf"|(?P<number>{number}) (?P<unit>second|minute|hour)s?(?P<and_half> and a half)?)\b"
    )


def _seconds(said: re.Match[str]) -> float:
    if said["half"]:
        return UNITS_S[said["half"]] / 2
    if said["quartered"]:
        return UNITS_S["hour"] * (3 if said["quarters"] == "three" else 1) / 4
    if said["more"]:
        return (_count(said["more"]) + 0.5) * UNITS_S[said["more_unit"]]
    return (_count(said["number"]) + (0.5 if said["and_half"] else 0)) * UNITS_S[said["unit"]]


def _count(words: str) -> float:
    return sum(_NUMBERS[word] if word in _NUMBERS else float(word) for word in words.split())


def _number(value: Any) -> float | None:
    """A number, or text that is one; none that is negative, nor one that nobody counts to."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if 0 <= number < 1e6 else None
