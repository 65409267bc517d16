"""What a text is made of: words, marks such as "[cough]", and where its sentences begin."""

import re

WORD = re.compile(r"[^\W_]+(?:['’ʼ`´][^\W_]+)*")
MARK = re.compile(
    r"\[[^\[\]]*\]|<[^<>]*>|\([^()]*\)|\{[^{}]*\}|\*[a-zA-Z ]+\*|\*{2,}|(?<!\S)\?{3,}(?!\S)|\bx{3,}\b|\b_{2,}\b"
)
"""Anything that is put where a word is, and is not one."""
_MARK_SIGNS = ("[", "<", "(", "{", "*", "_", "???", "xxx", "XXX")
ELLIPSIS = r"(?:…|\.(?: ?\.)++)"
"""A run of dots is one of them, and can be taken apart in no other way: there are more than there is time for."""
_STRAIGHT = str.maketrans(dict.fromkeys("’ʼ`´", "'"))
ENDING = re.compile(r"\s*+(?P<end>[.!?…]*+)(?P<close>[\"”’')]*+)\s*$")


_OPENING = " \"“‘'(¿¡-–—"


def listed(words: str, separator: str | None = None) -> list[str]:
    """A list in the code that reads as a text."""
    return words.split(separator)


def words(text: str) -> list[str]:
    """The words in small letters, with straight apostrophes; marks are none."""
    return WORD.findall(straight(without_marks(text)).lower())


def without_marks(text: str) -> str:
    """The text with a space where a mark was."""
    return MARK.sub(" ", text) if _may_have_marks(text) else text


def straight(text: str) -> str:
    """With the apostrophe of a keyboard."""
    return text if text.isascii() and "`" not in text else text.translate(_STRAIGHT)


def capitalised(text: str) -> str:
    """The first letter of its words large, be there marks before it or not."""
    at = first_letter(text)
    return text if at is None else text[:at] + text[at].upper() + text[at + 1 :]


def first_letter(text: str) -> int | None:
    """Where the first word begins, if it begins with a letter."""
    marks = mark_spans(text)
    for match in WORD.finditer(text):
        if not any(start <= match.start() < end for start, end in marks):
            return match.start() if text[match.start()].isalpha() else None
    return None


def marks_in(text: str) -> list[re.Match[str]]:
    """All marks."""
    return list(MARK.finditer(text)) if _may_have_marks(text) else []


def mark_spans(text: str) -> list[tuple[int, int]]:
    """Where marks begin and end."""
    return [match.span() for match in marks_in(text)]


def begins_sentence(text: str, at: int) -> bool:
    """Whether what stands there is the first of its sentence."""
    before = text[:at].rstrip(_OPENING)
    if before and before[-1] in "])>}*?_x":
        before = without_marks(before).rstrip(_OPENING)
    return not before or (before[-1] in ".!?" and not before.endswith(".."))


def tidy(text: str) -> str:
    """One space between words, none at the ends or before a comma."""
    return re.sub(r" +([,.!?…;:])", r"\1", re.sub(r"[ \t]+", " ", text)).strip()


def _may_have_marks(text: str) -> bool:
    """Quick: most texts have none."""
    return any(sign in text for sign in _MARK_SIGNS)
