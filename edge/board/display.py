"""What a person sees who runs the daemon on a terminal: the words under way, and each answer."""

import time

from edge.asking.answer import Answer
from edge.asking.exchange import Exchange
from edge.asking.timing import TimingMs
from edge.board.board import Board
from edge.console import Console
from edge.spool.event import Event, Kind

DRAW_S = 0.1


UNTIMED = TimingMs(None, None, None, None, None, None)


class Display:
    """Shows a board's exchanges on a terminal; on anything else, nothing."""

    def __init__(self, console: Console, board: Board) -> None:
        self._console = console
        self._board = board
        self._shows_awake = False
        self.period_s = DRAW_S if console.terminal else None
        """How often to call `update`; None: there is no need."""

    def update(self) -> None:
        """Shows what has happened since."""
        if not self._console.terminal:
            # Nobody looks: nothing is kept for anybody.
            self._board.unseen.clear()
            return
        while self._board.unseen:
            seen = self._board.unseen.popleft()
            if isinstance(seen, Event):
                self._console.print_answer(_later(seen), seen.answer or Answer("none"), UNTIMED)
            else:
                timing = seen.timing(realtime=True)
                self._console.print_answer(_heading(seen), seen.answer or Answer("none"), timing)
        partials = [exchange.partial for exchange in self._board.awaited()[:1]]
        if partials and partials[0] is not None:
            self._console.draw_partial(partials[0])
        elif self._board.awake:
            self._console.draw("  " + self._console.faint("listening …"))
        elif self._shows_awake:
            self._console.clear()
        self._shows_awake = self._board.awake


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
