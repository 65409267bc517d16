"""The live meter of `parrotlet-edge level`: how loud it is here, and what counts as speech."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from edge.console import Console
from edge.sound.source import BLOCK_MS, Block, Samples, Source
from edge.speech.signal_meter import NoiseFloor, dbfs, power_of, to_dbfs
from edge.speech.vad import Gate
from edge.speech.wake import WakeWord

READING_BLOCKS = 5
"""A reading is 100 ms."""
PEAK_READINGS = 30
"""The peak is held for 3 s."""
LINE_READINGS = 10
"""Where nobody looks at a terminal, a line a second is enough."""

BAR_COLUMNS = 40
BAR_DBFS_MIN = -80.0


class Reading(NamedTuple):
    """What the microphone did in the last 100 ms; levels in dBFS."""

    level: float
    peak: float
    """Highest level of the last 3 s."""
    noise_floor: float | None
    """None: not known yet."""
    is_speech: bool
    """The gate called most of it speech."""
    clipped: bool
    """Some of it was at full scale."""
    wake: float | None = None
    """Highest probability of the wake word; None: nobody listens for one."""


class Meter:
    """Makes a reading of each 100 ms of blocks."""

    def __init__(self) -> None:
        self._noise = NoiseFloor()
        self._levels: list[float] = []
        self._gathered: list[Samples] = []
        self._speech_blocks = 0
        self._wake: float | None = None

    def push(self, samples: Samples, is_speech: bool, wake: float | None = None) -> Reading | None:
        """Takes a block, the gate's judgement, and how likely the wake word is where somebody listens for one; the
        reading that it completes."""
        if not is_speech:
            self._noise.push(power_of(samples))
        self._gathered.append(samples)
        self._speech_blocks += is_speech
        if wake is not None:
            self._wake = max(self._wake or 0.0, wake)
        return self._reading() if len(self._gathered) == READING_BLOCKS else None

    def reset(self) -> None:
        """What comes next is another stretch of sound."""
        self._gathered, self._speech_blocks, self._wake = [], 0, None

    def _reading(self) -> Reading:
        samples = np.concatenate(self._gathered)
        self._levels = [*self._levels[1 - PEAK_READINGS :], dbfs(samples)]
        reading = Reading(
            level=self._levels[-1],
            peak=max(self._levels),
            noise_floor=None if self._noise.power is None else to_dbfs(self._noise.power),
            is_speech=self._speech_blocks > READING_BLOCKS // 2,
            clipped=bool(np.abs(samples.astype(np.int32)).max() >= 32767),
            wake=self._wake,
        )
        self.reset()
        return reading


def readings(source: Source, gate: Gate, word: WakeWord | None = None) -> Iterator[Reading]:
    """A reading each 100 ms of sound, until the source ends."""
    made = Meter()
    for block in source.blocks():
        if not isinstance(block, Block):
            made.reset()
            if word is not None:
                word.reset()
            continue
        if word is not None:
            word.hear(block.samples)
        reading = made.push(block.samples, gate.is_speech(block.samples), None if word is None else word.probability)
        if reading is not None:
            yield reading


def show(source: Source, gate: Gate, console: Console, word: WakeWord | None = None) -> None:
    """A meter that moves, or a line a second where there is no terminal."""
    try:
        for number, reading in enumerate(readings(source, gate, word), start=1):
            if console.live:
                console.draw(meter(reading, console))
            elif number % LINE_READINGS == 0:
                console.print(f"{number * READING_BLOCKS * BLOCK_MS // 1000:>4} s  {figures(reading)}")
    finally:
        console.clear()


def meter(reading: Reading, console: Console) -> str:
    """A bar from -80 to 0 dBFS: # the level, : the noise floor, | the peak."""
    room = max(8, min(BAR_COLUMNS, console.width - (52 if reading.wake is None else 63)))
    bar = ["#" if column < _columns(reading.level, room) else " " for column in range(room)]
    if reading.noise_floor is not None:
        bar[max(0, _columns(reading.noise_floor, room) - 1)] = ":"
    bar[max(0, _columns(reading.peak, room) - 1)] = "|"
    shown = "".join(bar)
    return f"[{console.bold(shown) if reading.is_speech else shown}] {figures(reading)}"


def figures(reading: Reading) -> str:
    """The reading in words and numbers, of constant width."""
    floor = "   ?" if reading.noise_floor is None else f"{reading.noise_floor:4.0f}"
    state = "TOO LOUD" if reading.clipped else "speech" if reading.is_speech else "-"
    wake = "" if reading.wake is None else f"  wake {reading.wake:4.2f}"
    return f"{reading.level:4.0f} dBFS  peak {reading.peak:4.0f}  noise {floor}  {state:<8}{wake}"


def _columns(level_dbfs: float, room: int) -> int:
    return round(room * max(0.0, min(1.0, 1 - level_dbfs / BAR_DBFS_MIN)))
