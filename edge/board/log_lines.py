"""Log lines on standard error: plain ones for the journal, quiet ones for a person who looks on."""

import logging
import sys
from typing import TextIO

from common.journal import JournalLayout, is_read_by_journal
from edge.console import Console


class _LogLines(logging.StreamHandler[TextIO]):
    """Log lines beside a live line: takes it away before it writes."""

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._console = console

    def emit(self, record: logging.LogRecord) -> None:
        self._console.clear()
        super().emit(record)


class _PersonalLayout(logging.Formatter):
    """Lines for a person who looks on, quieter than the answers."""

    def __init__(self, console: Console) -> None:
        super().__init__("%(asctime)s  %(message)s", "%H:%M:%S")
        self._console = console

    def format(self, record: logging.LogRecord) -> str:
        line = super().format(record)
        return self._console.warning(line) if record.levelno >= logging.WARNING else self._console.faint(line)


def start_logging(level: str, console: Console) -> None:
    """From now on, for the whole program."""
    handler = _LogLines(console)
    if console.terminal and sys.stderr.isatty():
        handler.setFormatter(_PersonalLayout(console))
    elif is_read_by_journal(sys.stderr.fileno()):
        handler.setFormatter(JournalLayout())
    else:
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=level.upper(), handlers=[handler])
