"""A value over days, with the range that is usual. Pure."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from cloud.operating.plots.axes import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, Scale, Tick, along, down, scale_of, svg


class Band(NamedTuple):
    """The usual range."""

    low: float
    high: float


def line(
    title: str,
    values: Sequence[float | None],
    days: Sequence[str],
    *,
    band: Band | None,
    least: float,
    most: float | None = None,
    changed: int | None = None,
) -> str:
    """A point a day, in order; None: there is none on that day. `least`: the axis spans so much at least. `most`:
    no value can be above it. `changed`: the day on which something did."""
    known = [value for value in values if value is not None]
    y, marks = scale_of([*known, *(band or ())], HEIGHT - BOTTOM, TOP, least=least, most=most)
    x = Scale(0, max(1, len(values) - 1), LEFT, WIDTH - RIGHT)
    parts = [down(y, marks), along(x, day_ticks(days), HEIGHT - BOTTOM)]
    if band is not None:
        top = y.at(band.high)
        size = f'width="{WIDTH - RIGHT - LEFT}" height="{y.at(band.low) - top:.1f}"'
        parts.append(f'<rect class="band" x="{LEFT}" y="{top}" {size}/>')
    if changed is not None:
        parts.append(f'<path class="moment" d="M{x.at(changed)} {TOP}V{HEIGHT - BOTTOM}"/>')
    parts.append(f'<path class="line" d="{_path(values, x, y)}"/>')
    newest = max((number for number, value in enumerate(values) if value is not None), default=None)
    parts += [f'<circle class="dot" cx="{x.at(number)}" cy="{y.at(value)}" r="2"/>' for number, value in _alone(values)]
    if newest is not None:
        parts.append(f'<circle class="dot" cx="{x.at(newest)}" cy="{y.at(values[newest] or 0.0)}" r="3.5"/>')
    return svg(title, "".join(parts))


def day_ticks(days: Sequence[str]) -> list[Tick]:
    """The first day, the last, and one between."""
    wanted = sorted({0, len(days) // 2, len(days) - 1}) if len(days) > 2 else range(len(days))
    return [(number, days[number]) for number in wanted]


def _alone(values: Sequence[float | None]) -> Iterator[tuple[int, float]]:
    """Days between two without any, the newest day of all not among them: a line does not show them."""
    for number, value in list(enumerate(values))[:-1]:
        if value is not None and values[number + 1] is None and (number == 0 or values[number - 1] is None):
            yield number, value


def _path(values: Sequence[float | None], x: Scale, y: Scale) -> str:
    """Broken where a day has no value."""
    parts, is_on = [], False
    for number, value in enumerate(values):
        if value is not None:
            parts.append(f"{'L' if is_on else 'M'}{x.at(number)} {y.at(value)}")
        is_on = value is not None
    return "".join(parts)
