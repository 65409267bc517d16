"""How `parrotlet-edge models list` shows what is known. Pure."""

import datetime
from collections.abc import Iterator

from common.plain_text import plain
from edge.models.state import State
from edge.settings import Local

HISTORY_SHOWN = 10


def state_lines(state: State, local: Local) -> Iterator[str]:
    """What answers, what is tried, and what led there."""
    if not local.model:
        yield "The board has no model of its own: local.model is empty."
        return
    yield f"answers  {state.current or f'{local.model}, as it came with the program'}"
    if state.previous is not None:
        yield f"before   {state.previous}"
    if state.candidate is not None:
        how = f"beside the cloud: {state.trial}" if state.is_tested else "not tested yet"
        yield f"tried    {state.candidate}, {how}"
    if not local.updates:
        yield "Nothing is fetched, and the model that came with the program answers: local.updates is false."
    elif state.is_pinned:
        yield "Nothing is fetched, tried or promoted: parrotlet-edge models unpin"
    for line in state.history[-HISTORY_SHOWN:]:
        when = datetime.datetime.fromtimestamp(line.at_unix_us / 1e6)
        yield plain(f"{when:%Y-%m-%d %H:%M}  {line.what} {line.model}: {line.why}".replace(" :", ":"))
