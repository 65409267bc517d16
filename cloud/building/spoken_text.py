"""What is written in a template, a list or a catalogue, as words that are said. Pure.

The same words that cloud/understanding/written.py makes of what a recogniser writes.
"""

import re
import unicodedata
from collections.abc import Container

from cloud.pronouncing.reading import readings
from cloud.understanding.written import spoken_words

GAP = " "

_SIGNS = str.maketrans({"%": " percent ", "°": " degrees ", "+": " plus ", "@": " at ", "\u2019": "'", "\u2018": "'"})
_BETWEEN = re.compile(r"[\s/\u2010-\u2015-]|(?<=\d)[:,](?=\d)")
_UNSPOKEN = re.compile(r"[^\w'.&]|_|\.(?!\w)")
"""What is written and neither spoken nor part of a word."""
_BARE = re.compile("[A-Za-z]+(?: [A-Za-z]+)*")
"""A text of which nothing has to be changed, as most are."""
_ALONE = re.compile(r"(?<!\S)&(?!\S)")


def parts_of(text: str) -> list[str]:
    """Letters, and the gaps between words: a text may begin or end within a word."""
    parts: list[str] = []
    written = unicodedata.normalize("NFC", _ALONE.sub("and", text)).translate(_SIGNS)
    for number, word in enumerate(_BETWEEN.split(written)):
        if number:
            parts.append(GAP)
        if letters := _UNSPOKEN.sub("", word):
            parts.append(letters)
    return parts


def words_of(text: str) -> list[str]:
    """The words of a text, in order."""
    if _BARE.fullmatch(text):
        return text.split(GAP)
    return [word for part in parts_of(text) if part != GAP for word in as_said(part)]


def as_said(letters: str) -> list[str]:
    """One word as it is said: as it is, or its numbers in words; empty where nothing in it is."""
    if any(char.isdecimal() for char in letters):
        return spoken_words(letters)
    bare = letters.strip(".&'")
    return [bare] if bare else []


def can_be_said(word: str, lexicon: Container[str]) -> bool:
    """Whether anybody who reads English letters can say it, or its owner has written down how."""
    return word.lower() in lexicon or bool(readings(word))
