"""How the error rate falls with what is trained on: a power law (Hestness and others 2017), from models trained on
parts of the data."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np

from common.errors import DataError

EXPONENT_MIN = 0.02
"""A flatter curve says that more of the same does not help."""


class Point(msgspec.Struct, frozen=True):
    """A model that was trained on so many clips."""

    clips: int
    error_rate: float


class LearningCurve(NamedTuple):
    """error rate = factor * clips ** -exponent, between these numbers of clips."""

    factor: float
    exponent: float
    clips_min: int
    clips_max: int

    def clips_for(self, clips: float, error_rate: float, wanted: float) -> float | None:
        """How many clips, of a kind of which there are `clips` and that errs so, would make it err as wanted; None
        where the curve is too flat to say."""
        if self.exponent < EXPONENT_MIN or wanted <= 0:
            return None
        return float(clips * (error_rate / wanted) ** (1 / self.exponent))


def fit(points: Sequence[Point]) -> LearningCurve:
    """Least squares on logarithms. DataError where there are fewer than two sizes."""
    usable = [point for point in points if point.clips > 0 and point.error_rate > 0]
    sizes = sorted({point.clips for point in usable})
    if len(sizes) < 2:
        raise DataError("A learning curve needs models trained on two or more numbers of clips, and that err.")
    clips, rates = (np.log([getattr(point, name) for point in usable]) for name in ("clips", "error_rate"))
    slope, offset = np.polyfit(clips, rates, 1)
    return LearningCurve(float(np.exp(offset)), float(-slope), sizes[0], sizes[-1])


def read_curve(file: Path) -> LearningCurve:
    """Of a file with one JSON object a line: ``{"clips": 1200, "error_rate": 0.12}``."""
    try:
        return fit(_points(file))
    except OSError as error:
        raise DataError(f"{file}: {error.strerror}.") from error
    except (msgspec.DecodeError, UnicodeDecodeError, DataError) as error:
        raise DataError(f"{file}: {str(error).rstrip('.')}.") from error


def refuse_other(file: Path) -> None:
    """DataError where a curve cannot be written, or something else would be written over: a manifest by that name."""
    try:
        _points(file)
    except FileNotFoundError:
        return
    except OSError as error:
        raise DataError(f"{file}: cannot be written: {error.strerror}.") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DataError(f"{file}: is there already, and is no learning curve; give another name.") from error


def _points(file: Path) -> list[Point]:
    return [msgspec.json.decode(line, type=Point) for line in file.read_bytes().splitlines() if line.strip()]


def write_curve(file: Path, points: Sequence[Point]) -> None:
    """As `read_curve` reads it. DataError if it cannot be."""
    try:
        file.write_bytes(b"".join(msgspec.json.encode(point) + b"\n" for point in points))
    except OSError as error:
        raise DataError(f"{file}: cannot be written: {error.strerror}.") from error
