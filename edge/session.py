"""One run of a board: its clock, its id, and the ids and numbers of its utterances."""

import itertools
import secrets
import uuid

from edge.clock import SYSTEM_CLOCK, Clock


class Session:
    """Outlives its sources: several files of one run have one session, and their utterances are numbered through."""

    def __init__(self, session_id: str | None = None, clock: Clock = SYSTEM_CLOCK, *, ear: str | None = None) -> None:
        """Makes an id of its own where none is given. `ear`: whose microphone it is, where not the board's own."""
        self.id = session_id or str(uuid.uuid4())
        self.ear = ear
        self.clock = clock
        self._numbers = itertools.count()

    def next_number(self) -> int:
        """Position of the next utterance, from 0."""
        return next(self._numbers)


def new_utterance_id(unix_us: int) -> str:
    """A UUID that sorts by time (version 7, RFC 9562). Unique also where the clock stands still or jumps back."""
    unix_ms = unix_us // 1000 & (1 << 48) - 1
    high = unix_ms << 16 | 7 << 12 | secrets.randbits(12)
    low = 0b10 << 62 | secrets.randbits(62)
    return str(uuid.UUID(int=high << 64 | low))
