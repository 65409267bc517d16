"""What may be said, what is meant by it, and where the catalogue of the domain has it."""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import msgspec

from common.errors import DataError
from protos.model_card import Command


class Meaning(NamedTuple):
    """A label of the model."""

    label: str
    entry_id: str
    """Of the catalogue."""
    phrases: tuple[str, ...]
    """The first is shown as the transcript."""


class Entry(msgspec.Struct, frozen=True):
    """What a command takes over from a line of a catalogue."""

    id: str
    title: str
    text: str = ""
    url: str | None = None
    action: str | None = None


def read_meanings(file: Path) -> tuple[Meaning, ...]:
    """Of a table: label, entry and phrases with semicolons between. DataError, naming the line, if it is none."""
    found = []
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        fields = line.split("\t")
        if len(fields) != 3:
            raise DataError(f"{file}:{number}: has {len(fields)} fields, but label, entry and phrases are three.")
        label, entry_id, phrases = fields
        found.append(Meaning(label, entry_id, tuple(phrase.strip() for phrase in phrases.split(";"))))
    return tuple(found)


def bound(meanings: Iterable[Meaning], catalogue: Path) -> dict[str, Command]:
    """The commands of a card, with all that the service would have found for them. DataError if an entry is missing."""
    lines = catalogue.read_bytes().splitlines()
    entries = {entry.id: entry for entry in (msgspec.json.decode(line, type=Entry) for line in lines if line.strip())}
    commands = {}
    for meaning in meanings:
        entry = entries.get(meaning.entry_id)
        if entry is None:
            raise DataError(f"{catalogue}: has no entry {meaning.entry_id}, which {meaning.label} stands for.")
        commands[meaning.label] = Command(
            text=meaning.phrases[0],
            id=entry.id,
            title=entry.title,
            snippet=entry.text,
            url=entry.url,
            action=entry.action,
        )
    return commands
