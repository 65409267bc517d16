"""What a person wants to be understood, as they type it: "lights on", or "lights on=light.on" with an action."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from common.errors import DataError
from models.importing.intake import tidy
from protos.model_card import Command

UNKNOWN, SILENCE = "unknown", "silence"
LETTERS_MAX = 80


class Wanted(NamedTuple):
    """A command."""

    text: str
    """What is said."""
    action: str | None = None

    @property
    def label(self) -> str:
        return slug(self.text)

    @property
    def command(self) -> Command:
        """As a card has it."""
        title = self.text[:1].upper() + self.text[1:]
        return Command(text=self.text, id=self.label.replace("_", "-"), title=title, action=self.action)


def slug(text: str) -> str:
    """A label for a text: small letters and digits, and "_" for what is between."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "_", plain.replace("'", "")).strip("_")


def wanted(told: Iterable[str]) -> list[Wanted]:
    """In order. DataError if one says nothing, or two are the same."""
    found: dict[str, Wanted] = {}
    for one in told:
        text, _, action = one.partition("=")
        new = Wanted(tidy(text).rstrip(".!?"), tidy(action) or None)
        if not new.label or len(new.text) > LETTERS_MAX:
            raise DataError(f"{one!r} is nothing that could be said: give words, as in 'lights on=light.on'.")
        if not (new.text + (new.action or "")).isprintable():
            raise DataError(f"{one!r} has characters that nobody can read or say; is it written in UTF-8?")
        if new.label in (UNKNOWN, SILENCE):
            raise DataError(f"{one!r} cannot be a command: every model has {new.label} for what is none.")
        if new.label in found:
            raise DataError(f"{one!r} and {found[new.label].text!r} are the same command.")
        found[new.label] = new
    return list(found.values())


def from_commands(commands: dict[str, Command]) -> list[Wanted]:
    """As a recipe has them."""
    return [Wanted(command.text, command.action) for command in commands.values()]


def words_of(text: str) -> list[str]:
    """In small letters, without marks."""
    return re.findall(r"[\w']+", text.lower().replace("\u2019", "'"))


def says(text: str, phrase: str) -> bool:
    """Whether the phrase is in it, word by word."""
    long, short = words_of(text), words_of(phrase)
    return any(long[at : at + len(short)] == short for at in range(len(long) - len(short) + 1))


def is_none_of(text: str, commands: Sequence[Wanted]) -> bool:
    """Whether no command is said in it."""
    return not any(says(text, command.text) for command in commands)
