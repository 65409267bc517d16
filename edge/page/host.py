"""Whoever a phone looks at: a board, or what stands for one where there is none."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from edge.board.control import Command
from edge.page.microphone import Microphones
from edge.page.story import Story
from edge.spool.feedback import Feedback


class Host(Protocol):
    """One of them."""

    name: str
    story: Story
    microphones: Microphones
    commands: Mapping[str, Command]
    """What a phone may ask for, see Board."""

    def examples(self) -> Sequence[str]:
        """What may be said, a few sentences."""

    def give(self, feedback: Feedback) -> None:
        """What a person said of an answer. Never waits."""

    def forget(self, utterance_id: str | None) -> int:
        """Erases an utterance, or everything; of how many something was kept. Waits; ParrotletError."""


class Hosts(Protocol):
    """All of them, in the page's event loop."""

    async def run(self) -> None:
        """As long as the page is served; ends with an error only."""

    def of(self, phone: str) -> AbstractAsyncContextManager[Host]:
        """The one that a phone looks at, as long as it looks. ParrotletError where there is no room."""
