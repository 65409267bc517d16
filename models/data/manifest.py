"""A data set is a manifest: one JSON object a line, one line a clip, beside or above the sound it names.

    {"path": "clips/0001.flac", "text": "what's the weather", "speaker": "ann", "split": "train"}

Lines that cannot be read are named and left out, and the rest is used; a manifest is never changed, only written anew.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import msgspec

from common.errors import DataError
from models.data.clip import Clip
from models.finding import Finding, Severity

FINDINGS_MAX = 100_000
"""A file of another kind has a fault a line; nobody reads more of them than that."""


class Entry(NamedTuple):
    """A clip and the number of its line, from 1."""

    line: int
    clip: Clip


class Manifest(NamedTuple):
    """What a manifest says, and what in it says nothing."""

    file: Path
    entries: tuple[Entry, ...]
    findings: tuple[Finding, ...]

    @property
    def folder(self) -> Path:
        """What the paths of the clips start from."""
        return self.file.parent

    @property
    def clips(self) -> list[Clip]:
        return [clip for _, clip in self.entries]

    @property
    def unread(self) -> dict[str, str]:
        """What is wrong with a line, by its place."""
        return {f"{self.file}:{finding.line}": finding.sentence for finding in self.findings}


def read_manifest(file: Path) -> Manifest:
    """All that can be read of it. DataError if that is nothing; bad lines become findings."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise DataError(f"{file}: {error.strerror}.") from error
    decoder = msgspec.json.Decoder(Clip)
    entries: list[Entry] = []
    findings: list[Finding] = []
    seen: dict[tuple[str, int | None, int | None], int] = {}
    for number, line in enumerate(content.splitlines(), 1):
        if not line.strip():
            continue
        try:
            clip = decoder.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            findings.append(_bad_line(number, f"this is no clip: {error}"))
            continue
        if (fault := fault_of(clip)) is not None:
            findings.append(_bad_line(number, fault, clip.path))
            continue
        first = seen.setdefault((clip.path, clip.start_ms, clip.end_ms), number)
        if first != number:
            findings.append(_bad_line(number, f"the same clip as in line {first}", clip.path))
            continue
        entries.append(Entry(number, clip))
    if not entries:
        raise DataError(f"{file}: no line of it is a clip{_first(findings)}.")
    return Manifest(file, tuple(entries), tuple(findings[:FINDINGS_MAX]))


def write_manifest(file: Path, clips: Iterable[Clip]) -> int:
    """Writes a new manifest in whole or not at all; how many clips. DataError if there is a file already."""
    if file.exists():
        raise DataError(f"{file}: is there already; a manifest is never changed, only written anew.")
    written = 0
    unfinished = file.with_name(f".{file.name}.new")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with unfinished.open("wb") as out:
            for line in _lines(clips):
                out.write(line)
                written += 1
        unfinished.rename(file)
    except OSError as error:
        raise DataError(f"{file}: cannot be written: {error.strerror}.") from error
    finally:
        # Where it could not be written there may be no folder for it either.
        with suppress(OSError):
            unfinished.unlink()
    return written


def moved(clips: Iterable[Clip], folder: Path, new_folder: Path) -> Iterator[Clip]:
    """Clips of a manifest in one folder, for a manifest in another."""
    way = os.path.relpath(os.path.realpath(folder), os.path.realpath(new_folder))
    if way == ".":
        yield from clips
        return

    def from_there(path: str) -> str:
        return os.path.normpath(os.path.join(way, path))  # noqa: PTH118 - strings, for speed.

    for clip in clips:
        made_from = None if clip.made_from is None else from_there(clip.made_from)
        yield msgspec.structs.replace(clip, path=from_there(clip.path), made_from=made_from)


def _lines(clips: Iterable[Clip]) -> Iterator[bytes]:
    encoder = msgspec.json.Encoder()
    return (encoder.encode(clip) + b"\n" for clip in clips)


def fault_of(clip: Clip) -> str | None:
    """What makes a clip unusable, whatever it sounds like."""
    if not clip.path or clip.path.endswith("/"):
        return "the path names no file"
    if clip.start_ms is not None and clip.start_ms < 0:
        return f"it starts at {clip.start_ms} ms"
    if clip.end_ms is not None and clip.end_ms <= (clip.start_ms or 0):
        return f"it ends at {clip.end_ms} ms, before it starts"
    return None


def _bad_line(number: int, sentence: str, path: str | None = None) -> Finding:
    return Finding(kind="manifest", severity=Severity.ERROR, line=number, path=path, sentence=f"{sentence}.")


def _first(findings: list[Finding]) -> str:
    return f"; line {findings[0].line}: {findings[0].sentence.rstrip('.')}" if findings else ""
