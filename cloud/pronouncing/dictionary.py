"""CMU's pronouncing dictionary as pocketsphinx's package carries it: 126,000 words and how they are said.

Read as it lies, 3 MB, and searched by halves: 5 ms to open and 5 MB, where a dict of it takes 150 ms and 40 MB.
"""

from collections.abc import Iterator
from functools import cache
from importlib import metadata
from pathlib import Path

import numpy as np

from cloud.pronouncing.phones import Phones, numbers
from common.errors import EngineError

PLACE = "pocketsphinx/model/en-us/cmudict-en-us.dict"


class Dictionary:
    """Words in small letters and their pronunciations."""

    def __init__(self, text: bytes) -> None:
        """`text`: a word and its phones a line, variants marked (2), (3), in the order of their words."""
        self._text = text
        ends = np.flatnonzero(np.frombuffer(text, np.uint8) == ord("\n"))
        self._starts = np.concatenate([[0], ends[ends < len(text) - 1] + 1]) if text else ends

    def __contains__(self, word: str) -> bool:
        return bool(self.lookup(word))

    def lookup(self, word: str) -> tuple[Phones, ...]:
        """How the word is said, the usual way first; empty where it is not known."""
        wanted = word.encode()
        low, high = 0, len(self._starts)
        while low < high:
            middle = (low + high) // 2
            if self._line(middle)[0] < wanted:
                low = middle + 1
            else:
                high = middle
        found: list[Phones] = []
        while low < len(self._starts):
            its, phones = self._line(low)
            if its != wanted:
                break
            found.append(numbers(phones))
            low += 1
        return tuple(dict.fromkeys(found))

    def __iter__(self) -> Iterator[str]:
        """Each word once, in order."""
        before = b""
        for at in range(len(self._starts)):
            word = self._line(at)[0]
            if word != before:
                yield word.decode()
            before = word

    def _line(self, at: int) -> tuple[bytes, str]:
        start = int(self._starts[at])
        end = self._text.find(b"\n", start)
        word, _, phones = self._text[start : end if end >= 0 else None].partition(b" ")
        return word.partition(b"(")[0] or word, phones.decode()


@cache
def dictionary() -> Dictionary:
    """The one that is installed. EngineError where pocketsphinx is not."""
    # The file is found without importing the package, which would load its engine.
    try:
        place = Path(str(metadata.distribution("pocketsphinx").locate_file(PLACE)))
        return Dictionary(place.read_bytes())
    except (metadata.PackageNotFoundError, OSError) as error:
        raise EngineError("There is no dictionary of English words. Type: pip install pocketsphinx") from error
