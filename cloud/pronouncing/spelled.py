"""The names of letters: how an abbreviation is said that nobody says as a word."""

from cloud.pronouncing.phones import Phones, numbers

LETTERS = {
    letter: numbers(phones)
    for letter, phones in {
        "a": "EY", "b": "B IY", "c": "S IY", "d": "D IY", "e": "IY", "f": "EH F", "g": "JH IY", "h": "EY CH",
        "i": "AY", "j": "JH EY", "k": "K EY", "l": "EH L", "m": "EH M", "n": "EH N", "o": "OW", "p": "P IY",
        "q": "K Y UW", "r": "AA R", "s": "EH S", "t": "T IY", "u": "Y UW", "v": "V IY", "w": "D AH B AH L Y UW",
        "x": "EH K S", "y": "W AY", "z": "Z IY",
    }.items()
}  # fmt: skip
ZED = numbers("Z EH D")


def spelled(letters: str) -> tuple[Phones, ...]:
    """ "nhs" as "EH N EY CH EH S"; what is no letter is passed over. With z also as "zed"."""
    said = b"".join(LETTERS.get(letter, b"") for letter in letters)
    zed = b"".join(ZED if letter == "z" else LETTERS.get(letter, b"") for letter in letters)
    return tuple(dict.fromkeys(way for way in (said, zed) if way))
