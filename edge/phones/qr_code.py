"""A QR code on a terminal: two rows of modules a line, black on white whatever the terminal's own colours are."""

from collections.abc import Sequence

import segno

BORDER = 4
"""Modules of white around it, as the standard wants."""
_BLACK_ON_WHITE, _AS_BEFORE = "\x1b[38;5;16;48;5;231m", "\x1b[0m"
_HALVES = {(0, 0): " ", (1, 0): "▀", (0, 1): "▄", (1, 1): "█"}


def qr_lines(text: str) -> list[str]:
    """Lines to print. `width` is how many columns they take."""
    rows = modules(text)
    if len(rows) % 2:
        rows.append([0] * len(rows[0]))
    pairs = zip(rows[::2], rows[1::2], strict=True)
    return [_BLACK_ON_WHITE + _line(upper, lower) + _AS_BEFORE for upper, lower in pairs]


def modules(text: str) -> list[list[int]]:
    """Rows of 1, black, and 0, with the border."""
    code = segno.make(text, error="m", micro=False, boost_error=False)
    return [[int(bool(each)) for each in row] for row in code.matrix_iter(border=BORDER)]


def width(text: str) -> int:
    """Columns that the code of this text takes."""
    return len(modules(text))


def _line(upper: Sequence[int], lower: Sequence[int]) -> str:
    return "".join(_HALVES[pair] for pair in zip(upper, lower, strict=True))
