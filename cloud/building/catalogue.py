"""catalogue.jsonl of a domain: what can be found, one entry a line."""

import difflib
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from cloud.building.fault import Faults, quoted
from cloud.building.folder import is_seen
from cloud.finding.words import content_words
from common.errors import DomainError

ENTRIES_MAX = 250_000
LINES_MAX = 500_000
BROKEN_MAX = 400
"""Lines after which nobody reads on: it is another kind of file."""
LINE_BYTES_MAX = 200_000
DATA_BYTES_MAX = 4000
"""Of an entry's data as JSON: more does not go over the wire."""
LONG_TITLE_CHARS = 80
SHARED_MAX = 5
"""Entries of one name that are told."""

# Not $, before which a line may end.
ACTION = r"^[a-z][a-z0-9_.-]{0,63}\Z"

Line = Annotated[str, Meta(min_length=1, max_length=300)]


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One thing that can be found."""

    id: Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}\Z")]
    title: Line
    text: Annotated[str, Meta(max_length=5000)] = ""
    """What is shown and, with less weight, searched."""
    aliases: Annotated[tuple[Line, ...], Meta(max_length=50)] = ()
    """Other ways to say it."""
    tags: Annotated[tuple[Line, ...], Meta(max_length=50)] = ()
    action: Annotated[str, Meta(pattern=ACTION)] | None = None
    """Name of what the board may do, such as "timer.start"."""
    url: Annotated[str, Meta(pattern=r"^https?://[!-~]+\Z", max_length=2000)] | None = None
    data: dict[str, Any] = {}
    """What the action needs, such as {"minutes": 10}."""

    @property
    def names(self) -> tuple[str, ...]:
        """Title and aliases."""
        return (self.title, *self.aliases)


_decoder = msgspec.json.Decoder(Entry)


def read_catalogue(raw: bytes, file: Path, faults: Faults) -> tuple[list[Entry], list[int]]:
    """The entries that are whole, and the line of each."""
    entries: list[Entry] = []
    lines: list[int] = []
    first_lines: dict[str, int] = {}
    before = faults.count
    for number, line in _lines(raw, file, faults):
        if faults.count - before >= BROKEN_MAX:
            faults.fault(file, number, f"{BROKEN_MAX:,} lines before are broken, so nobody reads on.")
            break
        try:
            entry = _entry(line)
        except DomainError as error:
            faults.fault(file, number, str(error))
            continue
        if entry.id in first_lines:
            faults.fault(file, number, f"the id {entry.id} is that of line {first_lines[entry.id]} already.")
        first_lines.setdefault(entry.id, number)
        entries.append(entry)
        lines.append(number)
        if len(entries) > ENTRIES_MAX:
            faults.fault(file, number, f"there are more than {ENTRIES_MAX:,} entries, which are the most.")
            break
    if not entries and faults.count == before:
        faults.fault(file, None, "is empty, but a domain needs at least one entry.")
    return entries, lines


def warn_of_entries(entries: Sequence[Entry], lines: Sequence[int], file: Path, faults: Faults) -> None:
    """What would make a good catalogue better: entries with one name only, names shared by entries, titles too long to
    show."""
    owners: dict[str, dict[str, tuple[str, int]]] = defaultdict(dict)
    bare, long = [], []
    for entry, line in zip(entries, lines, strict=True):
        if not entry.aliases:
            bare.append((line, f"{entry.id} has no aliases, so it is found by its title alone."))
        if len(entry.title) > LONG_TITLE_CHARS:
            what = f"the title of {entry.id} has {len(entry.title)} characters"
            long.append((line, f"{what}; a phone shows about {LONG_TITLE_CHARS}."))
        for name in entry.names:
            owners[" ".join(content_words(name))].setdefault(entry.id, (name, line))
    faults.warn_many(file, bare)
    faults.warn_many(file, long)
    faults.warn_many(file, (_shared(its) for its in owners.values() if len(its) > 1))


def _shared(owners: Mapping[str, tuple[str, int]]) -> tuple[int, str]:
    """Entries of one name: a line and a sentence."""
    (name, first), (_, line) = list(owners.values())[:2]
    ids = list(owners)
    more = f" and {len(ids) - SHARED_MAX} more" if len(ids) > SHARED_MAX else ""
    return line, f"{' and '.join(ids[:SHARED_MAX])}{more} share the name {quoted(name)} (line {first})."


def _lines(raw: bytes, file: Path, faults: Faults) -> Iterator[tuple[int, bytes]]:
    at, number = len(b"\xef\xbb\xbf") if raw.startswith(b"\xef\xbb\xbf") else 0, 0
    while at < len(raw):
        end = raw.find(b"\n", at)
        end = len(raw) if end < 0 else end
        number += 1
        if number > LINES_MAX:
            faults.fault(file, number, f"there are more than {LINES_MAX:,} lines, and no more are read.")
            return
        if end - at > LINE_BYTES_MAX:
            faults.fault(file, number, f"has {end - at:,} bytes, but {LINE_BYTES_MAX:,} are the most of an entry.")
        elif line := raw[at:end].strip():
            yield number, line
        at = end + 1


def _entry(line: bytes) -> Entry:
    """DomainError without the place where the line is not an entry."""
    try:
        entry = _decoder.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        entry = _faulty(line)
    if entry.action is not None and entry.url is not None:
        raise DomainError("has an action and a url, but an entry leads to one of them at most.")
    if not is_seen(entry.text, lines=True) or not all(map(is_seen, (*entry.names, *entry.tags))):
        raise DomainError("has characters that cannot be seen. Take them out.")
    for name in entry.names:
        if not any(map(str.isalnum, name)):
            raise DomainError(f"the name {quoted(name)} has neither letters nor digits, so nothing can find it.")
    if entry.data and (size := len(json.dumps(entry.data).encode())) > DATA_BYTES_MAX:
        raise DomainError(f"its data has {size:,} bytes as JSON, but {DATA_BYTES_MAX:,} are the most.")
    return entry


def _faulty(line: bytes) -> Entry:
    """The same slowly, with what is wrong by its name."""
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
    try:
        return msgspec.convert(fields, Entry)
    except msgspec.ValidationError as error:
        what, _, where = str(error).partition(" - at `$.")
        raise DomainError(f"{where.rstrip('`') or 'the entry'}: {what[0].lower()}{what[1:]}.") from error
