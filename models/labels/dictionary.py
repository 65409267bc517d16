"""The words that there are: CMU's pronouncing dictionary, as pocketsphinx's package carries it."""

from functools import cache
from importlib import metadata
from pathlib import Path

from common.errors import EngineError

PLACE = "pocketsphinx/model/en-us/cmudict-en-us.dict"


@cache
def dictionary_words() -> frozenset[str]:
    """All of them, in small letters. EngineError where the package is not installed."""
    return frozenset(line.split(maxsplit=1)[0].partition("(")[0] for line in _lines())


@cache
def pronunciations() -> dict[str, tuple[str, ...]]:
    """How each word is usually spoken, in CMU's phonemes. EngineError where the package is not installed."""
    spoken = (line.split() for line in _lines())
    return {word: tuple(sounds) for word, *sounds in spoken if not word.endswith(")")}


@cache
def all_pronunciations() -> dict[str, list[tuple[str, ...]]]:
    """The same with all ways to say a word, the usual first."""
    spoken: dict[str, list[tuple[str, ...]]] = {}
    for word, *sounds in map(str.split, _lines()):
        spoken.setdefault(word.partition("(")[0], []).append(tuple(sounds))
    return spoken


def _lines() -> list[str]:
    # The file is found without importing the package, which would load its engine.
    try:
        place = Path(str(metadata.distribution("pocketsphinx").locate_file(PLACE)))
        lines = place.read_text(encoding="utf-8").splitlines()
    except (metadata.PackageNotFoundError, OSError) as error:
        raise EngineError("There is no dictionary of English words. Type: pip install pocketsphinx") from error
    return [line for line in lines if line.strip()]
