"""What the board does by itself, with what that needs: its timers, its lists, and the sink that is asked for both."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from edge.actions.action import action_of
from edge.actions.lists import FILE_NAME as LISTS_FILE_NAME
from edge.actions.lists import Lists
from edge.actions.own_sink import OwnSink, Reply
from edge.actions.timekeeper import Timekeeper
from edge.actions.timers import FILE_NAME as TIMERS_FILE_NAME
from edge.actions.timers import Timers
from edge.spool.event import Event


class Household:
    """Kept in the board's state directory."""

    def __init__(
        self,
        state: Path,
        boot_id: str,
        *,
        ring: Callable[[], object],
        on_change: Callable[[], object],
        reply: Reply,
        dry_run: bool = False,
    ) -> None:
        """`boot_id` as in Timers, `ring` and `on_change` as in Timekeeper, `reply` as in OwnSink; `dry_run`: nothing is
        done by anybody."""
        self.timekeeper = Timekeeper(Timers(state / TIMERS_FILE_NAME, boot_id), ring, on_change)
        self.lists = Lists(state / LISTS_FILE_NAME)
        self.sink = OwnSink(self.timekeeper, self.lists, reply)
        self._dry_run = dry_run

    def replies(self, event: Event) -> bool:
        """Whether what the event asks for is done here, so that how it went will be told."""
        action = action_of(event, "")
        return action is not None and self.sink.wants(action.name) and not self._dry_run

    def status(self) -> list[dict[str, Any]]:
        """The timers; see Timekeeper."""
        return self.timekeeper.status()
