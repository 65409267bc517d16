"""How something written is read out, before anybody asks how its words sound: numbers, abbreviations, hyphens, accents.

"7pm" is seven and the letters p and m, "NHS" three letters, "1984" a year or a number, "café" the word cafe.
"""

import itertools
import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from cloud.pronouncing import number_words

READINGS_MAX = 4
INITIALS_MAX = 5
"""Letters of an abbreviation at most: a longer word in capitals is a word that is shouted."""

_APOSTROPHES = str.maketrans(dict.fromkeys("\u2018\u2019\u02bc\u0060\u00b4", "'"))
_PLAIN = str.maketrans({"ß": "ss", "ø": "o", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d", "þ": "th", "ð": "th", "ı": "i"})
_HEARD = ((re.compile("[éèê]$"), "ay"), (re.compile("ñ"), "ny"), (re.compile("ç"), "s"), (re.compile("š|ş"), "sh"),
          (re.compile("č"), "ch"), (re.compile("ž"), "zh"))  # fmt: skip
_PARTS = re.compile(
    r"(?P<clock>(?<![\d:])\d{1,2}:[0-5]\d(?![\d:]))|(?P<decimal>\d+\.\d+)|(?P<ordinal>\d+(?:st|nd|rd|th)\b)"
    r"|(?P<number>\d{1,3}(?:,\d{3})+(?!\d)|\d+)|(?P<initials>(?:[^\W\d_]\.){2,}(?:[^\W\d_]\b)?)"
    r"|(?P<word>[^\W\d_]+(?:'[^\W\d_]+)*'?|'[^\W\d_]+)|(?P<symbol>[&+%@°])",
    re.IGNORECASE,
)
_SYMBOLS = {"&": "and", "+": "plus", "%": "percent", "@": "at", "°": "degrees"}
_BEHIND_NUMBERS = frozenset(("am", "pm"))
_UNITS = {
    "oz": "ounce", "lb": "pound", "lbs": "pounds", "kg": "kilogram", "g": "gram", "ml": "milliliter", "l": "liter",
    "km": "kilometer", "cm": "centimeter", "mm": "millimeter", "m": "meter", "ft": "feet", "min": "minute",
    "mins": "minutes", "hr": "hour", "hrs": "hours", "sec": "second", "secs": "seconds", "h": "hour",
}  # fmt: skip
"""Behind a number."""


class Piece(NamedTuple):
    """What is said in one go."""

    text: str
    """a to z and apostrophes, in small letters."""
    letter_by_letter: bool = False
    perhaps_letters: bool = False
    """Written in capitals: letters, unless it is known as a word."""
    hint: str = ""
    """How it would be spelt by English ears, where its accents tell more than `text`."""


Reading = tuple[Piece, ...]


def readings(written: str) -> list[Reading]:
    """Ways to read it out, the usual first; empty where nothing in it is said."""
    text = unicodedata.normalize("NFC", written).translate(_APOSTROPHES)
    parts: list[list[Reading]] = []
    before = ""
    for match in _PARTS.finditer(text):
        kind, part = str(match.lastgroup), match.group()
        parts.append(list(_part(kind, part, after_number=before in ("number", "decimal", "clock"))))
        before = kind
    together = itertools.islice(itertools.product(*(part for part in parts if part)), READINGS_MAX)
    return [way for way in (tuple(itertools.chain(*chosen)) for chosen in together) if way]


def plain(word: str) -> str:
    """In small letters without accents; what is no Latin letter or apostrophe is dropped."""
    folded = unicodedata.normalize("NFKD", word.casefold().translate(_PLAIN))
    return "".join(char for char in folded if "a" <= char <= "z" or char == "'")


def _part(kind: str, part: str, *, after_number: bool) -> Iterator[Reading]:
    if kind == "word":
        yield from _word(part, after_number=after_number)
    elif kind == "initials":
        yield (Piece(plain(part), letter_by_letter=True),)
    elif kind == "symbol":
        yield (Piece(_SYMBOLS[part]),)
    else:
        yield from (tuple(map(Piece, way)) for way in _numbers(kind, part))


def _numbers(kind: str, part: str) -> Sequence[number_words.Words]:
    # Digits of other scripts are digits too.
    part = "".join(str(unicodedata.decimal(char, char)) for char in part)
    if kind == "clock":
        return number_words.clock(*part.split(":"))
    if kind == "decimal":
        return number_words.decimal(*part.split("."))
    if kind == "ordinal":
        return number_words.ordinal(part[:-2])
    return number_words.number(part.replace(",", ""))


def _word(part: str, *, after_number: bool) -> Iterator[Reading]:
    text = plain(part)
    if not text.strip("'"):
        return
    heard = part.casefold()
    for pattern, into in _HEARD:
        heard = pattern.sub(into, heard)
    hint = plain(heard)
    if after_number and part in _UNITS:
        unit = _UNITS[part]
        yield (Piece(unit if unit.endswith(("s", "feet")) else unit + "s"),)
        yield (Piece(unit),)
        return
    letters = text in _BEHIND_NUMBERS and after_number
    capitals = part.isupper() and 1 < len(text) <= INITIALS_MAX and "'" not in text
    yield (Piece(text, letters, capitals, hint if hint != text else ""),)
