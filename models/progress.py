"""How far long work is, on standard error."""

import sys
import time
from collections.abc import Callable

import click

SHOWN_S, TOLD_S = 0.1, 20.0
"""How often, on a terminal and where nobody looks at one."""


class Progress:
    """Called with lines such as "spoken: 5 of 10": a line that moves, or one now and then; the last is always told."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._live = sys.stderr.isatty()
        self._told_at_s = clock()

    def __call__(self, line: str) -> None:
        so_far, _, total = line.rpartition(" of ")
        last = so_far.endswith(f" {total}")
        due = self._clock() - self._told_at_s >= (SHOWN_S if self._live else TOLD_S)
        if not (last or due):
            return
        self._told_at_s = self._clock()
        click.echo(f"\r{line}" if self._live else line, nl=last or not self._live, err=True)
