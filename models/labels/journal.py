"""What was changed in a set's labels, a line a change, so that each can be looked at and taken back."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from common.errors import DataError

Span = tuple[int | None, int | None]
"""start_ms and end_ms of a clip."""


class Change(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Of one label."""

    line: int
    """Of the new manifest, from 1."""
    path: str
    """Of the clip, as the new manifest has it."""
    before: str | None
    after: str | None
    by: tuple[str, ...]
    """Policies, conventions, or who corrected it."""
    label_before: str | None = None
    """Both None: the class was left as it was."""
    label_after: str | None = None
    span_before: Span | None = None
    """None: what counts of the sound was left as it was."""
    span_after: Span | None = None


def journal_file(manifest: Path) -> Path:
    """Beside the manifest that it belongs to."""
    return manifest.with_name(f"{manifest.name}.journal")


def write_journal(file: Path, changes: Sequence[Change]) -> None:
    """In whole or not at all. DataError if there is one already."""
    if file.exists():
        raise DataError(f"{file}: is there already.")
    unfinished = file.with_name(f".{file.name}.new")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        unfinished.write_bytes(b"".join(msgspec.json.encode(change) + b"\n" for change in changes))
        unfinished.rename(file)
    except OSError as error:
        raise DataError(f"{file}: cannot be written: {error.strerror}.") from error
    finally:
        # Where it could not be written there may be no folder for it either.
        with suppress(OSError):
            unfinished.unlink()


def read_journal(file: Path) -> list[Change]:
    """DataError, naming the line, if it cannot be read: half of a way back is none."""
    try:
        lines = file.read_bytes().splitlines()
    except OSError as error:
        raise DataError(f"{file}: {error.strerror}.") from error
    changes = []
    for number, line in enumerate(lines, 1):
        try:
            changes.append(msgspec.json.decode(line, type=Change))
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise DataError(f"{file}:{number}: this is no change: {error}.") from error
    return changes
