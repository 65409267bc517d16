"""What a person who listened corrected, as the page of `check --html` saves it."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec

from common.errors import DataError
from models.data.clip import Clip
from models.data.manifest import Manifest
from models.labels.fixing import Relabelled, Rewrite

CORRECTED = ("correction",)

Place = tuple[str, int | None, int | None]
"""Of a clip: its path, start_ms and end_ms."""


class Correction(msgspec.Struct, frozen=True, kw_only=True):
    """What a person who listened says of one clip."""

    path: str
    text: str | None = None
    label: str | None = None
    """One of the two: what is said, or its class."""
    before: str | None = None
    """What was corrected; another one there now means that somebody else was faster."""
    start_ms: int | None = None
    end_ms: int | None = None


class Corrections(NamedTuple):
    """All of a file."""

    texts: dict[Place, Correction]
    labels: dict[Place, Correction]


def by_corrections(corrections: Mapping[Place, Correction]) -> Rewrite:
    """What a person decided. DataError where the text is another by now."""

    def rewrite(clip: Clip) -> tuple[str | None, tuple[str, ...]]:
        correction = corrections.get(_place(clip))
        if correction is None or correction.text == clip.text:
            return clip.text, ()
        _refuse_other(clip, "text", clip.text, correction)
        return correction.text, CORRECTED

    return rewrite


def relabelled(corrections: Mapping[Place, Correction], manifest: Manifest) -> dict[int, Relabelled]:
    """By line, the classes that a person decided; none for an empty one. DataError where the class is another by
    now."""
    found = {}
    for line, clip in manifest.entries:
        correction = corrections.get(_place(clip))
        if correction is not None and (label := correction.label or None) != clip.label:
            _refuse_other(clip, "class", clip.label, correction)
            found[line] = Relabelled(label, CORRECTED)
    return found


def _refuse_other(clip: Clip, what: str, now: str | None, correction: Correction) -> None:
    if correction.before is not None and correction.before != now:
        raise DataError(f'{clip.path}: the {what} is "{now}", and was "{correction.before}" when it was corrected.')


def _place(clip: Clip) -> Place:
    return clip.path, clip.start_ms, clip.end_ms


def read_corrections(file: Path, manifest: Manifest) -> Corrections:
    """As the page of `check --html` saves them. DataError for a line that is none, or is of no clip of the manifest."""
    there = {_place(clip) for clip in manifest.clips}
    found = Corrections({}, {})
    try:
        lines = file.read_bytes().splitlines()
    except OSError as error:
        raise DataError(f"{file}: {error.strerror}.") from error
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            correction = msgspec.json.decode(line, type=Correction)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise DataError(f"{file}:{number}: this is no correction: {error}.") from error
        key = (correction.path, correction.start_ms, correction.end_ms)
        if key not in there:
            raise DataError(f"{file}:{number}: {manifest.file} has no clip {correction.path}.")
        if correction.label is not None:
            found.labels[key] = correction
        elif correction.text is not None:
            found.texts[key] = correction
        else:
            raise DataError(f"{file}:{number}: this is no correction: it has neither text nor label.")
    return found
