"""A second opinion on words that no dictionary has: espeak-ng's rules, in the model's phones.

The program is run, not linked: its licence (GPL-3.0-or-later) binds nobody who does that. It knows foreign names better
than a table that was learnt from an American dictionary; where it is not installed the table does without.
"""

import logging
import re
import shutil
import subprocess
from collections.abc import Sequence

from cloud.pronouncing.phones import Phones, numbers

PROGRAM = "espeak-ng"
BATCH = 2000
BATCH_S_MAX = 120

# What its voice en-us calls its sounds, in espeak-ng 1.50 to 1.52.
_PHONES = {
    "n": "N", "s": "S", "k": "K", "I": "IH", "l": "L", "r": "R", "t": "T", "@": "AH", "d": "D", "m": "M", "a": "AE",
    "E": "EH", "z": "Z", "b": "B", "3": "ER", "p": "P", "i": "IY", "oU": "OW", "0": "AA", "eI": "EY", "g": "G",
    "I2": "IH", "f": "F", "aI": "AY", "N": "NG", "u:": "UW", "i:": "IY", "I#": "IH", "v": "V", "V": "AH", "t#": "T",
    "w": "W", "h": "HH", "S": "SH", "dZ": "JH", "@L": "AH L", "3:": "ER", "A@": "AA R", "j": "Y", "a#": "AH",
    "tS": "CH", "aU": "AW", "O:": "AO", "A:": "AA", "o@": "AO R", "T": "TH", "O@": "AO R", "U": "UH", "i@": "IY AH",
    "O2": "AO", "aa": "AE", "e@": "EH R", "i@3": "IH R", "OI": "OY", "aI3": "AY ER", "r-": "R", "U@": "UH R",
    "t2": "T", "x": "K", "Z": "ZH", "@-": "AH", "D": "DH", "?": "T", "n-": "AH N", "aI@": "AY AH", "O": "AO",
}  # fmt: skip
_MARKS = re.compile("[',%|=]")
"""Of stress and of parts."""
_NO_SOUND = re.compile("[:!;-]*")
_TWICE = re.compile(r"\b(E?R) R\b")
"""A vowel that has its R already, and the R."""

logger = logging.getLogger(__name__)


class Espeak:
    """Asks the program; used where `installed`."""

    @staticmethod
    def installed() -> bool:
        return shutil.which(PROGRAM) is not None

    @staticmethod
    def version() -> str:
        """Such as "espeak-ng 1.51"; without a number where it does not say."""
        said = subprocess.run([PROGRAM, "--version"], capture_output=True, text=True, check=False, timeout=BATCH_S_MAX)
        number = re.search(r"\d+(\.\d+)+", said.stdout)
        return f"{PROGRAM} {number[0]}" if number else PROGRAM

    def guess(self, words: Sequence[str]) -> list[Phones]:
        """How each is said; empty where it cannot be asked. 0.5 ms a word.

        `words`: a to z only.
        """
        said: list[Phones] = []
        for start in range(0, len(words), BATCH):
            said += self._ask(words[start : start + BATCH])
        return said

    def _ask(self, words: Sequence[str]) -> list[Phones]:
        command = [PROGRAM, "-q", "-x", "--sep=_", "-v", "en-us"]
        try:
            done = subprocess.run(
                command, input="\n".join(words), capture_output=True, text=True, check=True, timeout=BATCH_S_MAX
            )
        except (OSError, subprocess.SubprocessError) as error:
            logger.warning("espeak-ng could not be asked how words are said: %s", error)
            return [b""] * len(words)
        lines = done.stdout.splitlines()
        if len(lines) != len(words):
            logger.warning("espeak-ng said %d lines for %d words", len(lines), len(words))
            return [b""] * len(words)
        return list(map(mapped, lines))


def mapped(line: str, *, strict: bool = False) -> Phones:
    """What the program writes as our phones. `strict`: KeyError for a sound that is none of its voice en-us; else it is
    left out."""
    sounds = re.split(r"[_\s]+", _MARKS.sub("", line))
    unknown = [sound for sound in sounds if sound not in _PHONES and not _NO_SOUND.fullmatch(sound)]
    if strict and unknown:
        raise KeyError(unknown[0])
    phones = " ".join(_PHONES.get(sound, "") for sound in sounds)
    return numbers(_TWICE.sub(r"\1", " ".join(phones.split())))
