"""Words of a spoken query or of a catalogue, in the one form in which they are compared.

A recogniser delivers text without certain case or punctuation, with numbers as digits or as words, and with what
people say before they say what they want. `content_words` takes all that away; `stem` and `sound` say which words
count as the same, and which were probably misheard.
"""

import functools
import re
import unicodedata

from cloud.understanding.numbers import NUMBER_WORDS, number_at

FILLERS = frozenset(
    """
    ah alright eh er erm ah hello hey hi hm hmm huh mm oh ok okay parrotlet please right so thank thanks uh uhm um well
    yeah yes actually basically just maybe possibly really like lot lots bit little something anything
    a an the this that these those there here some any
    i me my mine we us our you your he she his her it its they them their
    am are be been being is was were do does did doing has have had having
    can could may might must shall should will would
    and or but if as of at by for from in into to with about than then
    what whats which who whos whose whom when where wheres why how hows
    im ive id ill youre its lets thats dont
    tell show give get let know want wanna need say gonna going go now oclock
    """.split()  # noqa: SIM905 - a paragraph reads better than sixty quoted words
)
"""Words that carry nothing to search for. "on", "off", "up", "down", "out" and "not" do, and are no fillers."""

_PHRASES = re.compile(
    r"\b(?:you know|i mean|kind of|sort of|by the way|excuse me|at the moment|find out|look up|search for"
    r"|find me|i wonder|i was wondering|do me a favour|if you can|any idea|is it possible)\b"
)
_LETTERS = str.maketrans(
    {"ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ð": "d", "Ð": "D", "ħ": "h", "ı": "i", "ə": "e",
     "æ": "ae", "Æ": "Ae", "œ": "oe", "Œ": "Oe", "þ": "th", "Þ": "Th", "ß": "ss", "ʻ": "'", "ʼ": "'", "ʾ": "'",
     "ʿ": "'", "’": "'", "‘": "'"}
)  # fmt: skip
"""Those that are no letter with an accent."""
_SOUNDS = tuple(
    (re.compile(pattern), into)
    for pattern, into in (
        (r"^(?:kn|gn|pn)", "n"),
        (r"^wr", "r"),
        (r"^x", "s"),
        (r"^ps", "s"),
        (r"gh(?=t|$)", ""),
        (r"mb$", "m"),
        (r"ph", "f"),
        (r"t?ch|sh|[ts]i(?=o|a)|sci", "X"),
        (r"th", "0"),
        (r"dg(?=[eiy])|g(?=[eiy])", "j"),
        (r"c(?=[eiy])", "s"),
        (r"ck|c|q", "k"),
        (r"x", "ks"),
        (r"z", "s"),
        (r"(?<=.)[aeiouyhw]", ""),
        (r"^[aeiou]", "a"),
        (r"(.)\1+", r"\1"),
    )
)


def content_words(text: str) -> list[str]:
    """Words of `text` in order: lower case, without accents, numbers as digits, without fillers unless nothing
    else was said. Letters and digits only."""
    words = _numbers(_split(text))
    return [word for word in words if word not in FILLERS] or words


@functools.lru_cache(maxsize=10_000)
def stem(word: str) -> str:
    """Word without plural, -ing, -ed and final e: step 1 of Porter's stemmer, a little simplified (Porter 1980, An
    algorithm for suffix stripping)."""
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    for ending in ("ing", "ed"):
        rest = word.removesuffix(ending)
        if rest != word and len(rest) > 2 and not word.endswith("eed") and re.search("[aeiouy]", rest):
            word = rest[:-1] if rest[-1] == rest[-2] and rest[-1] not in "lsz" else rest
            break
    if len(word) > 3 and word.endswith("y"):
        return word[:-1] + "i"
    return word.removesuffix("e") if len(word) > 3 else word


@functools.lru_cache(maxsize=10_000)
def sound(word: str) -> str:
    """How a word sounds, roughly: equal for "light" and "lite", "weather" and "whether"; a shortened Metaphone
    (Philips 1990, Hanging on the Metaphone). Empty for a word without letters of English."""
    if not (word.isascii() and word.isalpha()):
        return ""
    for pattern, into in _SOUNDS:
        word = pattern.sub(into, word)
    return word


def unaccented(text: str) -> str:
    """The same without accents, in letters of English as far as there are any."""
    if text.isascii():
        return text
    return "".join(char for char in unicodedata.normalize("NFKD", text) if not unicodedata.combining(char)).translate(
        _LETTERS
    )


def _split(text: str) -> list[str]:
    plain = unaccented(text).casefold().replace("°", " degrees ")
    plain = re.sub(r"['`](s\b)?", "", plain)
    plain = re.sub(r"\b([ap])\.\s?m\b", r"\1m", plain)
    plain = re.sub(r"(?<=\d),(?=\d{3}\b)|(?<=\d):00\b", "", plain)
    plain = _PHRASES.sub(" ", plain) if _PHRASES.sub("", plain).strip() else plain
    return re.findall(r"\d+|[^\W\d_]+", plain)


def _numbers(words: list[str]) -> list[str]:
    """The same with "twenty five" as "25", "two hundred and ten" as "210" and "007" as "7"."""
    out: list[str] = []
    at = 0
    while at < len(words):
        value, after = number_at(words, at) if words[at] in NUMBER_WORDS else (0, at)
        if after > at:
            out.append(str(value))
        else:
            out.append(words[at].lstrip("0") or "0" if words[at].isdecimal() else words[at])
        at = max(after, at + 1)
    return out
