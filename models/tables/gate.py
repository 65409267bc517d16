"""Trains the gate's network, edge/speech/gate_model.npz.

    .venv/bin/python -m models.tables.gate --data DIR

On the half of the recordings that benchmarks/endpoints.py keeps for tuning, one-second words, rooms, noises, and drawn
sounds that are no speech; about ten minutes of one core. Plain numpy: it is a small network.
"""

from pathlib import Path

import click
import numpy as np
import numpy.typing as npt

from edge.speech import gate_model
from edge.speech.gate_model import CONTEXT_BLOCKS, GROUPS, SPEC, Floats, Layer
from models.speech.minutes import Minute, minutes

VERSION = 1
HIDDEN = (64, 32)
BATCH = 2048
RATE, RATE_END = 2e-3, 5e-5
DECAY = 1e-4
SEED = 7


@click.command()
@click.option("--data", type=click.Path(exists=True, path_type=Path), required=True, help="Folder of recordings.")
@click.option("--minutes", "count", type=int, default=600, show_default=True, help="Of sound to train on.")
@click.option("--epochs", type=int, default=12, show_default=True, help="Times that all of it is seen.")
@click.option("--out", type=click.Path(path_type=Path), default=gate_model.WEIGHTS_FILE, help="File to write.")
def main(data: Path, count: int, epochs: int, out: Path) -> None:
    """Train the network that tells speech from other sounds."""
    draw = np.random.default_rng(SEED)
    seen, labels, weights = (
        np.concatenate(parts) for parts in zip(*map(frames, minutes(data, count, draw)), strict=True)
    )
    print(f"{len(seen)} blocks, {labels.mean():.2f} of them speech", flush=True)
    save(out, train(seen, labels, weights, epochs, draw))


def train(
    seen: npt.NDArray[np.float16],
    labels: Floats,
    weights: Floats,
    epochs: int,
    draw: np.random.Generator,
    batch: int = BATCH,
) -> tuple[Layer, ...]:
    """Layers that tell speech, of inputs (blocks, groups * bands); the last tenth of the blocks only judges them."""
    kept = len(seen) * 9 // 10
    layers = start(draw)
    moments = [[np.zeros_like(part) for part in layer] for layer in layers for _ in range(2)]
    steps = epochs * (kept // batch)
    step = 0
    for epoch in range(epochs):
        order = draw.permutation(kept)
        for some in np.array_split(order, kept // batch):
            step += 1
            rate = RATE_END + (RATE - RATE_END) * 0.5 * (1 + np.cos(np.pi * step / steps))
            slopes = gradient(layers, seen[some].astype(np.float32), labels[some], weights[some])
            layers = adam(layers, slopes, moments, rate, step)
        print(f"epoch {epoch + 1}: {faults(layers, seen[kept:], labels[kept:], weights[kept:])}", flush=True)
    return layers


def frames(minute: Minute) -> tuple[npt.NDArray[np.float16], Floats, Floats]:
    """What the network sees of each block, its label and its weight."""
    rows = gate_model.rows(minute.sound)
    rows = np.concatenate([np.repeat(rows[:1], CONTEXT_BLOCKS - 1, axis=0), rows])
    contexts = np.lib.stride_tricks.sliding_window_view(rows, CONTEXT_BLOCKS, axis=0).swapaxes(1, 2)
    return gate_model.inputs(contexts).astype(np.float16), minute.labels, minute.weights


def start(draw: np.random.Generator) -> tuple[Layer, ...]:
    """A network that knows nothing yet."""
    widths = (len(GROUPS) * SPEC.bands, *HIDDEN, 1)
    return tuple(
        Layer((draw.standard_normal((ins, outs)) * np.sqrt(2 / ins)).astype(np.float32), np.zeros(outs, np.float32))
        for ins, outs in zip(widths, widths[1:], strict=False)
    )


def gradient(layers: tuple[Layer, ...], seen: Floats, labels: Floats, weights: Floats) -> list[Layer]:
    """Of the weighted cross-entropy, by back-propagation."""
    values = [seen]
    for layer in layers[:-1]:
        values.append(np.maximum(values[-1] @ layer.weights + layer.bias, np.float32(0)))
    chances = gate_model.probabilities(seen, layers)
    error = ((chances - labels) * weights / max(1.0, float(weights.sum())))[:, np.newaxis]
    slopes = []
    for layer, value in zip(reversed(layers), reversed(values), strict=True):
        slopes.append(Layer(value.T @ error, error.sum(axis=0)))
        error = (error @ layer.weights.T) * (value > 0)
    return slopes[::-1]


def adam(
    layers: tuple[Layer, ...], slopes: list[Layer], moments: list[list[Floats]], rate: float, step: int
) -> tuple[Layer, ...]:
    """One step of Adam (Kingma and Ba 2015) with decay of the weights."""
    moved = []
    for number, (layer, slope) in enumerate(zip(layers, slopes, strict=True)):
        parts = []
        for part, (value, change) in enumerate(zip(layer, slope, strict=True)):
            first, second = moments[2 * number][part], moments[2 * number + 1][part]
            first += 0.1 * (change - first)
            second += 0.001 * (change**2 - second)
            size = (first / (1 - 0.9**step)) / (np.sqrt(second / (1 - 0.999**step)) + 1e-8)
            parts.append((value - rate * (size + DECAY * value)).astype(np.float32))
        moved.append(Layer(*parts))
    return tuple(moved)


def faults(layers: tuple[Layer, ...], seen: npt.NDArray[np.float16], labels: Floats, weights: Floats) -> str:
    """Speech missed and silence taken for speech, of blocks that were not trained on."""
    heard = gate_model.probabilities(seen.astype(np.float32), layers) > 0.5
    speech, silence = (labels > 0.5) & (weights > 0), (labels < 0.5) & (weights > 0)
    missed, false = np.count_nonzero(speech & ~heard), np.count_nonzero(silence & heard)
    return f"missed {missed / max(1, speech.sum()):.3f}, false {false / max(1, silence.sum()):.3f}"


def save(file: Path, layers: tuple[Layer, ...]) -> None:
    """Half precision is enough: no judgement changes."""
    numbers = {
        f"{name}{number}": part.astype(np.float16)
        for number, layer in enumerate(layers)
        for name, part in layer._asdict().items()
    }
    np.savez_compressed(file, version=np.int32(VERSION), **numbers)


if __name__ == "__main__":
    main()
