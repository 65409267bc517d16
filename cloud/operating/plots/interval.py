"""A rate with its interval on a line, beside the rate of the rest. Pure."""

from html import escape

from cloud.operating.plots.axes import Scale

WIDTH, HEIGHT = 140, 18


def interval(rate: float, low: float, high: float, rest: float, most: float) -> str:
    """All from 0 to `most`, which is at the right."""
    x, middle = Scale(0.0, max(most, 1e-6), 4, WIDTH - 4), HEIGHT / 2
    told = f"{100 * rate:.1f} %, from {100 * low:.1f} to {100 * high:.1f} %; elsewhere {100 * rest:.1f} %"
    return (
        f'<svg class="interval" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" role="img" '
        f'aria-label="{escape(told)}"><path class="grid" d="M4 {middle}H{WIDTH - 4}"/>'
        f'<path class="rest" d="M{x.at(rest)} 2V{HEIGHT - 2}"/>'
        f'<path class="reach" d="M{x.at(low)} {middle}H{x.at(min(high, most))}"/>'
        f'<circle class="dot" cx="{x.at(rate)}" cy="{middle}" r="4"/></svg>'
    )
