"""What plots have in common: a scale, ticks at round numbers, and a title for who does not see. Pure."""

import math
from collections.abc import Iterable, Sequence
from html import escape
from typing import NamedTuple

from cloud.operating.numbers import minus

WIDTH, HEIGHT = 360, 150
LEFT, RIGHT, TOP, BOTTOM = 40, 8, 10, 24

Tick = tuple[float, str]


class Scale(NamedTuple):
    """From values to pixels."""

    low: float
    high: float
    start: float
    """Pixel of `low`."""
    end: float

    def at(self, value: float) -> float:
        """The pixel of a value, to a tenth."""
        share = (value - self.low) / (self.high - self.low)
        return round(self.start + share * (self.end - self.start), 1)


def ticks(low: float, high: float, count: int = 4) -> list[float]:
    """Round numbers, about so many, from one at or below `low` to one at or above `high`."""
    span = max(high - low, 1e-9)
    rough = span / max(1, count - 1)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next((power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= rough), power * 10)
    first = math.floor(low / step + 1e-9)
    last = max(first + 1, math.ceil(high / step - 1e-9))
    return [round(number * step, 10) for number in range(first, last + 1)]


def scale_of(
    values: Iterable[float], start: float, end: float, *, least: float = 1.0, most: float | None = None
) -> tuple[Scale, list[Tick]]:
    """A scale that holds all values and spans `least` at least, with its ticks; none of them is above `most`, where
    there is nothing above it."""
    known = list(values) or [0.0]
    low, high = min(known), max(known)
    if high - low < least:
        middle = (low + high) / 2
        low, high = (0.0, least) if low >= 0 and high <= least else (middle - least / 2, middle + least / 2)
        if most is not None and high > most:
            low, high = most - least, most
    marks = ticks(low, high)
    return Scale(marks[0], marks[-1], start, end), [(mark, minus(f"{mark:g}")) for mark in marks]


def down(scale: Scale, marks: Sequence[Tick], right: float = WIDTH - RIGHT) -> str:
    """Lines across, each with its value at the left."""
    return "".join(
        f'<path class="grid" d="M{LEFT} {scale.at(value)}H{right}"/>'
        f'<text class="tick is-end" x="{LEFT - 6}" y="{scale.at(value) + 4:.1f}">{escape(text)}</text>'
        for value, text in marks
    )


def along(scale: Scale, marks: Sequence[Tick], bottom: float) -> str:
    """Values below."""
    parts = []
    for value, text in marks:
        x = scale.at(value)
        place = " is-end" if x > WIDTH - RIGHT - 16 else "" if x < LEFT + 8 else " is-middle"
        parts.append(f'<text class="tick{place}" x="{x}" y="{bottom + 16}">{escape(text)}</text>')
    return "".join(parts)


def svg(title: str, body: str, *, width: int = WIDTH, height: int = HEIGHT) -> str:
    """The whole picture; `title` says in a sentence what is seen."""
    return f'<svg class="plot" viewBox="0 0 {width} {height}" role="img" aria-label="{escape(title)}">{body}</svg>'
