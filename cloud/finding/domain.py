"""A domain: what a service understands and finds. A folder with a catalogue.jsonl, one entry a line.

{"id": "timer-10-minutes", "title": "Timer for 10 minutes", "aliases": ["ten minute timer"], "action": "timer.start"}
"""

import difflib
import hashlib
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from cloud.finding.words import content_words
from common.errors import DomainError
from protos.name import NAME

SHIPPED = Path(__file__).parent.parent / "domains"
"""Holds the domains that come with the service, a folder each."""
CATALOGUE = "catalogue.jsonl"
FAULTS_SHOWN_MAX = 20
LONG_TITLE_CHARS = 80

Line = Annotated[str, Meta(min_length=1, max_length=300)]


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One thing that can be found."""

    id: Annotated[str, Meta(pattern="^[a-z0-9][a-z0-9._-]{0,63}$")]
    title: Line
    text: Annotated[str, Meta(max_length=5000)] = ""
    """What is shown and, with less weight, searched."""
    aliases: Annotated[tuple[Line, ...], Meta(max_length=50)] = ()
    """Other ways to say it."""
    tags: Annotated[tuple[Line, ...], Meta(max_length=50)] = ()
    action: Annotated[str, Meta(pattern="^[a-z][a-z0-9_.-]{0,63}$")] | None = None
    """Name of what the board may do, such as "timer.start"."""
    url: Annotated[str, Meta(pattern="^https?://[!-~]+$", max_length=2000)] | None = None
    data: dict[str, Any] = {}
    """What the action needs, such as {"minutes": 10}."""


class Domain(msgspec.Struct, frozen=True):
    """A catalogue that has been read and found whole."""

    name: str
    folder: Path
    version: str
    """12 hexadecimal digits over the content of every file of the folder."""
    entries: tuple[Entry, ...]


def shipped_domains() -> list[str]:
    """Names of the domains that come with the service."""
    return sorted(path.parent.name for path in SHIPPED.glob(f"*/{CATALOGUE}"))


def load_domain(name_or_folder: str) -> Domain:
    """The shipped domain of that name, else the one in that folder. DomainError, a sentence a fault, where there is
    none or its catalogue is broken; a fault of a line names FILE:LINE."""
    folder = find_folder(name_or_folder).resolve()
    if not NAME.fullmatch(folder.name):
        raise DomainError(f"{folder}: a domain's folder is named with 1 to 64 characters of A-Z a-z 0-9 . _ -")
    try:
        raw = (folder / CATALOGUE).read_bytes()
        version = _version(folder)
    except FileNotFoundError as error:
        raise DomainError(f"{error.filename}: there is no such file, and a domain needs one.") from error
    except OSError as error:
        raise DomainError(f"{error.filename}: cannot be read: {error.strerror}.") from error
    faults: list[str] = []
    entries = tuple(_entries(folder / CATALOGUE, raw, faults))
    if not entries and not faults:
        faults.append(f"{folder / CATALOGUE}: is empty, but a domain needs at least one entry.")
    if faults:
        more = [f"... and {len(faults) - FAULTS_SHOWN_MAX} more."] if len(faults) > FAULTS_SHOWN_MAX else []
        raise DomainError("\n".join(faults[:FAULTS_SHOWN_MAX] + more))
    return Domain(name=folder.name, folder=folder, version=version, entries=entries)


def find_folder(name_or_folder: str) -> Path:
    """Folder of a shipped domain or the path itself; DomainError where neither is there."""
    shipped = shipped_domains()
    if name_or_folder in shipped:
        return SHIPPED / name_or_folder
    folder = Path(name_or_folder).expanduser()
    if folder.is_dir() and name_or_folder:
        return folder
    if folder.exists() and name_or_folder:
        raise DomainError(f"{folder}: is a file, but a domain is a folder with a {CATALOGUE}.")
    near = difflib.get_close_matches(name_or_folder, shipped, n=1)
    hint = f"Did you mean {near[0]}?" if near else f"Shipped domains: {', '.join(shipped)}."
    raise DomainError(f"{name_or_folder or '(empty)'}: neither a shipped domain nor a folder. {hint}")


def warnings(domain: Domain) -> list[str]:
    """What would make a good catalogue better, a sentence each: entries with one name only, names shared by entries,
    titles too long to show."""
    found = [
        f"{entry.id}: has no aliases, so it is found by its title alone."
        for entry in domain.entries
        if not entry.aliases
    ]
    found += [
        f"{entry.id}: its title has {len(entry.title)} characters; a phone shows about {LONG_TITLE_CHARS}."
        for entry in domain.entries
        if len(entry.title) > LONG_TITLE_CHARS
    ]
    owners: dict[str, dict[str, str]] = defaultdict(dict)
    for entry in domain.entries:
        for name in (entry.title, *entry.aliases):
            owners[" ".join(content_words(name))].setdefault(entry.id, name)
    found += [
        f'{" and ".join(shared)}: share the name "{next(iter(shared.values()))}".'
        for shared in owners.values()
        if len(shared) > 1
    ]
    return found


def _entries(file: Path, raw: bytes, faults: list[str]) -> Iterator[Entry]:
    first_lines: dict[str, int] = {}
    for number, line in enumerate(raw.removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            entry = _entry(line)
        except DomainError as error:
            faults.append(f"{file}:{number}: {error}")
            continue
        if entry.id in first_lines:
            faults.append(f"{file}:{number}: the id {entry.id} is that of line {first_lines[entry.id]} already.")
        first_lines.setdefault(entry.id, number)
        yield entry


def _entry(line: bytes) -> Entry:
    """DomainError without the place where the line is not an entry."""
    known = Entry.__struct_fields__
    try:
        fields = msgspec.json.decode(line.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise DomainError("not UTF-8 text.") from error
    except (msgspec.DecodeError, RecursionError) as error:
        raise DomainError(f"not JSON: {error}.") from error
    if not isinstance(fields, dict):
        raise DomainError("must be an object, {...}.")
    for key in fields.keys() - set(known):
        near = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
        raise DomainError(f"there is no key {key}." + (f" Did you mean {near[0]}?" if near else ""))
    for key in ("id", "title"):
        if key not in fields:
            raise DomainError(f"the key {key} is missing.")
    if fields.get("action") is not None and fields.get("url") is not None:
        raise DomainError("has an action and a url, but an entry leads to one of them at most.")
    try:
        return msgspec.convert(fields, Entry)
    except msgspec.ValidationError as error:
        what, _, where = str(error).partition(" - at `$.")
        raise DomainError(f"{where.rstrip('`') or 'the entry'}: {what[0].lower()}{what[1:]}.") from error


def _version(folder: Path) -> str:
    """Equal for equal names and bytes, wherever the folder lies. Hidden files (an editor's, a version control's) are
    not content."""
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = path.relative_to(folder).as_posix()
        if any(part.startswith(".") for part in path.relative_to(folder).parts):
            continue
        content = path.read_bytes()
        digest.update(f"{name}\0{len(content)}\0".encode("utf-8", "surrogateescape") + content)
    return digest.hexdigest()[:12]
