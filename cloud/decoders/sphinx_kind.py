"""What a pocketsphinx decoder is loaded for: open speech, or the grammar of a domain."""

import re
from pathlib import Path
from typing import NamedTuple

from common.errors import DomainError

GRAMMAR = "grammar.jsgf"
DICTIONARY = "dictionary.txt"

# Comments, names of rules, tags and weights; see "JSpeech Grammar Format", W3C note of 2000.
_NOT_SPOKEN = re.compile(r"//[^\n]*|/\*.*?\*/|<[^>]*>|\{[^}]*\}|/[\d.]+/|\bpublic\b", re.DOTALL)
_SPOKEN = re.compile(r"[^\W_][\w'-]*")


class Kind(NamedTuple):
    """What a decoder is loaded for."""

    folder: str = ""
    grammar: str | None = None
    """Text of the folder's grammar.jsgf; None: open speech."""
    dictionary: str = ""
    """Text of its dictionary.txt: a word and its phones a line, as in CMUdict."""


OPEN_SPEECH = Kind()


def kind_of(folder: str) -> Kind:
    """What a domain's folder asks for: its grammar, as it is now, or open speech. DomainError if it cannot be read."""
    file = Path(folder) / GRAMMAR
    try:
        if not file.exists():
            return OPEN_SPEECH
        dictionary = Path(folder) / DICTIONARY
        return Kind(folder, file.read_text("utf-8"), dictionary.read_text("utf-8") if dictionary.exists() else "")
    except (OSError, UnicodeDecodeError) as error:
        raise DomainError(f"{folder}: its grammar cannot be read: {error}.") from error


def grammar_words(grammar: str) -> list[str]:
    """The words of a JSGF grammar, each once, in order."""
    # The first two statements are the header and the grammar's own name.
    rules = _NOT_SPOKEN.sub(" ", grammar).split(";", 2)[-1]
    return list(dict.fromkeys(_SPOKEN.findall(rules)))
