"""Numbers in words, as people say them, and their digits. English. Pure."""

from collections.abc import Sequence

# fmt: off
_UNITS = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)
# fmt: on
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_SMALL = {word: value for value, word in enumerate(_UNITS)} | {word: 10 * n for n, word in enumerate(_TENS, 2)}

NUMBER_WORDS = frozenset((*_SMALL, "hundred", "thousand"))
"""Words that numbers are made of, but for the "and" in "two hundred and ten"."""


def number_at(words: Sequence[str], at: int) -> tuple[int, int]:
    """Value and end of the number in words that starts at `at`; the end is `at` where none does."""
    total, end = 0, at
    for scale_word, scale in (("thousand", 1000), ("hundred", 100)):
        value, after = _below_hundred(words, end)
        if words[after : after + 1] == [scale_word]:
            total += (value if after > end else 1) * scale
            end = after + 1
            if words[end : end + 1] == ["and"] and _below_hundred(words, end + 1)[1] > end + 1:
                end += 1
    value, after = _below_hundred(words, end)
    return total + value, after


def _below_hundred(words: Sequence[str], at: int) -> tuple[int, int]:
    value, *following = [_SMALL.get(word) for word in words[at : at + 2]] or [None]
    if value is None:
        return 0, at
    if value >= 20 and following and following[0] is not None and 0 < following[0] < 10:
        return value + following[0], at + 2
    return value, at + 1
