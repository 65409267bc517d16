"""Faults as transcribers make them, each planted in a text that has none."""

import random
import re
from collections.abc import Callable

from benchmarks.planted_texts import TEST, TUNE
from models.labels.number_words import SMALL, value
from models.labels.spelling_pairs import british_to_american

Plant = Callable[[str, random.Random], str | None]
"""Makes a text faulty; None where that fault does not fit it."""

NAMED = frozenset({"I'd", "I'm", *TEST.slots["person"], *TUNE.slots["name"]})
UNCLEAR = ("(inaudible)", "<unk>", "???", "[unclear]", "xxx", "[foreign language]", "(Spanish)", "[?]")
NOISES = ("[cough]", "(laughs)", "<noise>", "*sighs*", "[door]", "{breath}", "(clears throat)", "[background noise]")
AMERICAN = british_to_american()
NUMBER = re.compile(rf"\b(?:{'|'.join(SMALL)})(?:-(?:{'|'.join(SMALL)}))?\b")


def fillers(text: str, draw: random.Random) -> str | None:
    word = draw.choice(["um", "uh", "er", "uhm", "umm"])
    if re.search(r"\b(?:um|uh|er)\b", text, re.IGNORECASE):
        return None
    # Names keep their capital.
    small = text if text.split()[0] in NAMED else text[0].lower() + text[1:]
    if draw.random() < 0.5:
        mark = draw.choice(["… ", "... ", " ", ".. "] if word in ("um", "uh", "er") else ["… ", " ", ", "])
        return word.capitalize() + mark + (small if draw.random() < 0.5 else text)
    at = text.find(" ", len(text) // 3)
    return text[:at] + draw.choice([" ", "… "]) + word + draw.choice([" ", "… ", "... "]).rstrip() + text[at:]


def punctuation(text: str, draw: random.Random) -> str | None:
    body, end = text[:-1], text[-1]
    return draw.choice([body, body, body + " " + end, body + "...", body + "!!", body + ",", body + end + end * 2])


def letter_case(text: str, draw: random.Random) -> str | None:
    return draw.choice([text.upper(), text.lower(), text[0].lower() + text[1:], " ".join(map(_capital, text.split()))])


def numbers(text: str, draw: random.Random) -> str | None:
    found = [match for match in NUMBER.finditer(text) if match[0] != "one"]
    if not found:
        return None
    match = draw.choice(found)
    return f"{text[: match.start()]}{value(match[0].split('-'))}{text[match.end() :]}"


def contractions(text: str, draw: random.Random) -> str | None:
    found = re.search(r"\b(\w+)'(\w+)", text)
    if found is None:
        return None
    parted = re.sub(r"n't", " n't", found[0]) if found[0].endswith("n't") else f"{found[1]} '{found[2]}"
    return text.replace(found[0], draw.choice([found[0].replace("'", ""), found[0].replace("'", "’"), parted]), 1)


def spelling(text: str, draw: random.Random) -> str | None:
    found = [word for word in re.findall(r"\w+", text) if word in AMERICAN]
    if not found:
        return None
    word = draw.choice(found)
    return text.replace(word, AMERICAN[word], 1)


def unclear(text: str, draw: random.Random) -> str | None:
    parts = text.split()
    parts[len(parts) // 2] = draw.choice(UNCLEAR)
    return " ".join(parts)


def noises(text: str, draw: random.Random) -> str | None:
    mark = draw.choice(NOISES)
    return f"{mark} {text}" if draw.random() < 0.5 else f"{text} {mark}"


def characters(text: str, draw: random.Random) -> str | None:
    at = text.find(" ", len(text) // 2)
    letter = re.search("[aeop]", text)
    assert letter is not None
    look_alike = {"a": "а", "e": "е", "o": "о", "p": "р"}[letter[0]]  # Cyrillic.
    return draw.choice(
        [
            text[:at] + " " + text[at:],
            text[:at] + "\u00a0" + text[at + 1 :],
            text[:at] + "\u200b" + text[at:],
            text[: letter.start()] + look_alike + text[letter.end() :],
            text + draw.choice(["\t", "\r", "\x07"]),
            text[: letter.end()] + "\u00ad" + text[letter.end() :],
        ]
    )


def empty(text: str, draw: random.Random) -> str | None:
    return draw.choice(["", " ", "...", "\n", "-", "."])


def slips(text: str, draw: random.Random) -> str | None:
    """A keystroke too many, too few, another, or two swapped, in a word of some length."""
    found = list(re.finditer(r"\b[a-z]{5,}\b", text))
    if not found:
        return None
    match = draw.choice(found)
    word = match[0]
    at = draw.randrange(1, len(word) - 1)
    wrong = draw.choice(
        [
            word[:at] + word[at + 1 :],
            word[:at] + word[at] + word[at:],
            word[:at] + draw.choice("qwertyuiopasdfghjklzxcvbnm") + word[at + 1 :],
            word[:at] + word[at + 1] + word[at] + word[at + 2 :],
        ]
    )
    return None if wrong == word else text[: match.start()] + wrong + text[match.end() :]


def same_words(text: str, draw: random.Random) -> str | None:
    """The same words with other marks."""
    if draw.random() < 0.5 and (at := text.find(" ", len(text) // 3)) > 0 and text[at - 1] != ",":
        return text[:at] + "," + text[at:]
    return text[:-1] + ("!" if text[-1] == "." else ".")


def near_duplicates(text: str, draw: random.Random) -> str | None:
    """A word more or less."""
    parts = text.split()
    if len(parts) < 8 or "," in text:
        return None
    at = draw.randrange(2, len(parts) - 2)
    return " ".join(parts[:at] + (parts[at + 1 :] if draw.random() < 0.5 else ["really", *parts[at:]]))


def same_audio(text: str, draw: random.Random) -> str | None:
    """Another sentence for the same sound."""
    return "This is what somebody else understood there."


PLANTS: dict[str, Plant] = {
    plant.__name__: plant
    for plant in (
        fillers,
        punctuation,
        letter_case,
        numbers,
        contractions,
        spelling,
        unclear,
        noises,
        characters,
        empty,
        slips,
        same_words,
        near_duplicates,
        same_audio,
    )
}

TWICE = {"same_words": 2, "near_duplicates": 1, "same_audio": 1}
"""Faults beside sound labels of the same, and how many of these."""


def _capital(word: str) -> str:
    return word[:1].upper() + word[1:]
