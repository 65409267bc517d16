"""Templates, filled: whatever comes from outside becomes text."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from cloud.changing.rollout import called
from cloud.operating.numbers import MINUS, NBSP, minus, number


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
            "on_day": on_day,
            "coded": coded,
            "share": share,
            "share_1": share_1,
            "figure": figure,
            "count": count,
            "seconds": seconds,
            "points": points,
            "signed": signed,
            "called": called,
        }

    def text(self, name: str, values: Mapping[str, Any]) -> str:
        """A page."""
        return self._environment.get_template(name).render(values)


def moment(unix_us: int | None) -> str:
    """To the second, by the service's clock and zone."""
    return "never" if unix_us is None else f"{datetime.fromtimestamp(unix_us / 1e6):%Y-%m-%d %H:%M:%S}"


def on_day(unix_us: int) -> str:
    """Its date, by the service's clock and zone, as forms have it."""
    return f"{datetime.fromtimestamp(unix_us / 1e6):%Y-%m-%d}"


def coded(sentence: str) -> Markup:
    """What stands between backticks, set as such."""
    parts = sentence.split("`")
    if len(parts) % 2 == 0:
        return escape(sentence)
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if odd % 2 else part for odd, part in enumerate(parts)
    )


def share(value: float | None) -> str:
    """As a percentage."""
    return "–" if value is None else f"{100 * value:.0f}{NBSP}%"


def share_1(value: float) -> str:
    """As a percentage, to a tenth where it is small."""
    return f"{100 * value:.{0 if value >= 0.0995 else 1}f}{NBSP}%"


def figure(value: float | None, unit: str = "", digits: int = 1) -> str:
    """With its unit."""
    if value is None:
        return "–"
    return number(value, digits) + (f"{NBSP}{unit}" if unit else "")


def points(share_: float) -> str:
    """A difference of shares, in hundredths, with its sign."""
    return minus(f"{100 * share_:+.1f}")


def signed(sentence: str) -> str:
    """A sentence whose negative numbers have a minus and not a hyphen."""
    return re.sub(r"(?<![\w.])-(?=\d)", MINUS, sentence)


def count(of: int) -> str:
    """With thousands apart."""
    return f"{of:,}"


def seconds(ms: float | None) -> str:
    """Of milliseconds."""
    return "–" if ms is None else f"{ms / 1000:.2f}{NBSP}s"
