"""A file that plays in place of a microphone, for demonstrations and tests."""

import time
from collections.abc import Callable, Iterator

from edge.sound.capture import State
from edge.sound.source import Block, Interruption, Source


class Player:
    """Plays another source, which sets the pace; while muted it plays on unheard."""

    rate_hz = None
    overruns = 0
    all_zeros = False

    def __init__(self, source: Source, clock: Callable[[], float] = time.monotonic) -> None:
        self.name = source.name
        self.state = State.OPENING
        self._source = source
        self._clock = clock
        self._fresh_at_s = clock()
        self._muted = False

    def blocks(self) -> Iterator[Block | Interruption]:
        """See Source. Ends when the file does."""
        for block in self._source.blocks():
            self._fresh_at_s = self._clock()
            if not self._muted:
                self.state = State.OPEN
                yield block
            elif self.state is not State.MUTED:
                self.state = State.MUTED
                yield Interruption("muted")
        self.state = State.CLOSED

    def fresh_s(self) -> float:
        """Seconds since the last sound came."""
        return self._clock() - self._fresh_at_s

    def unread_s(self) -> float:
        """It makes sound when it is asked for it."""
        return 0.0

    def mute(self) -> None:
        self._muted = True

    def unmute(self) -> None:
        self._muted = False

    def close(self) -> None:
        self._source.close()
