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
    grammar = _text(Path(folder) / GRAMMAR)
    return OPEN_SPEECH if grammar is None else Kind(folder, grammar, _text(Path(folder) / DICTIONARY) or "")


def _text(file: Path) -> str | None:
    """What is in it; None if it is not there."""
    try:
        return file.read_text("utf-8")
    except FileNotFoundError:
        return None
    except UnicodeDecodeError as error:
        raise DomainError(f"{file}: not UTF-8 text.") from error
    except OSError as error:
        raise DomainError(f"{file}: cannot be read: {error.strerror}.") from error


def grammar_words(grammar: str) -> list[str]:
    """The words of a JSGF grammar, each once, in order."""
    # The first two statements are the header and the grammar's own name.
    rules = _NOT_SPOKEN.sub(" ", grammar).split(";", 2)[-1]
    return list(dict.fromkeys(_SPOKEN.findall(rules)))
