"""What is built from a domain's folder for the engines: one file a version, never changed afterwards.

Built aside and renamed in whole: whoever has an older one open goes on with it.
"""

import logging
import secrets
from functools import lru_cache
from pathlib import Path

import msgspec

from cloud.pronouncing.phones import Phones
from cloud.understanding.block import Block
from cloud.understanding.network import Network
from cloud.understanding.word_graph import WordGraph
from common.errors import DomainError

logger = logging.getLogger(__name__)

FORMAT = 4
"""Raised with every change of what is in a file; one of another format is built anew."""

OPEN_MAX = 8
"""Bundles that a process keeps in memory: those that are served, and the last versions of some."""


class Bundle(msgspec.Struct, frozen=True):
    """A domain as the engines know it."""

    domain: str
    version: str
    """Of the folder's content."""
    network: Network
    """Its sentences."""
    blocks: tuple[Block, ...]
    """What they mean."""
    open_speech: bool
    """Whether other things are said to it as well, that are to be written down."""
    graph: WordGraph | None
    """Of its commands, for recognisers that know no lists; None: there are none, or too many."""
    pronunciations: dict[str, tuple[str, ...]]
    """Of words that the general dictionary lacks, lower case: phones with spaces between, the likelier first."""
    names: dict[str, tuple[Phones, ...]] = {}
    """Of the catalogue's entries, where they are too many for the network: how each is said, the usual way first."""
    examples: tuple[str, ...] = ()
    """What may be said, a few sentences, for people who do not know yet."""
    phrases: dict[str, Phones] = {}
    """Of a domain that hears open speech, the names of its catalogue's entries as words in lower case with spaces
    between, and the usual way to say each."""

    @property
    def has_commands(self) -> bool:
        return any(block.intent for block in self.blocks)


class _File(msgspec.Struct, frozen=True):
    format: int
    bundle: msgspec.Raw


def bundle_file(directory: Path, domain: str, version: str) -> Path:
    """Where the bundle of that version lies."""
    return directory / f"{domain}-{version}.bundle"


def write_bundle(bundle: Bundle, directory: Path) -> Path:
    """Path of the finished file. DomainError where it cannot be written."""
    path = bundle_file(directory, bundle.domain, bundle.version)
    aside = directory / f".{path.name}.{secrets.token_hex(4)}"
    # The same domain, the same bytes.
    content = msgspec.Raw(msgspec.msgpack.encode(bundle, order="deterministic"))
    try:
        directory.mkdir(parents=True, exist_ok=True)
        try:
            aside.write_bytes(msgspec.msgpack.encode(_File(FORMAT, content)))
            aside.replace(path)
        finally:
            aside.unlink(missing_ok=True)
    except OSError as error:
        raise DomainError(f"{path}: the bundle cannot be written: {error.strerror}.") from error
    logger.info("built %s, %d states", path, len(bundle.network.arcs))
    return path


@lru_cache(OPEN_MAX)
def read_bundle(path: Path) -> Bundle:
    """The bundle in a file. DomainError where there is none, or one of another format."""
    try:
        file = msgspec.msgpack.decode(path.read_bytes(), type=_File)
        if file.format != FORMAT:
            raise DomainError(f"{path}: is a bundle of format {file.format}, and this version reads {FORMAT}.")
        return msgspec.msgpack.decode(file.bundle, type=Bundle)
    except OSError as error:
        raise DomainError(f"{path}: cannot be read: {error.strerror}.") from error
    except msgspec.DecodeError as error:
        raise DomainError(f"{path}: is damaged ({error}); build it again.") from error
