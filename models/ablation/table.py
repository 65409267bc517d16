"""What came of an ablation: each cell beside the base, and what of the difference may be luck."""

from collections.abc import Iterator, Sequence

import msgspec
import numpy as np

from models.ablation.plan import BASE
from models.ablation.trial import Trial
from models.data.clip import Clip
from models.errors.compare import compare
from models.errors.curve import Point
from models.errors.outcome import Outcome, outcome

HEAD = ("clips", "kB", "accuracy (seeds)", "points from base (seeds)", "95 %", "")


class Measured(msgspec.Struct, frozen=True):
    """A cell under one condition; shares of the clips, by seed."""

    accuracies: tuple[float, ...]
    differences: tuple[float, ...]
    """From the base with the same seed; above 0 it is better."""
    low: float
    high: float
    """95 % interval of the mean difference, with other speakers to judge by (paired bootstrap)."""

    @property
    def accuracy(self) -> float:
        """Mean of the seeds."""
        return float(np.mean(self.accuracies))

    @property
    def difference(self) -> float:
        return float(np.mean(self.differences))

    @property
    def is_luck(self) -> bool:
        """Whether other speakers, or another seed, might tell the opposite."""
        return self.low <= 0 <= self.high or min(self.differences) * max(self.differences) <= 0


class Row(msgspec.Struct, frozen=True):
    """A cell."""

    name: str
    clips: int
    """That were learnt from, of the first seed."""
    bytes: int
    """Of the int8 model."""
    models: tuple[str, ...]
    """Folders, by seed."""
    measured: dict[str, Measured]
    """By condition."""


def table(trials: Sequence[Trial], judged: Sequence[Clip]) -> list[Row]:
    """Rows in the order of the plan; the base has no difference from itself."""
    by_cell: dict[str, list[Trial]] = {}
    for trial in trials:
        by_cell.setdefault(trial.cell, []).append(trial)
    base = by_cell[BASE]
    return [
        Row(
            name=name,
            clips=some[0].clips,
            bytes=some[0].bytes,
            models=tuple(str(trial.folder) for trial in some),
            measured={condition: _measured(condition, some, base, judged) for condition in some[0].errors},
        )
        for name, some in by_cell.items()
    ]


def points_of_curve(trials: Sequence[Trial], names: Sequence[str]) -> list[Point]:
    """Of cells that differ in how much of the same they learnt from, as recorded; as `errors --curve` reads them."""
    some = sorted((trial for trial in trials if trial.cell in names), key=lambda trial: trial.clips)
    return [Point(trial.clips, float(np.mean(next(iter(trial.errors.values()))))) for trial in some]


def lines(rows: Sequence[Row]) -> Iterator[str]:
    """Tables for a person, one a condition: accuracies with their spread over seeds, differences in points with theirs
    and with the interval."""
    for condition in rows[0].measured:
        cells = [(condition, *HEAD), *(_row(row, row.measured[condition]) for row in rows)]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        cells.insert(1, tuple("-" * width for width in widths))
        for cell in cells:
            yield f"| {' | '.join(text.ljust(width) for text, width in zip(cell, widths, strict=True))} |"
        yield ""


def _measured(condition: str, some: Sequence[Trial], base: Sequence[Trial], judged: Sequence[Clip]) -> Measured:
    accuracies, references = ([1 - float(np.mean(one.errors[condition])) for one in trials] for trials in (some, base))
    compared = compare(*(_outcomes(condition, trials, judged) for trials in (base, some)))
    return Measured(
        accuracies=tuple(accuracies),
        differences=tuple(one - other for one, other in zip(accuracies, references, strict=True)),
        low=0.0 - compared.difference_high,
        high=0.0 - compared.difference_low,
    )


def _outcomes(condition: str, trials: Sequence[Trial], judged: Sequence[Clip]) -> list[Outcome]:
    """Errors of each clip, as a mean over the seeds."""
    errors = np.mean([trial.errors[condition] for trial in trials], axis=0)
    found = [outcome(clip, truth="", said="", errors=float(wrong)) for clip, wrong in zip(judged, errors, strict=True)]
    # Stretches of one recording are clips of their own.
    return [msgspec.structs.replace(one, path=f"{number} {one.path}") for number, one in enumerate(found)]


def _row(row: Row, measured: Measured) -> tuple[str, ...]:
    accuracy = f"{measured.accuracy:.3f} ({min(measured.accuracies):.3f} to {max(measured.accuracies):.3f})"
    told = (row.name, str(row.clips), f"{row.bytes / 1000:.1f}", accuracy)
    if row.name == BASE:
        return (*told, "", "", "")
    least, most = (100 * extreme(measured.differences) for extreme in (min, max))
    difference = f"{100 * measured.difference:+.1f} ({least:+.1f} to {most:+.1f})"
    interval = f"{100 * measured.low:+.1f} to {100 * measured.high:+.1f}"
    return (*told, difference, interval, "may be luck" if measured.is_luck else "")
