"""Figures, the marks that they must reach, and the table of them."""

import sys
from collections.abc import Sequence
from typing import NamedTuple, NoReturn

import numpy as np


class Figure(NamedTuple):
    """A row of the table."""

    name: str
    mark: str
    reached: object
    good: bool


def report(figures: Sequence[Figure]) -> NoReturn:
    """Prints the table; ends the program with 1 if a mark is missed."""
    print("\n| figure | mark | reached | |\n|---|---|---|---|")
    for figure in figures:
        print(f"| {figure.name} | {figure.mark} | {figure.reached} | {'' if figure.good else '**missed**'} |")
    sys.exit(0 if all(figure.good for figure in figures) else 1)


def none(name: str, found: Sequence[object] | int) -> Figure:
    """A figure that must be 0."""
    count = found if isinstance(found, int) else len(found)
    return Figure(name, "0", count, count == 0)


def p50_p95(values: Sequence[float]) -> str:
    """A cell: the median and the 95th percentile."""
    return f"{np.percentile(values, 50):.0f} / {np.percentile(values, 95):.0f}" if values else "-"


def progress(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)
