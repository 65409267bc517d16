"""An utterance's frames, kept until it is decoded, so that any worker can decode it from the start."""

import time
from enum import IntEnum

from protos.feature_spec import Levels


class Rank(IntEnum):
    """Who goes first where an engine has more to do than it can; the lower, the earlier."""

    DECIDES = 0
    """The final waits for this engine."""
    BESIDE = 1
    """Another engine is likely to have the final; this one has the partials."""
    LATER = 2
    """Sent after the fact: nobody waits."""


class Heard:
    """Grows while somebody speaks. At most the longest utterance: 256 kB for 32 s, shared by all engines."""

    def __init__(self, rank: Rank, frame_s: float) -> None:
        self.rank = rank
        self.pieces: list[Levels] = []
        self.frames = 0
        self.ended_at: float | None = None
        """When it was said that there are no more; None: there may be."""
        self.frame_s = frame_s
        self._begun_at = time.monotonic()

    def add(self, levels: Levels) -> None:
        self.pieces.append(levels)
        self.frames += len(levels)

    def spoken_at(self, frame: int) -> float:
        """When that frame was said, if somebody speaks. A file is ahead of that: its frames are said in the future."""
        return self._begun_at + frame * self.frame_s

    @property
    def seconds(self) -> float:
        return self.frames * self.frame_s
