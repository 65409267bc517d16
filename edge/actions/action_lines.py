"""How the log of actions is found and shown: `parrotlet-edge actions list`."""

import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from common.plain_text import plain
from common.settings import Loaded
from edge import directories
from edge.actions.action_log import FILE_NAME, ActionLog, Entry
from edge.settings import EdgeSettings


@contextmanager
def logged(loaded: Loaded[EdgeSettings]) -> Iterator[ActionLog | None]:
    """The board's log, whether its daemon runs or not; None where nothing was ever done."""
    looked = [directory / FILE_NAME for directory in directories.candidates(loaded, directories.STATE)]
    file = next((file for file in looked if _exists(file)), None)
    if file is None:
        yield None
        return
    with closing(ActionLog(file)) as log:
        yield log


def why_none(loaded: Loaded[EdgeSettings]) -> str:
    """A sentence for whoever looks into an empty log."""
    looked = [str(directory / FILE_NAME) for directory in directories.candidates(loaded, directories.STATE)]
    return f"There is no log of actions to read at {' or '.join(looked)}: nothing was done yet, or it needs sudo."


def entry_lines(entries: Sequence[Entry]) -> list[str]:
    """A line an entry."""
    names = max((len(entry.name) for entry in entries), default=0)
    sinks = max((len(entry.sink) for entry in entries), default=0)
    return [
        f"{_time(entry.at_unix_us)}  {plain(entry.name):<{names}}  {entry.sink:<{sinks}}  {entry.state:<8}  "
        f"{'' if entry.took_ms is None else f'{entry.took_ms} ms':>8}  {plain(entry.sentence or '')}".rstrip()
        for entry in entries
    ]


def _exists(file: Path) -> bool:
    try:
        return file.exists()
    except OSError:
        return False


def _time(unix_us: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(unix_us / 1e6))
