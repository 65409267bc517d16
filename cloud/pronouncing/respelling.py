"""A word spelt as it sounds, in plain English: "wah gah doo goo"."""

import re
from collections.abc import Iterable

from cloud.pronouncing.phones import Phones, numbers
from cloud.pronouncing.pronouncer import Pronouncer

_ONSETS = {"b": "B", "ch": "CH", "d": "D", "dh": "DH", "f": "F", "g": "G", "h": "HH", "j": "JH", "k": "K", "l": "L",
           "m": "M", "n": "N", "p": "P", "r": "R", "s": "S", "sh": "SH", "t": "T", "th": "TH", "v": "V", "w": "W",
           "y": "Y", "z": "Z", "zh": "ZH"}  # fmt: skip
_VOWELS = {"ah": "AA", "aw": "AO", "ay": "EY", "ee": "IY", "eh": "EH", "igh": "AY", "ih": "IH", "oh": "OW", "oo": "UW",
           "uh": "AH"}  # fmt: skip
_SYLLABLE = re.compile(rf"((?:{'|'.join(sorted(_ONSETS, key=len, reverse=True))})*)({'|'.join(_VOWELS)})")


def respelt(spellings: Iterable[str]) -> dict[str, Phones]:
    """How each is said; without those of which a part cannot be said. EngineError where there is no dictionary.

    Syllables that end in one of ah aw ay ee eh igh ih oh oo uh are said as anybody would; other parts are English
    words, or are guessed.
    """
    parts = {spelling: re.split(r"[\s-]+", spelling.strip()) for spelling in spellings}
    words = dict.fromkeys(part for its in parts.values() for part in its)
    said = {word: its.variants[0] for word, its in Pronouncer().pronounce(words).items()}
    said |= {word: phones for word in words if (phones := _syllable(word.casefold()))}
    together = {spelling: [said.get(part, b"") for part in its] for spelling, its in parts.items()}
    return {spelling: b"".join(its) for spelling, its in together.items() if all(its)}


def _syllable(part: str) -> Phones:
    """Of an open syllable; of anything else nothing."""
    match = _SYLLABLE.fullmatch(part)
    if match is None:
        return b""
    onsets = re.findall("[cdstz]h|[a-z]", match[1])
    return numbers([*(_ONSETS[onset] for onset in onsets), _VOWELS[match[2]]])
