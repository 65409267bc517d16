"""Whether the speaker is done, as far as anybody knows who listens to the words or to the voice.

A pause alone does not say: people stop in the middle of a number and go on at once after a whole order. Whoever
recognises the words is asked at the earlier endpoint, and its opinion makes the hang-over shorter or longer. Where the
words say nothing, or nobody is there who knows them, a voice that fell before a long pause makes it shorter.
"""

from enum import Enum, auto
from typing import NamedTuple

from edge import settings
from edge.sound.source import BLOCK_MS
from edge.speech.prosody import Voice

LONG_PAUSE_BLOCKS = 20
"""When the voice is asked for: most pauses within a sentence are over by then, and many words known."""


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


class HangOvers(NamedTuple):
    """Silence that ends an utterance, in blocks; none is longer or shorter than the owner's bounds."""

    shortest: int
    falling: int
    """After a falling voice."""
    usual: int
    longest: int

    @classmethod
    def within(cls, cut: settings.Segmenter) -> "HangOvers":
        """As the owner set them; a bound on the wrong side of the usual one gives way to it."""
        usual = cut.hang_over_ms // BLOCK_MS
        shortest = min(usual, cut.hang_over_ms_min // BLOCK_MS)
        falling = shortest + (usual - shortest) // 3
        return cls(shortest, falling, usual, max(usual, cut.hang_over_ms_max // BLOCK_MS))

    def after(self, words: Completeness, voice: Voice) -> int:
        """The words know better than the voice, where they say anything."""
        match words, voice:
            case Completeness.COMPLETE, _:
                return self.shortest
            case Completeness.UNFINISHED, _:
                return self.longest
            case _, Voice.FALLING:
                return self.falling
            case _:
                return self.usual

    def asks_voice(self, pause_blocks: int) -> bool:
        """Whether what the voice says of a pause matters by now."""
        return self.falling < self.usual and pause_blocks >= min(self.shortest, LONG_PAUSE_BLOCKS)
