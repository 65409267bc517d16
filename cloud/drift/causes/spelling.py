"""How new words are said, as the service's own dictionary or its letters make it likely."""

from collections.abc import Iterable

from cloud.pronouncing.phones import names
from cloud.pronouncing.pronouncer import Pronouncer


def said(words: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Phones of each word as lexicon.txt has them, and where they come from: one of pronouncer.SOURCES. EngineError
    where there is no dictionary."""
    found = Pronouncer().pronounce(list(words))
    return {word: (names(one.variants[0]), one.source) for word, one in found.items() if one.variants}
