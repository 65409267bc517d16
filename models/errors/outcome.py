"""What a model made of one clip, and all by which such clips may be told apart."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from common.errors import DataError
from models.data.clip import Clip

NOT_TOLD_APART = frozenset({"duration_ms", "peak_dbfs", "rms_dbfs", "clipped_share"})
"""Figures that say what others say better."""


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """Errors out of so many things that could be wrong: one a clip for classes, the words for transcripts."""

    path: str
    errors: Annotated[float, Meta(ge=0)]
    units: Annotated[float, Meta(gt=0)] = 1.0
    truth: str = ""
    said: str = ""
    properties: dict[str, str | float] = {}


def outcome(clip: Clip, *, truth: str, said: str, errors: float, units: float = 1.0) -> Outcome:
    """Of a clip, with all that its manifest says of it."""
    named = {name: getattr(clip, name) for name in ("label", "speaker", "source")}
    properties: dict[str, str | float] = {name: value for name, value in named.items() if value is not None}
    properties["synthetic"] = "yes" if clip.synthetic else "no"
    properties |= {name: value for name, value in clip.measured.items() if name not in NOT_TOLD_APART}
    properties |= clip.slices
    return Outcome(path=clip.path, errors=errors, units=units, truth=truth, said=said, properties=properties)


def read_outcomes(file: Path) -> list[Outcome]:
    """Of a file with one JSON object a line. DataError, naming the line, if one is no outcome."""
    try:
        lines = file.read_bytes().splitlines()
    except OSError as error:
        raise DataError(f"{file}: {error.strerror}.") from error
    decoder = msgspec.json.Decoder(Outcome)
    outcomes = []
    for number, line in enumerate(lines, 1):
        try:
            outcomes.append(decoder.decode(line))
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise DataError(f"{file}:{number}: this is no outcome: {error}.") from error
    if not outcomes:
        raise DataError(f"{file}: holds no outcomes.")
    return outcomes


def write_outcomes(file: Path, outcomes: Iterable[Outcome]) -> None:
    """One JSON object a line. DataError if it cannot be."""
    encoder = msgspec.json.Encoder()
    try:
        file.write_bytes(b"".join(encoder.encode(one) + b"\n" for one in outcomes))
    except OSError as error:
        raise DataError(f"{file}: cannot be written: {error.strerror}.") from error
