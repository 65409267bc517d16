"""The board's own small sounds, made of sines: nothing to install, nothing to read from a disk.

A note is a sine with two quieter partials, as a struck bar has, that rises in 6 ms (no click) and dies away. What went
well rises, what did not falls, so that who does not know the sounds guesses them.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from edge.sound.source import Samples

RATE_HZ = 48_000
"""Every sound card takes it."""

PEAK_DBFS = -9.0
"""Of a chime at 0 dB: a loudspeaker beside a bed is near."""

_RISE_S = 0.006
_PARTIALS = ((1.0, 1.0), (2.0, 0.25), (4.0, 0.06))
"""Multiple of the pitch, and how loud."""


class Chime(StrEnum):
    """What is told by a sound."""

    HEARD = "heard"
    """What was said has ended, and its answer takes a moment."""
    UNDERSTOOD = "understood"
    NOT_UNDERSTOOD = "not understood"
    OFFLINE = "offline"
    """Nobody could be asked; what was said is kept."""
    RING = "ring"
    """A timer is over."""


class _Note(NamedTuple):
    at_s: float
    pitch_hz: float
    lasts_s: float


_C5, _E5, _G5, _A5, _C6 = 523.25, 659.26, 783.99, 880.0, 1046.5
_NOTES: dict[Chime, Sequence[_Note]] = {
    Chime.HEARD: (_Note(0.0, _A5, 0.09),),
    Chime.UNDERSTOOD: (_Note(0.0, _G5, 0.12), _Note(0.08, _C6, 0.20)),
    Chime.NOT_UNDERSTOOD: (_Note(0.0, _G5, 0.14), _Note(0.11, _E5, 0.24)),
    Chime.OFFLINE: (_Note(0.0, _E5, 0.12), _Note(0.15, _C5, 0.12), _Note(0.30, _C5, 0.22)),
    Chime.RING: tuple(
        _Note(0.6 * round_ + 0.15 * step, pitch, 0.4) for round_ in (0, 1) for step, pitch in enumerate((_C5, _E5, _G5))
    ),
}


def chime(which: Chime, volume_db: float) -> Samples:
    """The sound, 16 bit at RATE_HZ; `volume_db` is 0 at the loudest."""
    notes = _NOTES[which]
    sound = np.zeros(round(max(note.at_s + note.lasts_s for note in notes) * RATE_HZ))
    for note in notes:
        begin = round(note.at_s * RATE_HZ)
        rung = _rung(note)
        sound[begin : begin + rung.size] += rung[: sound.size - begin]
    peak = 32_767 * 10 ** ((PEAK_DBFS + volume_db) / 20)
    samples: Samples = np.rint(sound * peak / np.abs(sound).max()).astype(np.int16)
    return samples


def _rung(note: _Note) -> npt.NDArray[np.float64]:
    """Its end is silent, so that nothing clicks there either."""
    at_s = np.arange(round(note.lasts_s * RATE_HZ)) / RATE_HZ
    bar = sum(level * np.sin(2 * np.pi * multiple * note.pitch_hz * at_s) for multiple, level in _PARTIALS)
    shape = (
        np.minimum(at_s / _RISE_S, 1.0)
        * np.exp(-5.0 * at_s / note.lasts_s)
        * np.minimum(1.0, (note.lasts_s - at_s) / 0.02)
    )
    rung: npt.NDArray[np.float64] = bar * shape
    return rung
