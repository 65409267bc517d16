"""Templates, filled: whatever comes from outside becomes text."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from cloud.operating.numbers import NBSP, minus, number
from cloud.operating.plots.line import Band, line
from cloud.operating.seams import Series


class Templates:
    """Any thread's."""

    def __init__(self) -> None:
        self._environment = Environment(
            loader=PackageLoader("cloud.operating"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._environment.filters |= {
            "moment": moment,
            "share": share,
            "figure": figure,
            "count": count,
            "seconds": seconds,
            "plotted": plotted,
            "points": points,
        }

    def text(self, name: str, values: Mapping[str, Any]) -> str:
        """A page."""
        return self._environment.get_template(name).render(values)


def moment(unix_us: int | None) -> str:
    """To the second, by the service's clock and zone."""
    return "never" if unix_us is None else f"{datetime.fromtimestamp(unix_us / 1e6):%Y-%m-%d %H:%M:%S}"


def share(value: float | None) -> str:
    """As a percentage."""
    return "–" if value is None else f"{100 * value:.0f}{NBSP}%"


def figure(value: float | None, unit: str = "", digits: int = 1) -> str:
    """With its unit."""
    if value is None:
        return "–"
    return number(value, digits) + (f"{NBSP}{unit}" if unit else "")


def points(share_: float) -> str:
    """A difference of shares, in hundredths, with its sign."""
    return minus(f"{100 * share_:+.1f}")


def count(of: int) -> str:
    """With thousands apart."""
    return f"{of:,}"


def seconds(ms: float | None) -> str:
    """Of milliseconds."""
    return "–" if ms is None else f"{ms / 1000:.2f}{NBSP}s"


def plotted(series: Series) -> Markup:
    """As a picture."""
    band = None if series.usual is None else Band(*series.usual)
    return Markup(line(series.title, series.values, series.days, band=band, least=1.0))
