"""Which words of the dictionary nobody learns to spell from: they measure who guesses pronunciations.

A word and its plural or possessive are in one part, so that "lantern" is not known from "lanterns".
"""

import hashlib
import re
from typing import Literal

Part = Literal["learn", "tune", "test"]
PARTS = 60
"""One of them is tuned on, one is looked at for the final figure: 2,000 words each."""
PLAIN = re.compile("[a-z]+")


def part_of(word: str) -> Part:
    """By a hash of its family; the same for ever."""
    number = int.from_bytes(hashlib.sha256(family(word).encode()).digest()[:4], "big") % PARTS
    return "tune" if number == 0 else "test" if number == 1 else "learn"


def family(word: str) -> str:
    """The word without 's and plural s."""
    word = word.partition("'")[0]
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word
