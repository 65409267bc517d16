"""How loud each band of frequencies is, before and since. Pure."""

from collections.abc import Sequence
from html import escape

from cloud.operating.plots.axes import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, Scale, along, down, scale_of, svg

MARKS_HZ = ((250.0, "250 Hz"), (1000.0, "1 kHz"), (4000.0, "4 kHz"))
LEAST_DB = 20.0
ROOM_DB = 4.0
"""For names above and below."""


def spectrum(
    title: str, before: Sequence[float], since: Sequence[float], hertz: Sequence[float], usual: Sequence[float]
) -> str:
    """Decibels of each band, low ones left, as `hertz` has their middles; `usual`: how far single ones are from
    `before` usually."""
    high = [value + reach for value, reach in zip(before, usual, strict=True)]
    low = [value - reach for value, reach in zip(before, usual, strict=True)]
    room = [max(since) + ROOM_DB, min(since) - ROOM_DB]
    y, marks = scale_of([*high, *low, *room], HEIGHT - BOTTOM, TOP, least=LEAST_DB)
    x = Scale(0, len(hertz) - 1, LEFT, WIDTH - RIGHT)
    around = [f"{x.at(place)} {y.at(value)}" for place, value in enumerate(high)]
    around += [f"{x.at(place)} {y.at(low[place])}" for place in range(len(low) - 1, -1, -1)]
    ticks = [(float(min(range(len(hertz)), key=lambda place: abs(hertz[place] - hz))), text) for hz, text in MARKS_HZ]
    loudest = max(range(len(since)), key=lambda place: since[place] - before[place])
    # Where the two are furthest apart there is room for what they are.
    above, below = (since, before) if since[loudest] >= before[loudest] else (before, since)
    names = ("since then", "before") if above is since else ("before", "since then")
    place = "is-end" if loudest > len(hertz) / 2 else ""
    return svg(
        title,
        "".join(
            (
                down(y, marks),
                along(x, ticks, HEIGHT - BOTTOM),
                f'<path class="band" d="M{"L".join(around)}Z"/>',
                f'<path class="line is-before" d="{_path(before, x, y)}"/>',
                f'<path class="line" d="{_path(since, x, y)}"/>',
                f'<text class="label {place}" x="{x.at(loudest)}" y="{max(TOP + 8, y.at(above[loudest]) - 8)}">'
                f"{escape(names[0])}</text>",
                f'<text class="label {place}" x="{x.at(loudest)}" '
                f'y="{min(HEIGHT - BOTTOM - 4, y.at(below[loudest]) + 18)}">{escape(names[1])}</text>',
            )
        ),
    )


def _path(values: Sequence[float], x: Scale, y: Scale) -> str:
    return "M" + "L".join(f"{x.at(place)} {y.at(value)}" for place, value in enumerate(values))
