"""Log lines for systemd's journal: each with its priority, and without the time, which the journal knows."""

import logging
import os
from collections.abc import Mapping

_PRIORITIES = ((logging.CRITICAL, 2), (logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6))
"""As syslog has them; see sd-daemon(3)."""


class JournalLayout(logging.Formatter):
    """`<4>edge.spool.spool: …`: the journal takes the number away, and `journalctl --priority` finds the line by it."""

    def __init__(self) -> None:
        super().__init__("%(name)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        prefix = f"<{priority(record.levelno)}>"
        return "\n".join(prefix + line for line in super().format(record).splitlines() or [""])


def priority(level: int) -> int:
    """Of a level of Python's."""
    return next((number for least, number in _PRIORITIES if level >= least), 7)


def is_read_by_journal(descriptor: int, environment: Mapping[str, str] = os.environ) -> bool:
    """Whether what is written there goes to the journal: a child's pipe or a shell's file does not."""
    try:
        status = os.fstat(descriptor)
    except OSError:
        return False
    return environment.get("JOURNAL_STREAM") == f"{status.st_dev}:{status.st_ino}"
