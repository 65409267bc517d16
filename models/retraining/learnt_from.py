"""What a candidate was made from, in the lines that its card carries: counts, days and hashes, and no names, for a card
goes to all boards. Hashes are the first 16 digits of what `sha256sum` says of a file."""

import datetime
import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from common.errors import DataError
from models.importing.told import lines
from models.retraining.given import BASE, Given
from models.retraining.steps import Figures

DIGITS = 16
DIGEST, LABELS_DIGEST = "sha256", "sha256 of labels"
"""Figures of the steps that take in the log, the labels, and the base."""
DAY = slice(10)
"""Of an ISO 8601 time."""


class _At(msgspec.Struct, frozen=True):
    """Of a line of the log, when it was."""

    spoken_at_unix_us: int | None = None
    answered_at: str | None = None

    @property
    def day(self) -> str | None:
        if self.spoken_at_unix_us is not None:
            return datetime.datetime.fromtimestamp(self.spoken_at_unix_us / 1e6, datetime.UTC).isoformat()[DAY]
        return None if self.answered_at is None else self.answered_at[DAY]


def days(log: Path) -> str | None:
    """From when to when a log is; None: it does not say. DataError if it cannot be read."""
    decoder = msgspec.json.Decoder(_At)
    first = last = None
    for _, text in lines(log):
        try:
            day = decoder.decode(text).day
        except (msgspec.DecodeError, UnicodeEncodeError, ValueError, OverflowError, OSError):
            # Whoever reads its utterances says so.
            continue
        if day is not None:
            first, last = min(first or day, day), max(last or day, day)
    return None if first is None else f"{first} to {last}"


def sources(given: Given, figures: Mapping[str, Figures]) -> Iterator[str]:
    """By the figures of the steps that took it in."""
    taken, fixed, divided = figures["import"], figures["fix"], figures["divide"]
    when = f", {taken['days']}" if taken["days"] else ""
    boards = len(taken["by board"])
    yield (
        f"{given.log.name}: {fixed['clips']} utterances of {boards} board{'s' * (boards > 1)}{when}, labelled by "
        f"{len(taken['by transcriber'])}, {taken['drawn']} of them drawn by chance, sha256 {taken[DIGEST]}"
    )
    if given.labels is not None:
        yield f"{given.labels.name}: labels, sha256 {taken[LABELS_DIGEST]}"
    yield f"{given.base.name}: {sum(divided[BASE].values())} clips, sha256 {divided[DIGEST]}"
    served = given.serving_card
    yield f"compared with {served.name} {served.version}, sha256 {served.model_sha256[:DIGITS]}"


def digest(file: Path) -> str:
    """DataError if it cannot be read."""
    try:
        with file.open("rb") as content:
            return hashlib.file_digest(content, "sha256").hexdigest()[:DIGITS]
    except OSError as error:
        raise DataError(f"{file}: {error.strerror}.") from error
