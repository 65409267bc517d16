"""The page of a board's daemon, joined with it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from common.settings import Loaded
from edge.asking.recogniser import Answerer, Recogniser
from edge.board.board import Board
from edge.board.control import Command
from edge.device_id import device_id
from edge.page.microphone import Microphones
from edge.page.page import Page
from edge.page.story import Story
from edge.settings import EdgeSettings
from edge.spool.erasure import Erasure
from edge.spool.feedback import Feedback
from edge.spool.forgetting import forget
from edge.spool.spool import Spool


class BoardHost:
    """A Host, see host.py."""

    def __init__(
        self, loaded: Loaded[EdgeSettings], board: Board, spool: Spool, recogniser: Recogniser, answerer: Answerer
    ) -> None:
        self.name = device_id(loaded.settings.device.id)
        self.story = Story(spool, lambda: _state(board), recogniser.watch)
        self.microphones = Microphones(loaded.settings, answerer, board, self.story)
        self.commands: Mapping[str, Command] = board.commands
        self._loaded = loaded
        self._board = board
        self._spool = spool
        self._recogniser = recogniser
        board.shows(self.story)

    def examples(self) -> Sequence[str]:
        return self._recogniser.examples()

    def give(self, feedback: Feedback) -> None:
        self._spool.give(feedback)

    def forget(self, utterance_id: str | None) -> int:
        erasure = Erasure(utterance_id) if utterance_id is not None else Erasure()
        here = forget(self._loaded, [erasure]).here
        self._board.forget()
        return here


class OneBoard:
    """Hosts, see host.py: all phones look at the same."""

    def __init__(self, host: BoardHost) -> None:
        self._host = host

    async def run(self) -> None:
        await asyncio.gather(self._host.story.run(), self._host.microphones.run())

    @contextlib.asynccontextmanager
    async def of(self, phone: str) -> AsyncIterator[BoardHost]:
        yield self._host


def open_page(
    loaded: Loaded[EdgeSettings], board: Board, spool: Spool, recogniser: Recogniser, answerer: Answerer
) -> Page:
    """Not served yet; `answerer`: the recogniser, with the spool before it. SettingsError, a sentence, where it cannot
    be."""
    return Page(loaded, OneBoard(BoardHost(loaded, board, spool, recogniser, answerer)))


def _state(board: Board) -> dict[str, Any]:
    """What the board does, as the page is told."""
    status = board.status(with_spool=False)
    activation = status["activation"]
    return {
        "doing": board.doing().value,
        "activation": activation["mode"],
        "phrase": activation["phrase"],
        "muted_by": status["microphone"]["muted_by"],
        "sentence": status["ailment"],
        # Seconds, so that it changes no more often.
        "timers": [timer | {"left_s": round(timer["left_s"])} for timer in status["timers"]],
    }
