"""What a person sees who runs the daemon on a terminal: the words under way, and each answer."""

import time

from edge.answer import Answer
from edge.board import Board
from edge.console import Console
from edge.exchange import Exchange

DRAW_S = 0.1


class Display:
    """Shows a board's exchanges on a terminal; on anything else, nothing."""

    def __init__(self, console: Console, board: Board) -> None:
        self._console = console
        self._board = board
        self.period_s = DRAW_S if console.terminal else None
        """How often to call `update`; None: there is no need."""

    def update(self) -> None:
        """Shows what has happened since."""
        if not self._console.terminal:
            return
        while self._board.unseen:
            exchange = self._board.unseen.popleft()
            answer = exchange.answer or Answer("none")
            self._console.print_answer(_heading(exchange), answer, exchange.timing(realtime=True))
        for exchange in self._board.awaited()[:1]:
            if exchange.partial is not None:
                self._console.draw_partial(exchange.partial)


def _heading(exchange: Exchange) -> str:
    started = time.strftime("%H:%M:%S", time.localtime(exchange.head.started_at_unix_us / 1e6))
    lasted = f", {exchange.end.duration_ms / 1000:.1f} s" if exchange.end else ""
    return started + lasted
