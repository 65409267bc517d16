"""What a person sees who runs the daemon on a terminal: the words under way, and each answer."""

import time

from common.plain_text import plain
from edge.asking.answer import Answer
from edge.asking.exchange import Exchange
from edge.asking.timing import TimingMs
from edge.board.board import Board
from edge.board.timers_line import timers_line
from edge.console import Console
from edge.spool.event import Event, Kind

DRAW_S = 0.1


UNTIMED = TimingMs(None, None, None, None, None, None)


class Display:
    """Shows a board's exchanges on a terminal; on anything else, nothing."""

    def __init__(self, console: Console, board: Board) -> None:
        self._console = console
        self._board = board
        self._drawn = ""
        self._response: str | None = None
        """That of the answer that was shown last."""
        self.period_s = DRAW_S if console.terminal else None
        """How often to call `update`; None: there is no need."""

    def update(self) -> None:
        """Shows what has happened since."""
        if not self._console.terminal:
            # Nobody looks: nothing is kept for anybody.
            self._board.unseen.clear()
            return
        while self._board.unseen:
            self._show(self._board.unseen.popleft())
        partials = [exchange.partial for exchange in self._board.awaited()[:1]]
        if partials and partials[0] is not None:
            self._console.draw_partial(partials[0])
            return
        line = "listening …" if self._board.awake else timers_line(self._board.timers())
        if line:
            self._console.draw("  " + self._console.faint(line))
        elif self._drawn:
            self._console.clear()
        self._drawn = line

    def _show(self, seen: Exchange | Event | str) -> None:
        if isinstance(seen, str):
            # Where it said what the domain says, that has been shown.
            if seen != self._response:
                self._console.print("  " + plain(seen) + "\n")
            return
        answer = seen.answer or Answer("none")
        self._response = answer.response
        if isinstance(seen, Event):
            self._console.print_answer(_later(seen), answer, UNTIMED)
        else:
            self._console.print_answer(_heading(seen), answer, seen.timing(realtime=True))


def _later(event: Event) -> str:
    """What came of an utterance of before, such as "10:15:02, answered late"."""
    said = {
        Kind.LATE: "answered late",
        Kind.BETTER: "answered better",
        Kind.EXPIRED: "expired",
        Kind.DROPPED: "dropped",
        Kind.REFUSED: "refused",
    }
    sentence = f": {event.sentence}" if event.sentence else ""
    return f"{_clock(event.spoken_at_unix_us)}, {said.get(event.kind, event.kind)}{sentence}"


def _clock(unix_us: int) -> str:
    return time.strftime("%H:%M:%S", time.localtime(unix_us / 1e6))


def _heading(exchange: Exchange) -> str:
    started = _clock(exchange.head.started_at_unix_us)
    lasted = f", {exchange.end.duration_ms / 1000:.1f} s" if exchange.end else ""
    return started + lasted
