"""The tables of an index, and how a catalogue gets into them.

Words are compared by their stems, which cloud/finding/words.py makes; FTS5 only splits them at spaces and counts.
"""

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence

from cloud.building.catalogue import Entry
from cloud.building.domain import Domain
from cloud.finding.words import content_words, sound, stem
from common.errors import DomainError

SCHEMA_VERSION = 3
"""Raised with every change of the tables or of cloud/finding/words.py; a file of another one is built anew."""

_SCHEMA = """
CREATE TABLE about (schema INTEGER, domain TEXT, version TEXT, entries INTEGER);
CREATE TABLE entry (
    number INTEGER PRIMARY KEY, id TEXT, title TEXT, text TEXT, url TEXT, action TEXT,
    data TEXT,  -- JSON
    names TEXT, body TEXT  -- stems: a line a name; tags and text
);
CREATE TABLE name (stems TEXT, entry INTEGER);
CREATE TABLE word (word TEXT PRIMARY KEY, stem TEXT, sound TEXT) WITHOUT ROWID;
CREATE TABLE stem (stem TEXT PRIMARY KEY, entries INTEGER) WITHOUT ROWID;
CREATE TABLE common (stem TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE trigram (letters TEXT PRIMARY KEY, words INTEGER) WITHOUT ROWID;
CREATE VIRTUAL TABLE content USING fts5(title, aliases, tags, text, content='', tokenize='unicode61');
CREATE VIRTUAL TABLE spelling USING fts5(word, tokenize='trigram', detail='none', columnsize=0);
"""
COMMON_ROWS = 1000
"""Entries with a stem anywhere from which on only their names and tags are looked at for it: to rank ten thousand
texts takes longer than a person notices, and tells nothing."""

_INDICES = """
CREATE UNIQUE INDEX entry_id ON entry (id);
CREATE INDEX name_stems ON name (stems);
CREATE INDEX word_sound ON word (sound);
"""


def fill(connection: sqlite3.Connection, domain: Domain) -> None:
    """Makes the tables of an empty database and puts a domain into them. DomainError where this SQLite cannot."""
    try:
        connection.executescript(_SCHEMA)
    except sqlite3.OperationalError as error:
        if "no such" not in str(error) and "error in tokenizer" not in str(error):
            raise
        raise DomainError(
            f"SQLite {sqlite3.sqlite_version} of this Python cannot search ({error}); it takes 3.34 or newer with FTS5."
        ) from error
    words: dict[str, str] = {}
    counts: Counter[str] = Counter()
    anywhere: Counter[str] = Counter()
    with connection:
        for number, entry in enumerate(domain.entries, 1):
            named, told = _add(connection, number, entry, words)
            counts.update(named)
            anywhere.update(named | told)
        connection.executemany(
            "INSERT INTO word VALUES (?, ?, ?)", ((w, s, sound(w) or None) for w, s in words.items())
        )
        connection.executemany("INSERT INTO spelling VALUES (?)", ((f"^{word}$",) for word in words))
        connection.executemany("INSERT INTO stem VALUES (?, ?)", sorted(counts.items()))
        common = ((stem,) for stem, entries in sorted(anywhere.items()) if entries > COMMON_ROWS)
        connection.executemany("INSERT INTO common VALUES (?)", common)
        trigrams = Counter(trigram for word in words for trigram in set(trigrams_of(word)))
        connection.executemany("INSERT INTO trigram VALUES (?, ?)", sorted(trigrams.items()))
        connection.execute(
            "INSERT INTO about VALUES (?, ?, ?, ?)", (SCHEMA_VERSION, domain.name, domain.version, len(domain.entries))
        )
    connection.executescript(_INDICES + "INSERT INTO content(content) VALUES ('optimize');")


def _add(connection: sqlite3.Connection, number: int, entry: Entry, words: dict[str, str]) -> tuple[set[str], set[str]]:
    """Adds an entry, and its words to `words`; the stems of its names and tags, and those of its text."""
    names = [content_words(name) for name in (entry.title, *entry.aliases)]
    tags = [word for tag in entry.tags for word in content_words(tag)]
    known = {word: stem(word) for word in [*_flat(names), *tags]}
    words.update(known)
    stems = [[known[word] for word in name] for name in names]
    tag_stems = " ".join(known[word] for word in tags)
    told = [stem(word) for word in content_words(entry.text)]
    text = " ".join(told)
    connection.execute(
        "INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (number, entry.id, entry.title, entry.text, entry.url, entry.action,
         json.dumps(entry.data) if entry.data else None,
         "\n".join(" ".join(name) for name in stems), f"{tag_stems} {text}"),
    )  # fmt: skip
    connection.executemany("INSERT INTO name VALUES (?, ?)", sorted({(name_key(name), number) for name in stems}))
    connection.execute(
        "INSERT INTO content(rowid, title, aliases, tags, text) VALUES (?, ?, ?, ?, ?)",
        (number, " ".join(stems[0]), " ".join(_flat(stems[1:])), tag_stems, text),
    )
    return set(known.values()), set(told)


def _flat(names: Sequence[Sequence[str]]) -> Iterator[str]:
    return (word for name in names for word in name)


def trigrams_of(word: str) -> list[str]:
    """Three letters each, of a word with a sign at its beginning and its end."""
    padded = f"^{word}$"
    return [padded[at : at + 3] for at in range(len(padded) - 2)]


def name_key(stems: Sequence[str]) -> str:
    """Equal for names of equal words, whatever their order."""
    return " ".join(sorted(set(stems)))
