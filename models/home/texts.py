"""What the machines say: the commands, what is nearly one, and other sentences of the home domain."""

import random
from collections.abc import Sequence
from pathlib import Path

import msgspec

from models.data.clip import Split
from models.data.split import part_of
from models.home.phrases import Meaning

OTHERS = {"train": 500, "tune": 600, "test": 650}
"""Sentences of the catalogue; none is in two parts."""
PARTS: dict[Split, range] = {"train": range(128), "tune": range(128, 192), "test": range(192, 256)}


class Named(msgspec.Struct, frozen=True):
    """What an entry of a catalogue is found by."""

    id: str
    title: str
    aliases: tuple[str, ...] = ()


def texts(meanings: Sequence[Meaning], near: Path, catalogue: Path) -> dict[str, list[tuple[str, str]]]:
    """Texts and labels, by the name of their file."""
    commands = {phrase: meaning.label for meaning in meanings for phrase in meaning.phrases}
    nearly = sorted({*near.read_text(encoding="utf-8").splitlines()} - {*commands})
    found = {"commands": list(commands.items()), "near": [(text, "unknown") for text in nearly]}
    own = {meaning.entry_id for meaning in meanings}
    parts: dict[str, set[str]] = {part: set() for part in PARTS}
    for line in catalogue.read_bytes().splitlines():
        entry = msgspec.json.decode(line, type=Named)
        for text in (entry.title, *entry.aliases) if entry.id not in own else ():
            if "(" not in text and text not in commands:
                parts[part_of(text, PARTS)].add(text)
    choice = random.Random(1)
    for part, most in OTHERS.items():
        some = choice.sample(sorted(parts[part]), min(most, len(parts[part])))
        found[part] = [(text, "unknown") for text in some]
    return found
