"""One utterance after the other from a source, heard as the board hears it: its gate, its segmenter, its levels."""

from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import NamedTuple

import numpy as np

from edge.settings import EdgeSettings
from edge.sound.source import BLOCK_MS, Block, Interruption, Samples, Source
from edge.speech.hearing import hear
from edge.speech.level import Meter, Reading
from edge.speech.utterance import UtteranceEnd, UtteranceFrames, UtteranceHead
from edge.speech.vad import open_gate

WAIT_S = 15.0
"""So long it is waited for somebody to begin."""


class Uttered(NamedTuple):
    """What was said, from the pre-roll to the end of the pause after it, as it came from the microphone."""

    samples: Samples
    end: UtteranceEnd


class Nothing(StrEnum):
    """Why there is no utterance."""

    SILENT = "nobody spoke"
    SKIPPED = "it was skipped"
    OVER = "the sound is over"


class Ears:
    """Listens to one source; belongs to one thread."""

    def __init__(
        self,
        source: Source,
        settings: EdgeSettings,
        show: Callable[[Reading], None] = lambda reading: None,
        skips: Callable[[], bool] = lambda: False,
    ) -> None:
        """`show` has a reading each 100 ms; `skips` is asked at each block whether somebody wants to go on."""
        self.name = source.name
        self._blocks = source.blocks()
        self._gate = open_gate(settings.vad)
        self._segmenter = settings.segmenter
        self._show = show
        self._skips = skips

    def utterance(self) -> Uttered | Nothing:
        """The next one. InputError and MicrophoneError of the source go on up."""
        part = _Part(self, self._skips)
        samples: list[Samples] = []
        meter = Meter()

        def on_block(block: Samples, is_speech: bool) -> None:
            self._tell(meter, block, is_speech)

        for one in hear(part, gate=self._gate, segmenter=self._segmenter, on_block=on_block):
            match one:
                case UtteranceHead():
                    part.is_awaited = False
                case UtteranceFrames():
                    samples.append(one.samples)
                case UtteranceEnd() if part.ended is not Nothing.SKIPPED:
                    return Uttered(np.concatenate([np.empty(0, np.int16), *samples]), one)
        return part.ended

    def silence(self, seconds: float) -> tuple[Samples, float] | Nothing:
        """So much of the room, and which share of it the gate takes for speech."""
        part, meter = _Part(self, self._skips), Meter()
        part.is_awaited = False
        samples: list[Samples] = []
        speech_blocks = 0
        for block in part.blocks():
            if isinstance(block, Interruption):
                samples, speech_blocks = [], 0
                continue
            is_speech = self._gate.is_speech(block.samples)
            self._tell(meter, block.samples, is_speech)
            samples.append(block.samples)
            speech_blocks += is_speech
            if len(samples) * BLOCK_MS >= 1000 * seconds:
                return np.concatenate(samples), speech_blocks / len(samples)
        return part.ended

    def next_block(self) -> Block | Interruption | None:
        """None: there is no more."""
        return next(self._blocks, None)

    def _tell(self, meter: Meter, samples: Samples, is_speech: bool) -> None:
        if (reading := meter.push(samples, is_speech)) is not None:
            self._show(reading)


class _Part:
    """A Source: what comes until somebody has spoken, nobody did for long, or wants to go on."""

    def __init__(self, ears: Ears, skips: Callable[[], bool]) -> None:
        self.name = ears.name
        self.is_awaited = True
        """Nobody has begun to speak."""
        self.ended = Nothing.OVER
        self._ears = ears
        self._skips = skips

    def blocks(self) -> Iterator[Block | Interruption]:
        waited_ms = 0
        while (block := self._ears.next_block()) is not None:
            if self._skips():
                self.ended = Nothing.SKIPPED
                return
            yield block
            waited_ms += BLOCK_MS
            if self.is_awaited and waited_ms >= 1000 * WAIT_S:
                self.ended = Nothing.SILENT
                return

    def close(self) -> None:
        """Nobody ends it from elsewhere."""
