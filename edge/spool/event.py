"""What a board tells its user about an utterance. Where events are kept they have numbers: nobody misses one."""

from enum import StrEnum

import msgspec

from edge.asking.answer import Answer


class Kind(StrEnum):
    """What became of an utterance. Each has one final in the end; `KEPT` is none yet, `BETTER` and `DONE` come after
    one."""

    FINAL = "final"
    """Answered while the user waited."""
    KEPT = "kept"
    """Nobody could answer; it will be sent."""
    LATE = "late"
    """A final that came later, while the user may still want it."""
    EXPIRED = "expired"
    """A final without an answer: its time is over. It is still sent, for the service to learn from."""
    REFUSED = "refused"
    """A final without an answer: the service will never take it."""
    DROPPED = "dropped"
    """A final without an answer: there was no room to keep it."""
    BETTER = "better"
    """A better answer than the final; shown in its place."""
    DONE = "done"
    """The board has done by itself what was asked for, or could not: the sentence says how it went."""


class Event(msgspec.Struct, frozen=True):
    """One of them."""

    utterance_id: str
    kind: Kind
    at_unix_us: int
    """When it was told, by the board's clock."""
    spoken_at_unix_us: int
    """When the utterance began."""
    answer: Answer | None = None
    sentence: str | None = None
    """Why there is no answer, or no better one."""
    ear: str | None = None
    """Who heard it, as in UtteranceHead."""
    duration_ms: int | None = None
    snr_db: float | None = None
    """As in UtteranceEnd."""
    twin_of: str | None = None
    """An utterance that another ear or board heard of the same words, and that was answered before."""
    heard_best: str | None = None
    """Of twins, the ear with more speech over its noise; "board" for its own microphone. With twin_board also the name
    of another board."""
    twin_board: str | None = None
    """The other board; None where it was an ear of this one."""

    @property
    def is_final(self) -> bool:
        """Exactly one of an utterance's events is."""
        return self.kind not in (Kind.KEPT, Kind.BETTER, Kind.DONE)

    @property
    def may_act(self) -> bool:
        """Whether what the answer asks for may be done: once, and not when nobody waits for it any more."""
        return self.kind in (Kind.FINAL, Kind.LATE) and self.twin_of is None
