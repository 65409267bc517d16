"""A page of figures and plots that needs nothing but itself."""

import re
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path

from common.errors import DataError
from models.check.page_parts import STYLE

TABLE_STYLE = """
table { border-collapse: collapse; margin: .8rem 0 } th, td { padding: .2rem .8rem .2rem 0; text-align: left;
  border-bottom: 1px solid var(--line); vertical-align: top } td.number { text-align: right;
  font-variant-numeric: tabular-nums } figure { margin: 1rem 0 } .plot { background: white; padding: .4rem;
  border-radius: .4rem; max-width: 46rem } code { overflow-wrap: anywhere } .lead { font-size: 1.15rem }
.better { color: #1a7f37; font-weight: 600 } .worse { color: var(--bad); font-weight: 600 }
"""


def page(title: str, parts: Sequence[str]) -> str:
    """All of it."""
    head = (
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        # Nothing from elsewhere, whatever a label says.
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>{escape(title)}</title><style>{STYLE}{TABLE_STYLE}</style><h1>{escape(title)}</h1>"
    )
    return "\n".join([head, *parts, "</html>\n"])


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Numbers stand to the right; a cell may be a verdict, which has a colour."""
    lines = ["<table><tr>" + "".join(f"<th>{escape(name)}</th>" for name in head) + "</tr>"]
    lines += ["<tr>" + "".join(map(_cell, row)) + "</tr>" for row in rows]
    return "\n".join([*lines, "</table>"])


def _cell(value: object) -> str:
    text = str(value)
    kind = "number" if re.fullmatch(r"[-+]?[\d.,]+( %)?", text) else text if text in ("better", "worse") else ""
    return f'<td class="{kind}">{escape(text)}</td>' if kind else f"<td>{escape(text)}</td>"


def told(pairs: Sequence[tuple[str, object]]) -> str:
    """A table of names and values; nothing of none."""
    return "<table>" + "".join(f"<tr><th>{escape(name)}</th>{_cell(value)}</tr>" for name, value in pairs) + "</table>"


def plot(file: Path, caption: str) -> str:
    """An SVG within the page. DataError if it cannot be read."""
    try:
        drawn = file.read_text(encoding="utf-8")
    except OSError as error:
        raise DataError(f"{file}: {error.strerror}.") from error
    # Names of one drawing are not to be those of another.
    prefix = re.sub(r"\W", "-", file.stem)
    drawn = re.sub(r'(id="|#)(\w+)', rf"\g<1>{prefix}-\g<2>", drawn[drawn.index("<svg") :])
    drawn = re.sub(r'(fill|stroke|stop-color)(: ?|=")#' + prefix + "-", r"\1\2#", drawn)
    return f'<figure><figcaption>{escape(caption)}</figcaption><div class="plot">{drawn}</div></figure>'


def section(title: str, *parts: str) -> Iterator[str]:
    """With its heading."""
    yield f"<h2>{escape(title)}</h2>"
    yield from parts


def paragraph(text: str, kind: str = "") -> str:
    """Of plain text."""
    return f'<p class="{kind}">{escape(text)}</p>' if kind else f"<p>{escape(text)}</p>"
