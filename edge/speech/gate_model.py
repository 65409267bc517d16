"""A small network that hears the last 0.8 s and tells how likely somebody speaks in its last block.

It sees log-mel rows, one a block, finer for what is new than for what is old; their mean is taken out, so that how
loud a voice is does not matter. It keeps sound until it is asked, and makes rows only then. Trained by
models/tables/gate.py.
"""

from collections import deque
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from edge.sound.source import BLOCK_SAMPLES, Samples
from edge.speech.log_mel import LogMel, log_mel
from protos.feature_spec import FeatureSpec

Floats = npt.NDArray[np.float32]

SPEC = FeatureSpec(hop_samples=BLOCK_SAMPLES, bands=24, low_hz=80.0)
FLOOR_LOG10 = np.float32(-6.5)
"""Below the noise of any microphone: digital silence is no deeper."""

GROUPS = (1, 1, 1, 1, 2, 2, 3, 4, 5, 8, 12)
"""Blocks that go together, the newest first."""
CONTEXT_BLOCKS = sum(GROUPS)

START_PROBABILITIES = (0.5, 0.8, 0.95, 0.98)
"""What it takes to call a block speech, by aggressiveness."""

ASKED_EVERY_BLOCKS = 3
"""Asked of each block it is three times as dear and hardly better."""

WEIGHTS_FILE = Path(__file__).with_name("gate_model.npz")

OVERLAP_SAMPLES = SPEC.window_samples - BLOCK_SAMPLES
"""A block's row reaches back so far into the block before."""


def _pooling() -> Floats:
    """Means of groups of blocks, (groups, CONTEXT_BLOCKS)."""
    pooling = np.zeros((len(GROUPS), CONTEXT_BLOCKS), np.float32)
    end = CONTEXT_BLOCKS
    for group, count in enumerate(GROUPS):
        pooling[group, end - count : end] = 1 / count
        end -= count
    return pooling


_POOLING = _pooling()


class Layer(NamedTuple):
    """Of a network: x @ weights + bias."""

    weights: Floats
    bias: Floats


class Network(NamedTuple):
    """Layers, the last with one output."""

    version: int
    layers: tuple[Layer, ...]


class GateModel:
    """A Judge: remembers a stretch of sound, and is asked now and then."""

    def __init__(self, aggressiveness: int = 2) -> None:
        """aggressiveness is from 0 (lets most through) to 3."""
        version, self._layers = shipped()
        self.name = f"mel-{version}-mode-{aggressiveness}"
        self.start_probability = START_PROBABILITIES[aggressiveness]
        self.asked_every_blocks = ASKED_EVERY_BLOCKS
        self.forget()

    def forget(self) -> None:
        """What comes next is another stretch of time."""
        self._log_mel = _led_by(np.zeros(OVERLAP_SAMPLES, np.int16))
        self._unread: deque[Samples] = deque(maxlen=CONTEXT_BLOCKS + 1)
        self._context: Floats | None = None

    def push(self, samples: Samples) -> None:
        """Takes the next block."""
        self._unread.append(samples)

    def probability(self) -> float:
        """That somebody speaks in the block that came last."""
        self._context = self._read()
        return float(probabilities(inputs(self._context), self._layers))

    def _read(self) -> Floats:
        """Rows of the last CONTEXT_BLOCKS blocks, (blocks, bands); before the first it was always as it is there."""
        if len(self._unread) > CONTEXT_BLOCKS:
            # Perhaps more came than are kept, and what was read before is over.
            self._log_mel = _led_by(self._unread.popleft())
        new = np.maximum(self._log_mel.push(np.concatenate(self._unread)), FLOOR_LOG10)
        self._unread.clear()
        before = np.repeat(new[:1], CONTEXT_BLOCKS, axis=0) if self._context is None else self._context
        return np.concatenate([before[len(new) :], new])


def rows(samples: Samples) -> Floats:
    """Log-mel of whole blocks, (blocks, bands), as a new GateModel reads them."""
    led = np.concatenate([np.zeros(OVERLAP_SAMPLES, np.int16), samples])
    return np.maximum(log_mel(led, SPEC), FLOOR_LOG10)


def inputs(context: Floats) -> Floats:
    """What the network sees of contexts (…, CONTEXT_BLOCKS, bands): (…, groups * bands)."""
    grouped = _POOLING @ context
    grouped -= np.add.reduce(context, axis=(-2, -1), keepdims=True) / np.float32(CONTEXT_BLOCKS * SPEC.bands)
    return grouped.reshape(*context.shape[:-2], -1)


def probabilities(seen: Floats, layers: tuple[Layer, ...]) -> Floats:
    """Of speech, for inputs (…, groups * bands)."""
    *hidden, last = layers
    for layer in hidden:
        seen = np.maximum(seen @ layer.weights + layer.bias, np.float32(0))
    logits = (seen @ last.weights + last.bias)[..., 0]
    chances: Floats = 1 / (1 + np.exp(-logits))
    return chances


def _led_by(before: Samples) -> LogMel:
    """A stream of rows, one a block, whose first reaches back into the block before."""
    stream = LogMel(SPEC)
    stream.push(before[-OVERLAP_SAMPLES:])
    return stream


def load(file: Path) -> Network:
    """A network as models/tables/gate.py writes it, in half precision."""
    with np.load(file) as numbers:
        layers = tuple(
            Layer(numbers[f"weights{layer}"].astype(np.float32), numbers[f"bias{layer}"].astype(np.float32))
            for layer in range(len(numbers.files) // 2)
        )
        return Network(int(numbers["version"]), layers)


@cache
def shipped() -> Network:
    """The one that the board carries; shared, never written."""
    return load(WEIGHTS_FILE)
