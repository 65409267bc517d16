"""One utterance as the service has it, and who is told of it."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from protos import speech_pb2
from protos.feature_spec import FeatureSpec, Levels

TIME_MAX_UNIX_US = 253_370_764_800_000_000
"""The year 9999: there is no date behind it."""


@dataclass(slots=True)
class Utterance:
    """What its board says of it, its frames, and when what came; times are monotonic seconds."""

    config: speech_pb2.UtteranceConfig
    spec: FeatureSpec
    clock: Callable[[], float] = time.monotonic
    knows_word: Callable[[str], bool] | None = None
    """Whether the domain that was asked knows a word, in lower case; None: nobody knows."""
    levels: list[Levels] = field(default_factory=list)
    end: speech_pb2.UtteranceEnd | None = None
    final: speech_pb2.Final | None = None
    began_s: float = field(init=False)
    words_s: float | None = None
    """The first words."""
    ended_s: float | None = None
    answered_s: float | None = None

    def __post_init__(self) -> None:
        self.began_s = self.clock()

    def hear(self, levels: Levels) -> None:
        """The next frames came."""
        self.levels.append(levels)

    def show(self) -> None:
        """There are words."""
        if self.words_s is None:
            self.words_s = self.clock()

    def close(self, end: speech_pb2.UtteranceEnd) -> None:
        """Its end came."""
        self.end = end
        self.ended_s = self.clock()

    def answer(self, final: speech_pb2.Final) -> None:
        """It has its final."""
        self.final = final
        self.answered_s = self.clock()

    @property
    def spoken_at_unix_us(self) -> int | None:
        """See below."""
        return spoken_at_unix_us(self.config)

    @property
    def duration_ms(self) -> int:
        return self.spec.frame_ms * sum(len(levels) for levels in self.levels)


def spoken_at_unix_us(config: speech_pb2.UtteranceConfig) -> int | None:
    """When an utterance began, by its board's clock; None where that was not known to be right, or cannot be."""
    known = config.HasField("started_at_unix_us") and config.clock_synchronised
    return config.started_at_unix_us if known and 0 <= config.started_at_unix_us < TIME_MAX_UNIX_US else None


class Onlooker(Protocol):
    """Is told what the service does. Never waits, never raises."""

    def answered(self, utterance: Utterance) -> None:
        """An utterance has its final, decoded here and now."""

    def refused(self, code: str) -> None:
        """A call was refused: a status of gRPC, such as "RESOURCE_EXHAUSTED"."""

    def judged(self, feedback: speech_pb2.FeedbackRequest) -> None:
        """Somebody said something of an answer."""
