"""Plots of two models beside each other."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from models.plot import figure
from models.retraining.judging import Judged

ROW_INCHES, MARGIN_INCHES = 0.34, 1.3
BEFORE, AFTER = "#c8553d", "#1f4e79"


def errors(file: Path, found: Sequence[Judged], before: str) -> None:
    """Error rates of slices, the model `before` and the candidate, a line between them."""
    rows = list(reversed(found))
    with figure(file, x="errors, % of the clips", y="") as axes:
        axes.figure.set_size_inches(8, MARGIN_INCHES + ROW_INCHES * len(rows))
        for place, one in enumerate(rows):
            axes.plot([100 * one.rate_before, 100 * one.rate_after], [place, place], color="#bbbbbb", zorder=1)
        for name, colour, rates in (
            (before, BEFORE, [one.rate_before for one in rows]),
            ("candidate", AFTER, [one.rate_after for one in rows]),
        ):
            axes.plot([100 * rate for rate in rates], range(len(rows)), "o", color=colour, label=name, zorder=2)
        _named(axes, rows)
        axes.set_xlim(left=0)
        axes.legend(loc="best", fontsize="small")


def differences(file: Path, found: Sequence[Judged]) -> None:
    """By how much the candidate errs more, with 95 % intervals; less is better."""
    rows = list(reversed(found))
    with figure(file, x="difference of errors, points of a hundred; left is better", y="") as axes:
        axes.figure.set_size_inches(8, MARGIN_INCHES + ROW_INCHES * len(rows))
        axes.axvline(0, color="black", linewidth=0.8)
        for place, one in enumerate(rows):
            colour = {"better": AFTER, "worse": BEFORE}.get(one.verdict, "#999999")
            axes.plot([100 * one.low, 100 * one.high], [place, place], color=colour, linewidth=1.4)
            axes.plot([100 * one.difference], [place], "o", color=colour)
        _named(axes, rows)


def _named(axes: Any, rows: Sequence[Judged]) -> None:
    axes.set_yticks(range(len(rows)), [f"{one.slice or 'all'} ({one.clips})" for one in rows])
    axes.set_ylim(-0.6, len(rows) - 0.4)
