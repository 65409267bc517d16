"""Words that are two known words written as one: "icedmocha", "homekit"."""

from collections.abc import Callable

PART_LETTERS_MIN = 3


def parts_of(word: str, known: Callable[[str], bool]) -> tuple[str, str] | None:
    """Two known words that make it, the shorter one as long as can be; None where there are none.

    `word`: a to z only.
    """
    best: tuple[str, str] | None = None
    for at in range(PART_LETTERS_MIN, len(word) - PART_LETTERS_MIN + 1):
        first, second = word[:at], word[at:]
        if (best is None or min(at, len(second)) > min(map(len, best))) and known(first) and known(second):
            best = first, second
    return best
