"""What cells are worth, as dots: the mean over seeds with its interval, and each seed by itself."""

from collections.abc import Sequence
from pathlib import Path

from models.ablation.plan import BASE
from models.ablation.table import Row
from models.plot import figure

ROW_INCHES = 0.34
MARGIN_INCHES = 1.4
APART = 0.26
"""Between conditions of one row, in rows."""
COLOURS = ("#1f4e79", "#c8553d", "#7a9e3f", "#8a6fb0", "#6b6b6b")


def plot(rows: Sequence[Row], file: Path) -> None:
    """Differences from the base in points, the worst at the bottom; as SVG or PNG, by the file's ending."""
    first = next(iter(rows[0].measured))
    ordered = sorted((row for row in rows if row.name != BASE), key=lambda row: row.measured[first].difference)
    conditions = list(rows[0].measured)[: len(COLOURS)]
    with figure(file, x="difference of accuracy from the base, points", y="") as axes:
        axes.figure.set_size_inches(8, MARGIN_INCHES + ROW_INCHES * len(ordered) * (1 + APART * (len(conditions) - 1)))
        axes.axvline(0, color="black", linewidth=0.8)
        for number, (condition, colour) in enumerate(zip(conditions, COLOURS, strict=False)):
            beside = APART * ((len(conditions) - 1) / 2 - number)
            for place, row in enumerate(ordered):
                measured = row.measured[condition]
                at = place + beside
                axes.plot([100 * measured.low, 100 * measured.high], [at, at], color=colour, linewidth=1.2, zorder=2)
                seeds = [100 * difference for difference in measured.differences]
                axes.plot(seeds, [at] * len(seeds), "|", color=colour, markersize=7, alpha=0.7, zorder=2)
                inside = "white" if measured.is_luck else colour
                label = condition if place == 0 else None
                dot = {"color": colour, "markerfacecolor": inside, "markersize": 5, "zorder": 3}
                axes.plot([100 * measured.difference], [at], "o", label=label, **dot)
        axes.set_yticks(range(len(ordered)), [row.name for row in ordered])
        axes.set_ylim(-0.6, len(ordered) - 0.4)
        legend = axes.legend(title="filled: more than luck;\nstrokes: seeds; lines: 95 %", loc="best", fontsize="small")
        for handle in legend.legend_handles:
            handle.set_markerfacecolor(handle.get_color())
