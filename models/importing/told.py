"""What a source tells of its recordings, whatever its layout: one value a recording, or what is wrong with a line."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from common.errors import DataError

NOT_TEXT = "this is not UTF-8"

SOUND_SUFFIXES = frozenset(
    {".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff", ".au", ".caf", ".rf64", ".w64"}
)


class Place(NamedTuple):
    """Where it is told."""

    file: Path
    line: int | None = None
    """From 1; None: it is not told in lines."""

    def __str__(self) -> str:
        return str(self.file) if self.line is None else f"{self.file}:{self.line}"


class Told(NamedTuple):
    """A recording. Values are as they stand in the source."""

    place: Place
    path: str
    """Of the sound, absolute or from the folder that the source's paths start from."""
    values: Mapping[str, str]
    """By a clip's field: text, label, speaker, source, split, transcriber, licence, synthetic, start_ms, end_ms."""
    measured: Mapping[str, str] = {}
    slices: Mapping[str, str] = {}


class Fault(NamedTuple):
    """A line that tells of no recording that can be used."""

    place: Place
    sentence: str
    path: str | None = None


def lines(file: Path) -> Iterator[tuple[int, str]]:
    """Lines of a text with their numbers from 1, without their ends; what is not UTF-8 comes as surrogates, see
    `is_text`. DataError if the file cannot be read."""
    try:
        with file.open(encoding="utf-8-sig", errors="surrogateescape", newline="\n") as text:
            for number, line in enumerate(text, 1):
                yield number, line.rstrip("\r\n")
    except OSError as error:
        raise DataError(f"{file}: {error.strerror}.") from error


def is_text(line: str) -> bool:
    """Whether it was UTF-8."""
    try:
        line.encode()
    except UnicodeEncodeError:
        return False
    return True
