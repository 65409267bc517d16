"""What an ending adds to a word that is known: "'s" and, where only its owner knows the word, a plural's s."""

from cloud.pronouncing.phones import NUMBERS, Phones, numbers

_HISSING = frozenset(numbers("S Z SH ZH CH JH"))
_VOICELESS = frozenset(numbers("P T K F TH"))


def with_s(phones: Phones) -> Phones:
    """The same with a plural's or a possessive's s: "rose" as "roses", "roast" as "roasts"."""
    if phones[-1] in _HISSING:
        return phones + numbers("IH Z")
    return phones + bytes([NUMBERS["S" if phones[-1] in _VOICELESS else "Z"]])
