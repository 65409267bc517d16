"""Shares of a few things, before and since. Pure."""

from collections.abc import Sequence
from html import escape
from typing import NamedTuple

from cloud.operating.plots.axes import WIDTH, Scale, svg

ROW = 30
NAME_LENGTH_MAX = 17
FROM, TO = 128, 286


class Share(NamedTuple):
    """0 to 1."""

    name: str
    before: float
    since: float


def shares(title: str, rows: Sequence[Share]) -> str:
    """Two bars each, the pale one before."""
    most = max([0.01, *(max(row.before, row.since) for row in rows)])
    x = Scale(0.0, most, FROM, TO)
    body = []
    for number, row in enumerate(rows):
        top = number * ROW + 4
        name = row.name if len(row.name) <= NAME_LENGTH_MAX else f"{row.name[: NAME_LENGTH_MAX - 1]}…"
        before, since = (f"{x.at(value) - FROM:.1f}" for value in (row.before, row.since))
        told = f"{100 * row.before:.0f} → {100 * row.since:.0f} %"
        body.append(
            f'<text class="label is-end" x="{FROM - 8}" y="{top + 15}">{escape(name)}</text>'
            f'<rect class="bar-of is-before" x="{FROM}" y="{top + 2}" width="{before}" height="7"/>'
            f'<rect class="bar-of" x="{FROM}" y="{top + 10}" width="{since}" height="9"/>'
            f'<text class="tick is-end" x="{WIDTH}" y="{top + 15}">{told}</text>'
        )
    return svg(title, "".join(body), height=ROW * len(rows) + 8)
