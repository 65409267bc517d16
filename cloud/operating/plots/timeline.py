"""An utterance on one line: what was heard, and until when who waited for what. Pure."""

import math
from collections.abc import Sequence
from html import escape
from typing import NamedTuple

from cloud.operating.plots.axes import LEFT, Scale, svg, ticks

WIDE = 760
RIGHT = 12
ROW = 26
PICTURE = 160
"""Pixels of the spectrogram's height."""
HERTZ = ((0.0, "0"), (1000.0, "1 kHz"), (2000.0, "2"), (4000.0, "4"), (8000.0, "8"))


class Part(NamedTuple):
    """Of an utterance; milliseconds from its first sample."""

    name: str
    begin_ms: float
    end_ms: float
    kind: str
    """Says which colour: "heard", "waited" or "worked"."""


class Moment(NamedTuple):
    """At one time."""

    name: str
    at_ms: float


def timeline(
    title: str, parts: Sequence[Part], moments: Sequence[Moment], *, picture: str | None, heard_ms: float
) -> str:
    """A row a part, below the spectrogram at the address `picture`, which is as long as what was heard."""
    end_ms = max([heard_ms, 1.0, *(part.end_ms for part in parts), *(moment.at_ms for moment in moments)])
    x = Scale(0, end_ms * 1.02, LEFT, WIDE - RIGHT)
    top = PICTURE + 16 if picture is not None else 8
    bottom = top + ROW * len(parts) + (18 if moments else 0)
    body = []
    if picture is not None:
        width = x.at(heard_ms) - LEFT
        body.append(
            f'<image href="{escape(picture)}" x="{LEFT}" y="8" width="{width:.1f}" height="{PICTURE}" '
            'preserveAspectRatio="none"/>'
        )
        body += [
            f'<text class="tick is-end" x="{LEFT - 6}" y="{8 + PICTURE * (1 - _mel(hertz)) + 4:.1f}">{text}</text>'
            for hertz, text in HERTZ
        ]
    for mark in ticks(0, end_ms, 7):
        if mark <= end_ms * 1.02:
            at = x.at(mark)
            body.append(f'<path class="grid" d="M{at} {top}V{bottom}"/>')
            body.append(f'<text class="tick is-middle" x="{at}" y="{bottom + 16}">{mark / 1000:g} s</text>')
    body += [_row(part, top + ROW * number, x) for number, part in enumerate(parts)]
    for moment in moments:
        at = x.at(moment.at_ms)
        place = "is-end" if at > WIDE * 0.7 else ""
        shift = -6 if place else 6
        if picture is not None:
            # Which is as dark whatever is around it.
            body.append(f'<path class="moment is-over" d="M{at} 8V{8 + PICTURE}"/>')
        body.append(f'<path class="moment" d="M{at} {top}V{bottom}"/>')
        body.append(f'<text class="label {place}" x="{at + shift}" y="{bottom - 4}">{escape(moment.name)}</text>')
    return svg(title, "".join(body), width=WIDE, height=round(bottom + 24))


def _row(part: Part, y: float, x: Scale) -> str:
    left, right = x.at(part.begin_ms), x.at(part.end_ms)
    text = f"{part.name}, {part.end_ms - part.begin_ms:.0f} ms"
    if right < WIDE * 0.6:
        place = f'class="label" x="{right + 6}"'
    elif left > WIDE * 0.4:
        place = f'class="label is-end" x="{left - 6}"'
    else:
        place = f'class="label is-over" x="{left + 6}"'
    return (
        f'<rect class="part is-{part.kind}" x="{left}" y="{y + 4}" width="{max(1.5, right - left):.1f}" '
        f'height="{ROW - 8}" rx="3"/><text {place} y="{y + 17.5}">{escape(text)}</text>'
    )


def _mel(hertz: float) -> float:
    """Where a frequency is, of the bands: Slaney's scale (1998), as in protos/feature_spec.py."""
    return _slaney(hertz) / _slaney(8000.0)


def _slaney(hertz: float) -> float:
    return 3 * hertz / 200 if hertz < 1000 else 15 + 27 * math.log(hertz / 1000) / math.log(6.4)
