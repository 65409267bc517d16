"""Counts over days, a part of each in another colour. Pure."""

from collections.abc import Sequence

from cloud.operating.plots.axes import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, Scale, along, down, scale_of, svg
from cloud.operating.plots.line import day_ticks

GAP = 0.25
"""Of a bar's place."""


def bars(title: str, counts: Sequence[int], parts: Sequence[int], days: Sequence[str]) -> str:
    """A bar a day, in order; `parts`: how many of each are of the other colour, which stands below."""
    y, marks = scale_of([0, *counts], HEIGHT - BOTTOM, TOP, least=4)
    place = (WIDTH - RIGHT - LEFT) / max(1, len(counts))
    x = Scale(0, max(1, len(counts)), LEFT, LEFT + place * max(1, len(counts)))
    body = [down(y, marks)]
    for number, (count, part) in enumerate(zip(counts, parts, strict=True)):
        left, width = x.at(number + GAP / 2), round(place * (1 - GAP), 1)
        for kind, low, high in (("is-part", 0, part), ("", part, count)):
            if high > low:
                height = f"{y.at(low) - y.at(high):.1f}"
                shape = f'x="{left}" y="{y.at(high)}" width="{width}" height="{height}"'
                body.append(f'<rect class="bar-of {kind}" {shape}/>')
    body.append(along(x, [(number + 0.5, text) for number, text in day_ticks(days)], HEIGHT - BOTTOM))
    return svg(title, "".join(body))
