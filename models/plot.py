"""Plots for people who would rather look: one look for all of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from common.errors import DataError


@contextmanager
def figure(file: Path, *, x: str, y: str) -> Iterator[Any]:
    """Axes to draw on (of matplotlib); written to an SVG or PNG file when left. DataError if it cannot be."""
    try:
        import matplotlib.pyplot as pyplot
    except ImportError as error:
        raise click.ClickException("matplotlib is not installed: scripts/setup --models, or --bench.") from error
    # The same drawing gives the same file.
    pyplot.rcParams["svg.hashsalt"] = "parrotlet"
    drawing, axes = pyplot.subplots(figsize=(7, 4), layout="constrained")
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.3)
    try:
        yield axes
        _write(drawing, file)
    finally:
        pyplot.close(drawing)


def _write(drawing: Any, file: Path) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        drawing.savefig(file, metadata={"Date": None} if file.suffix == ".svg" else None)
    except OSError as error:
        raise DataError(f"{file}: cannot be written: {error.strerror}.") from error
    except ValueError as error:
        raise DataError(f"{file}: cannot be drawn: end its name in .svg or .png.") from error
