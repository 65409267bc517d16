"""Characters that no keyboard should have sent: invisible ones, look-alikes from other alphabets, stray spaces."""

import re
import unicodedata

INVISIBLE = dict.fromkeys(map(ord, "\u00ad\u200b\u200c\u200d\u2060\ufeff\u200e\u200f\u202a\u202b\u202c\u202d\u202e"))
SPACES = dict.fromkeys(map(ord, "\u00a0\u2007\u2009\u202f\u3000\t\v\f\r\n\u2028\u2029\u0085"), " ")
LOOK_ALIKES = str.maketrans(
    "аеорсухіјѕԁһАВЕКМНОРСТХІЈЅΑΒΕΖΗΙΚΜΝΟΡΤΥΧο",  # Cyrillic and Greek, on purpose.
    "aeopcyxijsdhABEKMHOPCTXIJSABEZHIKMNOPTYXo",
)
ODD = re.compile(r"[^\x20-\x7e’‘…–—“”À-ÖØ-öø-ſ]|  |^ | $|�")
"""What makes a text worth a second look; the rest is plain."""
KEPT = frozenset("’‘…–—€£°½¼¾·×")

AGREED = "texts have one space between words, letters of one alphabet, in composed form, and nothing invisible"


def cleaned(text: str) -> str | None:
    """The text without what is odd in it; itself if that is nothing; None if only a person can tell."""
    if not ODD.search(text):
        return text
    clean = unicodedata.normalize("NFC", text).translate(INVISIBLE).translate(SPACES)
    clean = "".join(character for character in clean if unicodedata.category(character) not in ("Cc", "Cf"))
    clean = re.sub(r"\S+", lambda match: _one_alphabet(match[0]), clean)
    clean = re.sub(r" {2,}", " ", clean).strip()
    if any(_is_odd(character) for character in clean):
        return None
    return clean


def told(text: str) -> list[str]:
    """Names of what is odd in a text, for a person."""
    found = []
    for character in dict.fromkeys(text):
        if not character.isascii() or not character.isprintable():
            name = unicodedata.name(character, f"control character U+{ord(character):04X}")
            if character in KEPT or (character.isalpha() and "LATIN" in name):
                continue
            found.append(name.lower() if name.isupper() else name)
    if unicodedata.normalize("NFC", text) != text:
        found.append("letters in pieces")
    if re.search(r"  |^ | $", text):
        found.append("stray spaces")
    return found


def _one_alphabet(word: str) -> str:
    """A word in Latin letters without others that look like them; one of another alphabet as it is."""
    alphabets = {unicodedata.name(letter, "?").split()[0] for letter in word if letter.isalpha()}
    return word.translate(LOOK_ALIKES) if "LATIN" in alphabets and len(alphabets) > 1 else word


def _is_odd(character: str) -> bool:
    if character.isascii() or character in KEPT or character in "“”„":
        return False
    return not (character.isalpha() and unicodedata.name(character, "?").startswith("LATIN"))
