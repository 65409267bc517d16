"""The words that there are: CMU's pronouncing dictionary, as pocketsphinx's package carries it."""

from functools import cache
from importlib import metadata
from pathlib import Path

from common.errors import EngineError

PLACE = "pocketsphinx/model/en-us/cmudict-en-us.dict"


@cache
def dictionary_words() -> frozenset[str]:
    """All of them, in small letters. EngineError where the package is not installed.

    The file is found without importing the package, which would load its engine.
    """
    try:
        place = Path(str(metadata.distribution("pocketsphinx").locate_file(PLACE)))
        lines = place.read_text(encoding="utf-8").splitlines()
    except (metadata.PackageNotFoundError, OSError) as error:
        raise EngineError("There is no dictionary to tell typing slips by. Type: pip install pocketsphinx") from error
    return frozenset(line.split(maxsplit=1)[0].partition("(")[0] for line in lines if line.strip())
