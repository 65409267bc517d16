"""What a text is made of: words, marks such as "[cough]", and where its sentences begin."""

import re

WORD = re.compile(r"[^\W_]+(?:['’ʼ`´][^\W_]+)*")
MARK = re.compile(r"\[[^\[\]]*\]|<[^<>]*>|\([^()]*\)|\{[^{}]*\}|\*[a-zA-Z ]+\*|\*{2,}|\?{3,}|\bx{3,}\b|\b_{2,}\b")
"""Anything that is put where a word is, and is not one."""
ELLIPSIS = r"(?:…|\.{2,}|\.(?: \.)+)"
ENDING = re.compile(r"\s*(?P<end>[.!?…]*)(?P<close>[\"”’')]*)\s*$")


def listed(words: str, separator: str | None = None) -> list[str]:
    """A list in the code that reads as a text."""
    return words.split(separator)


def words(text: str) -> list[str]:
    """The words in small letters, with straight apostrophes; marks are none."""
    return [straight(word).lower() for word in WORD.findall(MARK.sub(" ", text))]


def straight(text: str) -> str:
    """With the apostrophe of a keyboard."""
    return re.sub("[’ʼ`´]", "'", text)


def capitalised(text: str) -> str:
    """The first letter of its words large, be there marks before it or not."""
    at = first_letter(text)
    return text if at is None else text[:at] + text[at].upper() + text[at + 1 :]


def first_letter(text: str) -> int | None:
    """Where the first word begins, if it begins with a letter."""
    marks = [match.span() for match in MARK.finditer(text)]
    for match in WORD.finditer(text):
        if not any(start <= match.start() < end for start, end in marks):
            return match.start() if text[match.start()].isalpha() else None
    return None


def begins_sentence(text: str, at: int) -> bool:
    """Whether what stands there is the first of its sentence."""
    before = MARK.sub(" ", text[:at]).rstrip(" \"“‘'(¿¡-–—")
    return not before or before[-1] in ".!?" and not before.endswith("..")


def tidy(text: str) -> str:
    """One space between words, none at the ends or before a comma."""
    return re.sub(r" +([,.!?…;:])", r"\1", re.sub(r"[ \t]+", " ", text)).strip()
