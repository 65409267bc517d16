"""What a domain's catalogue looks like to the search: words, names and entries, in a SQLite FTS5 database.

One file a version of a domain, built aside and renamed in whole, never changed afterwards: whoever has an older one
open goes on with it. Search and what was asked go through the `Index` protocol and know no SQL.
"""

import json
import logging
import secrets
import sqlite3
import threading
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple, Protocol
from urllib.parse import quote

from cloud.building.domain import Domain
from cloud.building.unused import is_there
from cloud.finding.index_tables import SCHEMA_VERSION, fill, name_key, trigrams_of
from cloud.finding.words import sound
from common.errors import DomainError

SIMILAR_MAX = 24

SPELLED_MAX = 2000
"""Words that are looked at for letters in common."""
TRIGRAMS_MIN = 3
"""Whatever it takes."""

_WEIGHTS = "4.0, 4.0, 2.0, 1.0"
"""Of title, aliases, tags and text in bm25."""

logger = logging.getLogger(__name__)


class Indexed(NamedTuple):
    """An entry as the search compares it; words are stems."""

    id: str
    title: str
    text: str
    url: str | None
    action: str | None
    data: str | None
    """JSON of what the action needs."""
    names: tuple[tuple[str, ...], ...]
    """The words of the title and of each alias, in order."""
    body: frozenset[str]
    """Words of the tags and the text."""
    rank: float
    """bm25 of the words asked for; greater is better."""


class Index(Protocol):
    """One version of one domain. Calls may come from any thread."""

    domain: str
    version: str
    size: int
    """Number of entries."""

    def frequencies(self, stems: Sequence[str]) -> dict[str, int]:
        """Number of entries that have each stem in a name or tag; those of no entry are left out."""

    def sounding_like(self, word: str) -> dict[str, str]:
        """Words of names and tags that sound like `word`, with their stems; a few dozen at most."""

    def spelled_like(self, word: str) -> dict[str, str]:
        """Words of names and tags that share letters with `word`, with their stems; a few dozen at most."""

    def named(self, stems: Sequence[str], limit: int) -> list[Indexed]:
        """Entries with a name of exactly these stems, in any order."""

    def entries(self, ids: Sequence[str]) -> list[Indexed]:
        """Entries with these ids, in no order."""

    def matching(self, stems: Sequence[str], limit: int) -> list[Indexed]:
        """Entries with any of these stems anywhere, the best by bm25 first."""


