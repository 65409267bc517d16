"""The gate: is this block speech? Cheap, and asked of every block."""

from collections import deque
from math import inf
from typing import NamedTuple, Protocol

import numpy as np

from edge.sound.source import Samples

MARGIN_POWER = 10 ** (2.4 / 10)
"""What does not stand out of the noise by 2.4 dB is not worth a closer look: 95 of 100 blocks of a quiet room."""

LAG_SAMPLES = 4
"""The power is of differences over 0.25 ms: offset and rumble, which jump about from block to block, fall out."""

SPAN_BLOCKS = 25
SPANS = 6
"""The noise is the quietest block of six spans of half a second: hardly anybody speaks for 3 s without a dip."""

GO_ON_SHARE = 0.63
GO_ON_BLOCKS = 10
"""So much of a probability is enough soon after a block of speech: the ends of words are weak."""

START_BLOCKS = 2
"""So many in a row stand out before the judge is asked: a room's lone block is none of its business."""


class Grounds(NamedTuple):
    """What the last judgement of a gate rests on."""

    stands_out: bool
    """Of the noise."""
    probability: float | None
    """Of speech, as the judge has it; None: it was not asked."""


class Gate(Protocol):
    """Judges blocks in order; may remember what came before."""

    name: str
    """Kind and setting, such as "mel-1-mode-2"; travels with each utterance."""

    @property
    def grounds(self) -> Grounds:
        """Of the last judgement."""

    def is_speech(self, samples: Samples) -> bool:
        """Whether the next 20 ms are speech."""

    def reset(self) -> None:
        """Forgets all it heard: what comes next is another stretch of time."""


class Judge(Protocol):
    """Knows speech from what else is loud. Belongs to one thread."""

    name: str
    start_probability: float
    """What it takes to call a block speech."""
    asked_every_blocks: int
    """An answer is good for so many."""

    def push(self, samples: Samples) -> None:
        """Takes the next block."""

    def probability(self) -> float:
        """That somebody speaks in the block that came last."""

    def forget(self) -> None:
        """What comes next is another stretch of time."""


class NoiseMargin:
    """Whether a block stands out of the noise of the last seconds.

    The noise is a running minimum (Martin 2001, minimum statistics). It is unknown for the first half second and then
    holds nothing back but digital silence: a recording may begin in the middle of a word.
    """

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """What comes next is another stretch of time."""
        self._minima: deque[float] = deque(maxlen=SPANS)
        self._span_minimum, self._span_blocks = inf, 0

    def is_exceeded(self, samples: Samples) -> bool:
        """By the next block."""
        steps = np.subtract(samples[LAG_SAMPLES:], samples[:-LAG_SAMPLES], dtype=np.float32)
        power = float(steps @ steps)
        self._span_minimum = min(self._span_minimum, power)
        noise_power = min(*self._minima, self._span_minimum) if self._minima else 0.0
        self._span_blocks += 1
        if self._span_blocks == SPAN_BLOCKS:
            self._minima.append(self._span_minimum)
            self._span_minimum, self._span_blocks = inf, 0
        return power > noise_power * MARGIN_POWER


class JudgedGate:
    """A judge, asked only of what stands out of the noise."""

    _blocks_above: int
    """In a row that stand out of the noise."""
    _blocks_since_asked: int
    _blocks_since_speech: int
    _probability: float
    """The judge's last answer."""
    _says_speech: bool
    """What it came to."""

    def __init__(self, judge: Judge) -> None:
        self.name = judge.name
        self._judge = judge
        self._noise = NoiseMargin()
        self.reset()

    @property
    def grounds(self) -> Grounds:
        asked = self._blocks_since_asked < self._judge.asked_every_blocks
        return Grounds(self._blocks_above > 0, self._probability if asked else None)

    def is_speech(self, samples: Samples) -> bool:
        self._judge.push(samples)
        self._blocks_since_asked += 1
        self._blocks_since_speech += 1
        self._blocks_above = self._blocks_above + 1 if self._noise.is_exceeded(samples) else 0
        goes_on = self._blocks_since_speech <= GO_ON_BLOCKS
        if self._blocks_above < (1 if goes_on else START_BLOCKS):
            return False
        if self._blocks_since_asked >= self._judge.asked_every_blocks:
            needed = self._judge.start_probability * (GO_ON_SHARE if goes_on else 1)
            self._probability = self._judge.probability()
            self._says_speech = self._probability > needed
            self._blocks_since_asked = 0
        if self._says_speech:
            self._blocks_since_speech = 0
        return self._says_speech

    def reset(self) -> None:
        self._judge.forget()
        self._noise.forget()
        self._blocks_above = 0
        self._blocks_since_asked = self._judge.asked_every_blocks
        self._blocks_since_speech = GO_ON_BLOCKS
        self._probability = 0.0
        self._says_speech = False
