"""Trains the tables of the context coder: recordings in, protos/tables/context-lN.npz out.

    .venv/bin/python -m models.tables.coder_tables --data DIR

Once shipped, tables of a version never change: others are another version, and another codec on the wire.
"""

from collections.abc import Iterable
from pathlib import Path

import click
import numpy as np
import numpy.typing as npt

from edge.speech.log_mel import log_mel
from models.tables.recordings import stretches
from protos import coder_tables
from protos.coder_tables import CONTEXTS, ESCAPE, ESCAPE_FREQUENCY, ESCAPE_START, LOWERS, SYMBOLS, Integers
from protos.feature_spec import ACCEPTED_SPECS, FeatureSpec, Levels

SEED = 1
WORDS = 1500
"""With the orders and the copies 1.6 hours."""

BORROWED = 12.0
"""Times that a context's symbols count as seen because contexts that differ in the pair below have seen them."""

Counts = npt.NDArray[np.float64]


@click.command()
@click.option("--data", type=click.Path(exists=True, path_type=Path), required=True, help="Folder of recordings.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("protos/tables"), show_default=True)
@click.option("--words", type=int, default=WORDS, show_default=True, help="One-second words to train with.")
def main(data: Path, out: Path, words: int) -> None:
    """Train the tables of every accepted feature spec."""
    specs = list(ACCEPTED_SPECS.values())
    frames = [log_mel(samples, specs[0]) for samples in stretches(data, words, np.random.default_rng(SEED))]
    out.mkdir(parents=True, exist_ok=True)
    for spec in specs:
        file = out / f"context-l{spec.levels}.npz"
        save(file, spec, train(spec, map(spec.quantise, frames)))
        print(f"{file}: {file.stat().st_size} bytes, {coder_tables.load(file.read_bytes(), spec, file.name).name}")


def train(spec: FeatureSpec, levels: Iterable[Levels]) -> Integers:
    """Frequencies, from stretches of (frames, bands) levels."""
    size = CONTEXTS * SYMBOLS
    counts = np.zeros(size)
    for stretch in levels:
        frames = np.concatenate([np.zeros((1, spec.bands), np.int32), stretch])
        counts += np.bincount(coder_tables.places(frames, spec.levels).ravel(), minlength=size)
    return frequencies(counts.reshape(CONTEXTS, SYMBOLS))


def frequencies(counts: Counts) -> Integers:
    """(CONTEXTS, SYMBOLS) of how often each was seen, as the coder wants them."""
    alike = counts.reshape(-1, LOWERS, SYMBOLS).sum(axis=1, keepdims=True) + 0.01
    shares = counts.reshape(-1, LOWERS, SYMBOLS) + BORROWED * alike / alike.sum(axis=2, keepdims=True)
    shares = shares.reshape(CONTEXTS, SYMBOLS)[:, :ESCAPE]
    wanted = shares / shares.sum(axis=1, keepdims=True) * ESCAPE_START
    # What would be seen less than half a time in all slots is escaped.
    whole = np.rint(wanted)
    # What rounding leaves over is borne by the likeliest symbol, or, where that has too little, one each by many.
    over = ESCAPE_START - whole.sum(axis=1, keepdims=True)
    ranks = (-whole).argsort(axis=1, kind="stable").argsort(axis=1, kind="stable")
    by_one = whole.max(axis=1, keepdims=True) > 2 * np.abs(over)
    whole += np.where(by_one, (ranks == 0) * over, (ranks < np.abs(over)) * np.sign(over))
    return np.concatenate([whole, np.full((CONTEXTS, 1), ESCAPE_FREQUENCY)], axis=1).astype(np.int64)


def save(file: Path, spec: FeatureSpec, frequencies: Integers) -> None:
    """Writes what coder_tables.load reads."""
    np.savez_compressed(
        file,
        version=np.int64(coder_tables.VERSION),
        fingerprint=np.str_(spec.fingerprint),
        frequencies=frequencies.astype(np.uint16),
    )


if __name__ == "__main__":
    main()
