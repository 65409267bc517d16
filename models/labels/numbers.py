"""Numbers: in words, as they are spoken, or in digits.

Digits do not say how they are spoken: "1990", "911", "7:30" and "3.5" are for a person. A count of things is plain.
"""

import re

from models.labels.definition import Definition
from models.labels.number_words import LARGE, NUMBER_MAX, SMALL, in_words, ordinal, value
from models.labels.writing import MARK

DIGITS = re.compile(
    r"(?<![\w.,:/-])(?P<number>\d{1,3}(?:,\d{3})+|\d+)(?P<tail>st|nd|rd|th|\s?%)?(?![\w%]|[.,:/-]\w)", re.I
)
ANY_DIGIT = re.compile(r"\d")
PLAIN_MAX = 1000
"""Larger ones may be years or codes, and leading zeros are."""

_NUMBER_WORD = "|".join([*SMALL, *LARGE])
SPOKEN = re.compile(rf"\b(?:{_NUMBER_WORD})(?:(?:[ -]and)?[ -](?:{_NUMBER_WORD}))*\b", re.IGNORECASE)
NO_COUNT = re.compile(
    r"\b(?:this|that|which|the|each|every|any|no|another|good|right|wrong|new|other|last) one\b", re.I
)


class NumberConvention:
    name = "numbers"

    def __init__(self, definition: Definition) -> None:
        self._write = definition.numbers.write
        self.agreed = {
            "words": 'numbers are written in words, as in "ten minutes"',
            "digits": 'numbers are written in digits, as in "10 minutes"',
            "free": "numbers are written as one likes",
        }[self._write]

    def ways(self, text: str) -> list[str]:
        found = ["digits"] * bool(ANY_DIGIT.search(text))
        return found + ["words"] * any(_is_count(match) for match in SPOKEN.finditer(text))

    def conform(self, text: str) -> str | None:
        if self._write == "words":
            return self._to_words(text) if ANY_DIGIT.search(text) else text
        return text if self._write == "free" else self._to_digits(text)

    def _to_words(self, text: str) -> str | None:
        changed = DIGITS.sub(_spoken, text)
        return None if ANY_DIGIT.search(MARK.sub(" ", changed)) else changed

    def _to_digits(self, text: str) -> str | None:
        parts, done = [], 0
        for match in SPOKEN.finditer(text):
            if not _is_count(match):
                continue
            if (number := value(re.split(r"[ -]", match[0].lower()))) is None:
                return None
            parts += [text[done : match.start()], str(number)]
            done = match.end()
        return "".join([*parts, text[done:]])


def _spoken(match: re.Match[str]) -> str:
    digits, counted = match["number"].replace(",", ""), "," in match["number"]
    # By its length first: Python does not read thousands of digits, and nobody says them.
    if len(digits) > len(str(NUMBER_MAX)):
        return match[0]
    number = int(digits)
    if not counted and (number > PLAIN_MAX or digits != str(number)):
        return match[0]
    tail = (match["tail"] or "").strip().lower()
    words = (
        ordinal(number) if tail in ("st", "nd", "rd", "th") else in_words(number) + (" per cent" if tail == "%" else "")
    )
    before = match.string[: match.start()].rstrip()
    return words.capitalize() if (not before or before[-1] in ".!?") and not match.string.islower() else words


def _is_count(match: re.Match[str]) -> bool:
    """ "One" by itself is mostly no number: "the blue one", "one of them"."""
    return match[0].lower() != "one"