class SqliteIndex:
    """The Index in a SQLite database that nobody writes to."""

    def __init__(self, connection: sqlite3.Connection, domain: str, version: str, size: int) -> None:
        self.domain = domain
        self.version = version
        self.size = size
        self._connection = connection
        self._lock = threading.Lock()

    def frequencies(self, stems: Sequence[str]) -> dict[str, int]:
        sql = "SELECT stem, entries FROM stem WHERE stem IN (SELECT value FROM json_each(?))"
        return dict(self._rows(sql, json.dumps(list(stems))))

    def sounding_like(self, word: str) -> dict[str, str]:
        # A word without a sound, such as a number, equals nothing: NULL.
        key = sound(word) or None
        return dict(self._rows("SELECT word, stem FROM word WHERE sound = ? LIMIT ?", key, SIMILAR_MAX))

    def spelled_like(self, word: str) -> dict[str, str]:
        trigrams = " OR ".join(f'"{letters}"' for letters in self._telling(trigrams_of(word)))
        if not trigrams:
            return {}
        near = "SELECT trim(word, '^$') FROM spelling WHERE spelling MATCH ? ORDER BY rank LIMIT ?"
        return dict(self._rows(f"SELECT word, stem FROM word WHERE word IN ({near})", trigrams, SIMILAR_MAX))

    def named(self, stems: Sequence[str], limit: int) -> list[Indexed]:
        return self._entries(
            "SELECT entry.*, 0.0 FROM name JOIN entry ON number = entry WHERE stems = ? GROUP BY number LIMIT ?",
            name_key(stems),
            limit,
        )

    def entries(self, ids: Sequence[str]) -> list[Indexed]:
        sql = "SELECT entry.*, 0.0 FROM entry WHERE id IN (SELECT value FROM json_each(?))"
        return self._entries(sql, json.dumps(list(ids)))

    def matching(self, stems: Sequence[str], limit: int) -> list[Indexed]:
        sql = "SELECT stem FROM common WHERE stem IN (SELECT value FROM json_each(?))"
        common = {stem for (stem,) in self._rows(sql, json.dumps(list(stems)))}
        return self._entries(
            f"SELECT entry.*, -score FROM (SELECT rowid AS found, bm25(content, {_WEIGHTS}) AS score FROM content"
            " WHERE content MATCH ? ORDER BY score LIMIT ?) JOIN entry ON number = found",
            # Stems are letters and digits only, so that quotes are all it takes to keep FTS5's own words out.
            " OR ".join(f'{{title aliases tags}}: "{stem}"' if stem in common else f'"{stem}"' for stem in stems),
            limit,
        )

    def _telling(self, trigrams: Sequence[str]) -> list[str]:
        """Those that words have, the rarest first, as many as are looked up soon."""
        sql = "SELECT letters, words FROM trigram WHERE letters IN (SELECT value FROM json_each(?)) ORDER BY words"
        kept, words = list[str](), 0
        for letters, count in self._rows(sql, json.dumps(trigrams)):
            words += count
            if words > SPELLED_MAX and len(kept) >= TRIGRAMS_MIN:
                break
            kept.append(letters)
        return kept

    def close(self) -> None:
        self._connection.close()

    def _entries(self, sql: str, *values: object) -> list[Indexed]:
        return [
            Indexed(
                id,
                title,
                text,
                url,
                action,
                data,
                tuple(tuple(name.split()) for name in names.split("\n")),
                frozenset(body.split()),
                rank,
            )  # fmt: skip
            for _, id, title, text, url, action, data, names, body, rank in self._rows(sql, *values)
        ]

    def _rows(self, sql: str, *values: object) -> list[Any]:
        try:
            with self._lock:
                return self._connection.execute(sql, values).fetchall()
        except sqlite3.DatabaseError as error:
            raise DomainError(f"The index of domain {self.domain} is damaged ({error}); build it again.") from error


def open_index(domain: Domain, index_dir: Path | None = None) -> SqliteIndex:
    """The index of this version of the domain, built if need be; in memory where no folder is given."""
    if index_dir is not None:
        return _open(build(domain, index_dir), domain)
    connection = sqlite3.connect(":memory:", check_same_thread=False)
    fill(connection, domain)
    return SqliteIndex(connection, domain.name, domain.version, len(domain.entries))


def build(domain: Domain, index_dir: Path) -> Path:
    """Path of the finished index; nothing is done where it is there and whole. DomainError where it cannot be built."""
    path = index_dir / f"{domain.name}-{domain.version}.sqlite"
    if _is_whole(path, domain):
        return path
    aside = index_dir / f".{path.name}.{secrets.token_hex(4)}"
    try:
        index_dir.mkdir(parents=True, exist_ok=True)
        try:
            with closing(sqlite3.connect(aside)) as connection:
                fill(connection, domain)
            aside.replace(path)
        finally:
            aside.unlink(missing_ok=True)
    except (OSError, sqlite3.Error) as error:
        raise DomainError(f"{path}: the index cannot be written: {error}.") from error
    logger.info("built index %s, %d entries", path, len(domain.entries))
    return path


def _open(path: Path, domain: Domain) -> SqliteIndex:
    try:
        uri = f"file:{quote(str(path.resolve()))}?mode=ro&immutable=1"
        connection = sqlite3.connect(uri, uri=True, check_same_thread=False)
    except sqlite3.Error as error:
        raise DomainError(f"{path}: the index cannot be opened: {error}.") from error
    return SqliteIndex(connection, domain.name, domain.version, len(domain.entries))


def _is_whole(path: Path, domain: Domain) -> bool:
    if not is_there(path):
        return False
    try:
        with closing(_open(path, domain)._connection) as connection:
            about = connection.execute("SELECT * FROM about").fetchall()
            check = connection.execute("PRAGMA quick_check").fetchall()
    except sqlite3.DatabaseError as error:
        logger.warning("index %s is damaged (%s) and is built again", path, error)
        return False
    return check == [("ok",)] and about == [(SCHEMA_VERSION, domain.name, domain.version, len(domain.entries))]
