"""How the log of actions is found and shown: `parrotlet-edge actions list`."""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager

from common.plain_text import plain
from common.settings import Loaded
from edge import directories
from edge.actions.action_log import FILE_NAME, ActionLog, Entry
from edge.clock import shown_time
from edge.settings import EdgeSettings


@contextmanager
def logged(loaded: Loaded[EdgeSettings]) -> Iterator[ActionLog | None]:
    """The board's log, whether its daemon runs or not; None where nothing was ever done."""
    file = directories.found(loaded, directories.STATE, FILE_NAME)
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
        f"{shown_time(entry.at_unix_us)}  {plain(entry.name):<{names}}  {entry.sink:<{sinks}}  {entry.state:<8}  "
        f"{'' if entry.took_ms is None else f'{entry.took_ms} ms':>8}  {plain(entry.sentence or '')}".rstrip()
        for entry in entries
    ]
