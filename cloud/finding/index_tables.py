"""The tables of an index, and how a catalogue gets into them.

Words are compared by their stems, which cloud/finding/words.py makes; FTS5 only splits them at spaces and counts.
"""

import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence

from cloud.finding.domain import Domain, Entry
from cloud.finding.words import content_words, sound, stem
from common.errors import DomainError

SCHEMA_VERSION = 1
"""Raised with every change of the tables or of cloud/finding/words.py; a file of another one is built anew."""

_SCHEMA = """
CREATE TABLE about (schema INTEGER, domain TEXT, version TEXT, entries INTEGER);
CREATE TABLE entry (
    number INTEGER PRIMARY KEY, id TEXT, title TEXT, text TEXT, url TEXT, action TEXT,
    names TEXT, body TEXT  -- stems: a line a name; tags and text
);
CREATE TABLE name (stems TEXT, entry INTEGER);
CREATE TABLE word (word TEXT PRIMARY KEY, stem TEXT, sound TEXT) WITHOUT ROWID;
CREATE TABLE stem (stem TEXT PRIMARY KEY, entries INTEGER) WITHOUT ROWID;
CREATE VIRTUAL TABLE content USING fts5(title, aliases, tags, text, content='', tokenize='unicode61');
CREATE VIRTUAL TABLE spelling USING fts5(word, tokenize='trigram', detail='none', columnsize=0);
"""
_INDICES = """
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
    with connection:
        for number, entry in enumerate(domain.entries, 1):
            counts.update(_add(connection, number, entry, words))
        connection.executemany(
            "INSERT INTO word VALUES (?, ?, ?)", ((w, s, sound(w) or None) for w, s in words.items())
        )
        connection.executemany("INSERT INTO spelling VALUES (?)", ((f"^{word}$",) for word in words))
        connection.executemany("INSERT INTO stem VALUES (?, ?)", counts.items())
        connection.execute(
            "INSERT INTO about VALUES (?, ?, ?, ?)", (SCHEMA_VERSION, domain.name, domain.version, len(domain.entries))
        )
    connection.executescript(_INDICES + "INSERT INTO content(content) VALUES ('optimize');")


def _add(connection: sqlite3.Connection, number: int, entry: Entry, words: dict[str, str]) -> set[str]:
    """Adds an entry, and its words to `words`; the stems of its names and tags."""
    names = [content_words(name) for name in (entry.title, *entry.aliases)]
    tags = [word for tag in entry.tags for word in content_words(tag)]
    known = {word: stem(word) for word in [*_flat(names), *tags]}
    words.update(known)
    stems = [[known[word] for word in name] for name in names]
    tag_stems = " ".join(known[word] for word in tags)
    text = " ".join(stem(word) for word in content_words(entry.text))
    connection.execute(
        "INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (number, entry.id, entry.title, entry.text, entry.url, entry.action,
         "\n".join(" ".join(name) for name in stems), f"{tag_stems} {text}"),
    )  # fmt: skip
    connection.executemany("INSERT INTO name VALUES (?, ?)", {(name_key(name), number) for name in stems})
    connection.execute(
        "INSERT INTO content(rowid, title, aliases, tags, text) VALUES (?, ?, ?, ?, ?)",
        (number, " ".join(stems[0]), " ".join(_flat(stems[1:])), tag_stems, text),
    )
    return set(known.values())


def _flat(names: Sequence[Sequence[str]]) -> Iterator[str]:
    return (word for name in names for word in name)


def name_key(stems: Sequence[str]) -> str:
    """Equal for names of equal words, whatever their order."""
    return " ".join(sorted(set(stems)))
