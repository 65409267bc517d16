"""What a recogniser wrote, as words that a network of sentences can know. Pure."""

import re

from cloud.pronouncing.number_words import number

_WORD = re.compile(r"\d+|[^\W\d_]+(?:['.&][^\W\d_]+)*")


def spoken_words(text: str) -> list[str]:
    """The words of a text in order, lower case, numbers in words, without stops."""
    words: list[str] = []
    for word in _WORD.findall(text.lower().replace("’", "'").replace("%", " percent ").replace("°", " degrees ")):
        words += list(number(word)[0]) if word.isdecimal() else [word]
    return words
