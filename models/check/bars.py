"""Bars of counts as an SVG of a few lines."""

from collections.abc import Sequence
from html import escape

ROW_PX, NAME_PX, BAR_PX, COUNT_PX = 20, 150, 220, 60
NAME_MAX = 22


def bars(counts: Sequence[tuple[str, int]], whole: int) -> str:
    """A bar a count, as long as its share of the whole, with its name before and the count behind."""
    height = ROW_PX * len(counts)
    rows = []
    for number, (name, count) in enumerate(counts):
        y, width = number * ROW_PX, BAR_PX * count / whole if whole else 0
        shown = name if len(name) <= NAME_MAX else name[: NAME_MAX - 1] + "…"
        rows.append(
            f'<text x="{NAME_PX - 6}" y="{y + 14}" text-anchor="end">{escape(shown)}'
            f"<title>{escape(name)}</title></text>"
            f'<rect x="{NAME_PX}" y="{y + 3}" width="{max(width, 1):.1f}" height="{ROW_PX - 6}"/>'
            f'<text x="{NAME_PX + max(width, 1) + 6:.1f}" y="{y + 14}">{count}</text>'
        )
    width_px = NAME_PX + BAR_PX + COUNT_PX
    return (
        f'<svg width="{width_px}" height="{height}" viewBox="0 0 {width_px} {height}" role="img">{"".join(rows)}</svg>'
    )
