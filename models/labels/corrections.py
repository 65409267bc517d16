"""What a person who listened corrected, as the page of `check --html` saves it."""

from collections.abc import Mapping
from pathlib import Path

import msgspec

from common.errors import DataError
from models.data.clip import Clip
from models.data.manifest import Manifest
from models.labels.fixing import Rewrite

Place = tuple[str, int | None, int | None]
"""Of a clip: its path, start_ms and end_ms."""


class Correction(msgspec.Struct, frozen=True, kw_only=True):
    """What a person who listened says of one clip."""

    path: str
    text: str
    before: str | None = None
    """The text that was corrected; another one there now means that somebody else was faster."""
    start_ms: int | None = None
    end_ms: int | None = None


def by_corrections(corrections: Mapping[Place, Correction]) -> Rewrite:
    """What a person decided. DataError where the text is another by now."""

    def rewrite(clip: Clip) -> tuple[str | None, tuple[str, ...]]:
        correction = corrections.get((clip.path, clip.start_ms, clip.end_ms))
        if correction is None or correction.text == clip.text:
            return clip.text, ()
        if correction.before is not None and correction.before != clip.text:
            raise DataError(
                f'{clip.path}: the text is "{clip.text}", and was "{correction.before}" when it was corrected.'
            )
        return correction.text, ("correction",)

    return rewrite


def read_corrections(file: Path, manifest: Manifest) -> dict[Place, Correction]:
    """As the page of `check --html` saves them. DataError for a line that is none, or is of no clip of the manifest."""
    there = {(clip.path, clip.start_ms, clip.end_ms) for clip in manifest.clips}
    found = {}
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
        found[key] = correction
    return found
