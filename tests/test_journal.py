"""How log lines reach the journal."""

import logging
import os
import sys
from pathlib import Path

import pytest

from common.journal import JournalLayout, is_read_by_journal, priority


@pytest.mark.parametrize(
    ("level", "number"),
    [(logging.DEBUG, 7), (logging.INFO, 6), (logging.WARNING, 4), (logging.ERROR, 3), (logging.CRITICAL, 2)],
)
def test_a_level_has_the_priority_of_syslog(level: int, number: int) -> None:
    assert priority(level) == number


def test_each_line_of_a_message_bears_its_priority() -> None:
    try:
        raise ValueError("no")
    except ValueError:
        record = logging.LogRecord("edge", logging.ERROR, "", 0, "it broke", (), sys.exc_info())
    lines = JournalLayout().format(record).splitlines()
    assert (lines[0], lines[-1]) == ("<3>edge: it broke", "<3>ValueError: no")
    assert all(line.startswith("<3>") for line in lines)


def test_only_the_very_stream_that_systemd_opened_is_the_journals(tmp_path: Path) -> None:
    with (tmp_path / "stream").open("wb") as stream, (tmp_path / "other").open("wb") as other:
        status = os.fstat(stream.fileno())
        environment = {"JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino}"}
        assert is_read_by_journal(stream.fileno(), environment)
        assert not is_read_by_journal(other.fileno(), environment)
        assert not is_read_by_journal(stream.fileno(), {})
    assert not is_read_by_journal(987_654, environment)
