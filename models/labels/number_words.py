"""Whole numbers as English words, and back."""

from models.labels.writing import listed

ONES = listed(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen"
)
TENS = listed("- - twenty thirty forty fifty sixty seventy eighty ninety")
SCALES = ((10**9, "billion"), (10**6, "million"), (1000, "thousand"))
ORDINALS = {
    "one": "first",
    "two": "second",
    "three": "third",
    "five": "fifth",
    "eight": "eighth",
    "nine": "ninth",
    "twelve": "twelfth",
}
SMALL = {word: value for value, word in enumerate(ONES)} | {
    word: 10 * value for value, word in enumerate(TENS) if word != "-"
}
LARGE = {"hundred": 100, **{word: value for value, word in SCALES}}
NUMBER_MAX = 10**12 - 1


def in_words(number: int) -> str:
    """Such as "one hundred and five"; from 0 to NUMBER_MAX."""
    if not 0 <= number <= NUMBER_MAX:
        raise ValueError(f"{number} is too large to be read aloud")
    if number < 20:
        return ONES[number]
    if number < 100:
        return TENS[number // 10] + (f"-{ONES[number % 10]}" if number % 10 else "")
    if number < 1000:
        rest = number % 100
        return f"{ONES[number // 100]} hundred" + (f" and {in_words(rest)}" if rest else "")
    scale, name = next((scale, name) for scale, name in SCALES if number >= scale)
    rest = number % scale
    joint = " and " if 0 < rest < 100 else " "
    return f"{in_words(number // scale)} {name}" + (joint + in_words(rest) if rest else "")


def ordinal(number: int) -> str:
    """Such as "twenty-first"."""
    head, joint, last = _last_word(in_words(number))
    if last in ORDINALS:
        return head + joint + ORDINALS[last]
    return head + joint + (last[:-1] + "ieth" if last.endswith("y") else last + "th")


def value(spoken: list[str]) -> int | None:
    """The number that these words (small letters, without "and" at an end) are; None: they are not one number."""
    total, part, last = 0, 0, 0
    for word in spoken:
        if word == "and":
            if last not in (100, *LARGE.values()):
                return None
            continue
        if word in SMALL:
            number = SMALL[word]
            # "five ten" and "twenty twelve" are two numbers, or a year.
            if part % 100 and not (part % 100 >= 20 and part % 10 == 0 and 0 < number < 10):
                return None
            part, last = part + number, number
        elif word == "hundred" and 0 < part < 10:
            part, last = part * 100, 100
        elif word in LARGE and word != "hundred" and 0 < part < 1000 and (not total or LARGE[word] < total):
            total, part, last = total + part * LARGE[word], 0, LARGE[word]
        else:
            return None
    return total + part


def _last_word(words: str) -> tuple[str, str, str]:
    at = max(words.rfind(" "), words.rfind("-"))
    return (words[:at], words[at], words[at + 1 :]) if at >= 0 else ("", "", words)
