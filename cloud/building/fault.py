"""What is wrong with a domain's folder, and what could be better: where it stands, and what to do."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from common.errors import DomainError

KEPT_MAX = 500
"""Of each kind; those behind are counted. A file may be broken in every line."""

ALIKE_MAX = 20
"""Warnings of one kind."""

TOLD_MAX = 20
"""That a service tells, which cannot start for them."""

QUOTED_MAX = 60

_TOLD = re.compile(r"(.*?):(\d+): (.*)")


class Fault(NamedTuple):
    """One of them, or a warning."""

    file: Path
    line: int | None
    """From 1; None: the whole file."""
    sentence: str

    def __str__(self) -> str:
        where = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{where}: {self.sentence}"


class Faults:
    """All that was found, in the order in which it was found."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self.warnings: list[Fault] = []
        self.left_out = 0
        """Faults beyond KEPT_MAX."""
        self.warnings_left_out = 0

    @property
    def count(self) -> int:
        """Of all faults, those among them that were left out."""
        return len(self.faults) + self.left_out

    def fault(self, file: Path, line: int | None, sentence: str) -> None:
        """Something for which the domain cannot be used."""
        if len(self.faults) < KEPT_MAX:
            self.faults.append(Fault(file, line, sentence))
        else:
            self.left_out += 1

    def warn(self, file: Path, line: int | None, sentence: str) -> None:
        """Something that would make it better."""
        if len(self.warnings) < KEPT_MAX:
            self.warnings.append(Fault(file, line, sentence))
        else:
            self.warnings_left_out += 1

    def warn_many(self, file: Path, found: Iterable[tuple[int | None, str]]) -> None:
        """Warnings of one kind, lines and sentences: the first are told, the others counted."""
        told = list(found)
        for line, sentence in told[:ALIKE_MAX]:
            self.warn(file, line, sentence)
        if (more := len(told) - ALIKE_MAX) > 0:
            self.warn(file, told[ALIKE_MAX][0], f"the same is to be said of {more:,} more, from this line on.")

    def take(self, error: DomainError, file: Path) -> None:
        """Faults of a file that somebody else found: a sentence a line, FILE:LINE: before it."""
        for told in str(error).split("\n"):
            match = _TOLD.fullmatch(told)
            if match and match[1] == str(file):
                self.fault(file, int(match[2]), match[3])
            else:
                self.fault(file, None, told.removeprefix(f"{file}: "))

    def raise_any(self) -> None:
        """DomainError of the first faults, a sentence a line, if there are any."""
        if not self.faults:
            return
        more = self.count - TOLD_MAX
        told = [*map(str, in_order(self.faults)[:TOLD_MAX]), *([f"... and {more} more."] if more > 0 else [])]
        raise DomainError("\n".join(told))


def in_order(faults: Iterable[Fault]) -> list[Fault]:
    """By file and line, each once."""
    return sorted(dict.fromkeys(faults), key=lambda fault: (str(fault.file), fault.line or 0))


def quoted(text: str) -> str:
    """In quotation marks, short, and without what a terminal would obey."""
    shown = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text[: QUOTED_MAX + 1])
    return f'"{shown}"' if len(text) <= QUOTED_MAX else f'"{shown[:QUOTED_MAX]}…"'
