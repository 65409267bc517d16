"""Marks within and at the end of a sentence, and the ellipsis."""

import re

from models.labels.definition import Definition
from models.labels.usage import Usage
from models.labels.writing import ELLIPSIS, ENDING, MARK, listed, tidy, without_marks, words

ASKING = frozenset(
    listed(
        "what what's where where's when when's who who's whose which why how how's is are am was were do does "
        "did can could will would shall should may might have has had isn't aren't don't doesn't didn't can't "
        "couldn't won't wouldn't"
    )
)
"""A sentence that begins with one of these may be a question."""
SPACED = re.compile(r"\s+[,.!?;:](?!\w)")
REPEATED = re.compile(r"([,!?;:])(?:\s*\1)+|,\s*(?=[.!?])|[?!]{2,}")
STRIPPED = re.compile(r"[^\w\s'’\[\]<>-]|(?<!\w)['’-]+|['’-]+(?!\w)")
DOTS = re.compile(rf"\s*{ELLIPSIS}\s*")
END_MARKS = ".!?…"


class PunctuationConvention:
    """What a missing mark should have been, other labels of the set with the same opening tell."""

    name = "punctuation"

    def __init__(self, definition: Definition, usage: Usage) -> None:
        self._write, self._ellipsis = definition.punctuation.write, definition.punctuation.ellipsis
        self._of_fillers = definition.fillers.write == "ellipsis"
        self._usage = usage
        style = {
            "sentence": "a text ends with a mark, and has no space before one",
            "none": "texts have no marks",
            "free": "marks are written as one likes",
        }[self._write]
        dots = {"none": "there is no ellipsis", "free": "the ellipsis is free"}.get(
            self._ellipsis, f'the ellipsis is "{self._ellipsis}"'
        )
        self.agreed = f"{style}; {dots}"

    def ways(self, text: str) -> list[str]:
        plain = without_marks(text).rstrip(" \"”')")
        if not plain:
            return []
        found = ["mark at the end" if plain[-1] in END_MARKS else "no mark at the end"]
        found += ['"…"'] * ("…" in text) + ['"..."'] * bool(re.search(r"\.\s?\.", text))
        return found + ["space before a mark"] * bool(SPACED.search(text))

    def conform(self, text: str) -> str | None:
        if not without_marks(text).strip():
            return text
        changed = self._with_ellipsis(text)
        if self._write == "none":
            return tidy(self._outside_marks(changed))
        if self._write == "free":
            return changed
        if SPACED.search(changed):
            changed = SPACED.sub(lambda match: match[0].lstrip(), changed)
        changed = REPEATED.sub(lambda match: _once(match[0]), changed)
        return self._ended(changed)

    def _with_ellipsis(self, text: str) -> str:
        if self._ellipsis == "free" or ("…" not in text and ".." not in text and ". ." not in text):
            return text
        if self._ellipsis != "none":
            return DOTS.sub(lambda match: self._ellipsis + (" " if match.end() < len(text) else ""), text)
        # Fillers have agreed on one of their own.
        if self._of_fillers:
            return text
        return DOTS.sub(lambda match: ", " if match.end() < len(text) else ".", text)

    def _ended(self, text: str) -> str | None:
        """With a mark at the end; None if nobody can tell which."""
        match = ENDING.search(text)
        assert match is not None  # It may match nothing, at the end.
        body = text[: match.start()]
        if match["end"] or body.endswith("]") and not words(body):
            return text
        body = body.rstrip(",;:-–— ")
        if (mark := self._usage.ending(text)) is None:
            spoken = words(text)
            if not spoken or spoken[0] in ASKING:
                return None
            mark = "."
        return body + mark + match["close"]

    def _outside_marks(self, text: str) -> str:
        parts, done = [], 0
        for match in MARK.finditer(text):
            parts += [STRIPPED.sub(" ", text[done : match.start()]), match[0]]
            done = match.end()
        return "".join([*parts, STRIPPED.sub(" ", text[done:])])


def _once(marks: str) -> str:
    """One mark for several: the strongest of them."""
    return next((mark for mark in "?!;:" if mark in marks), "" if marks.strip() == "," else ",")
