"""Whether the speaker is done, as far as anybody knows who listens to the words.

A pause alone does not say: people stop in the middle of a number and go on at once after a whole order. Whoever
recognises the words is asked at the earlier endpoint, and its opinion makes the hang-over shorter or longer.
"""

from enum import Enum, auto
from typing import NamedTuple


class Completeness(Enum):
    """What was said so far, up to a pause."""

    UNKNOWN = auto()
    """It may be whole or not."""
    COMPLETE = auto()
    """A whole sentence: hardly anything is missing."""
    UNFINISHED = auto()
    """The middle of a phrase or a number: more is likely to come."""


class Opinion(NamedTuple):
    """On a pause of an utterance."""

    utterance_id: str
    speech_end_ms: int
    """Where the speech ended before the pause."""
    completeness: Completeness


class Turn:
    """The newest opinion: written in one thread, read in another. An opinion on an earlier pause says nothing."""

    def __init__(self) -> None:
        self._newest: Opinion | None = None

    def tell(self, opinion: Opinion) -> None:
        self._newest = opinion

    def opinion(self, utterance_id: str, speech_end_ms: int) -> Completeness:
        """On just that pause."""
        newest = self._newest
        if newest is None or (newest.utterance_id, newest.speech_end_ms) != (utterance_id, speech_end_ms):
            return Completeness.UNKNOWN
        return newest.completeness
