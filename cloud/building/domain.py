"""A domain: what a service understands and finds. A folder with a catalogue.jsonl, one entry a line,

{"id": "timer-10-minutes", "title": "Timer for 10 minutes", "aliases": ["ten minute timer"], "action": "timer.start"}

and, where it understands commands, a commands.yaml; a lexicon.txt says how its words are said.
"""

import hashlib
from collections.abc import Collection, Mapping
from pathlib import Path

import msgspec

from cloud.building.catalogue import Entry, read_catalogue
from cloud.building.checks.commands import find_faults
from cloud.building.commands_text import CommandsText, read_commands
from cloud.building.fault import Faults
from cloud.building.folder import BYTES_MAX, CATALOGUE, COMMANDS, LEXICON, as_text, find_folder, read_file
from cloud.pronouncing.lexicon import Lexicon, parse
from common.errors import DomainError


class Domain(msgspec.Struct, frozen=True):
    """A folder that has been read and found whole."""

    name: str
    folder: Path
    version: str
    """12 hexadecimal digits over the content of its files."""
    entries: tuple[Entry, ...]
    commands: CommandsText | None = None
    lexicon: Lexicon = {}
    entry_lines: tuple[int, ...] = ()
    """Where each entry stands in the catalogue."""


def load_domain(name_or_folder: str) -> Domain:
    """The shipped domain of that name, else the one in that folder. DomainError, a sentence a fault, where there is
    none or its files are broken; a fault of a line names FILE:LINE."""
    faults = Faults()
    domain = read_domain(find_folder(name_or_folder), faults)
    faults.raise_any()
    assert domain is not None
    return domain


def version_of(folder: Path) -> str:
    """Of what is in a folder now, whether it is a domain or not. DomainError where it cannot be read."""
    return _version({name: read_file(folder, name) for name in BYTES_MAX})


def read_domain(folder: Path, faults: Faults) -> Domain | None:
    """What is in a folder, as far as it is whole: every fault is told. None where nothing can be made of it."""
    raw = {name: _read(folder, name, faults) for name in BYTES_MAX}
    before = faults.count
    written = raw[CATALOGUE]
    catalogue, lines = read_catalogue(written, folder / CATALOGUE, faults) if written is not None else ([], [])
    tags = None if faults.count > before or not catalogue else {tag for one in catalogue for tag in one.tags}
    commands = _commands(folder / COMMANDS, raw[COMMANDS], tags, faults)
    lexicon = _lexicon(folder / LEXICON, raw[LEXICON], faults)
    if not catalogue:
        return None
    return Domain(folder.name, folder, _version(raw), tuple(catalogue), commands, lexicon, tuple(lines))


def _read(folder: Path, name: str, faults: Faults) -> bytes | None:
    try:
        raw = read_file(folder, name)
    except DomainError as error:
        faults.take(error, folder / name)
        return None
    if raw is None and name == CATALOGUE:
        faults.fault(folder / name, None, "there is no such file, and a domain needs one.")
    return raw


def _commands(file: Path, raw: bytes | None, tags: Collection[str] | None, faults: Faults) -> CommandsText | None:
    """`tags`: of the catalogue; None: not all of it is known."""
    if raw is None:
        return None
    try:
        commands = read_commands(as_text(file, raw), file, faults)
    except DomainError as error:
        faults.take(error, file)
        return None
    if commands is not None:
        find_faults(commands, tags, file, faults)
    return commands


def _lexicon(file: Path, raw: bytes | None, faults: Faults) -> Lexicon:
    if raw is None:
        return {}
    try:
        return parse(as_text(file, raw), str(file))
    except DomainError as error:
        faults.take(error, file)
        return {}


def _version(raw: Mapping[str, bytes | None]) -> str:
    """Equal for equal files, wherever the folder lies; what else is in it does not count."""
    digest = hashlib.sha256()
    for name, content in sorted(raw.items()):
        if content is not None:
            digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()[:12]
