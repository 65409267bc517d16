"""What a board cuts out of one recording."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from edge.sound.source import Block, Samples, rechunk
from edge.speech.hearing import hear
from edge.speech.utterance import UtteranceEnd, UtteranceFrames
from protos.feature_spec import Levels


class Cut(NamedTuple):
    """An utterance."""

    levels: Levels
    samples: Samples
    end: UtteranceEnd


class OneRecording:
    """A source of one recording."""

    name = "recording"

    def __init__(self, samples: Samples) -> None:
        self._samples = samples

    def blocks(self) -> Iterator[Block]:
        yield from map(Block, rechunk([self._samples]))

    def close(self) -> None:
        pass


def longest(samples: Samples) -> Cut | None:
    """The longest utterance in a recording, by the board's gate and segmenter; None where it hears no speech."""
    best: Cut | None = None
    parts: list[UtteranceFrames] = []
    for item in hear(OneRecording(samples)):
        match item:
            case UtteranceFrames():
                parts.append(item)
            case UtteranceEnd():
                levels = np.concatenate([part.levels for part in parts])
                if best is None or len(levels) > len(best.levels):
                    best = Cut(levels, np.concatenate([part.samples for part in parts]), item)
                parts = []
            case _:
                pass
    return best
