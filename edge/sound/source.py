"""Where sound comes from: one interface for a microphone, a file and a pipe.

A source delivers 20 ms blocks of 16 kHz mono PCM, whatever it reads, and says where sound is missing.
"""

from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

SAMPLE_RATE_HZ = 16_000
BLOCK_SAMPLES = 320
BLOCK_MS = 20

Samples = npt.NDArray[np.int16]
"""Mono PCM, shape (samples,)."""


class Block(NamedTuple):
    """20 ms of sound."""

    samples: Samples
    """Exactly BLOCK_SAMPLES of them; the last block of a file is filled up with zeros."""
    overruns: int = 0
    """Times that sound was lost since the block before; 0: this block follows on without a hole."""


class Interruption(NamedTuple):
    """No more sound for now: what follows, if anything does, is another stretch of time."""

    cause: Literal["lost", "muted"]


class Source(Protocol):
    """Delivers sound until it ends or `close` is called from any thread."""

    name: str
    """For people: the file as typed, or the device."""

    def blocks(self) -> Iterator[Block | Interruption]:
        """Blocks in order. InputError or MicrophoneError when it cannot go on; what came before is good."""

    def close(self) -> None:
        """Ends `blocks` soon, also while it waits for sound. May be called twice."""


class Cutter:
    """Cuts stretches of any length into whole blocks; what is left over waits for the next stretch."""

    def __init__(self) -> None:
        self._rest: Samples = np.empty(0, np.int16)

    def push(self, stretch: Samples) -> Iterator[Samples]:
        """Whole blocks, each of BLOCK_SAMPLES, that are complete now."""
        sound = np.concatenate((self._rest, stretch)) if self._rest.size else stretch
        whole = sound.size - sound.size % BLOCK_SAMPLES
        self._rest = sound[whole:].copy()
        yield from sound[:whole].reshape(-1, BLOCK_SAMPLES)

    def flush(self) -> Iterator[Samples]:
        """What is left over, filled up with zeros; nothing if nothing is."""
        if self._rest.size:
            yield np.pad(self._rest, (0, BLOCK_SAMPLES - self._rest.size))
            self._rest = self._rest[:0]


def rechunk(stretches: Iterable[Samples]) -> Iterator[Samples]:
    """Blocks of exactly BLOCK_SAMPLES from stretches of any length; the last is filled up with zeros."""
    cutter = Cutter()
    for stretch in stretches:
        yield from cutter.push(stretch)
    yield from cutter.flush()
