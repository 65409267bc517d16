"""Trains the tables of the context coder: recordings in, protos/tables/context-lN.npz out.

    .venv/bin/python -m models.coder_tables --data DIR

Once shipped, tables of a version never change: others are another version, and another codec on the wire.
"""

from collections.abc import Iterable
from pathlib import Path

import click
import numpy as np

from edge.log_mel import log_mel
from models.recordings import stretches
from protos import coder_tables
from protos.coder_tables import (
    CONTEXTS,
    ESCAPE,
    LOWERS,
    ONE,
    SYMBOLS,
    CoderTables,
    Integers,
    Whole,
)
from protos.feature_spec import ACCEPTED_SPECS, FeatureSpec, Levels

SEED = 1
WORDS = 1500
"""With the orders and the copies 1.6 hours."""

BORROWED = 12.0
"""Times that a context's symbols count as seen because contexts that differ in the pair below have seen them."""
RIDGE = 10.0


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
        save(file, spec, *train(spec, map(spec.quantise, frames)))
        print(f"{file}: {file.stat().st_size} bytes, {coder_tables.load(file.read_bytes(), spec, file.name).name}")


def train(spec: FeatureSpec, levels: Iterable[Levels]) -> tuple[Whole, Whole, Integers]:
    """Weights, edges of unrest and frequencies, from stretches of (frames, bands) levels."""
    told = [stretch.astype(np.float64) for stretch in levels if len(stretch)]
    weights = _weights(told, spec.bands)
    blank = CoderTables(
        fingerprint=spec.fingerprint,
        levels=spec.levels,
        weights=coder_tables.spread(weights, spec.bands),
        unrest_edges=np.zeros(coder_tables.UNRESTS - 2),
        frequencies=np.zeros((0, 0), np.uint16),
        starts=np.zeros((0, 0), np.uint16),
        name="",
        **coder_tables.rounding(spec.levels),
    )
    unrests = np.concatenate(
        [blank.unrest(before, *_off(blank, before, that)).ravel() for before, that, _ in map(_past, told)]
    )
    edges = np.rint(np.quantile(unrests[unrests > 0], np.linspace(0, 1, coder_tables.UNRESTS)[1:-1]))
    tables = blank._replace(unrest_edges=edges)
    counts = np.zeros(CONTEXTS * SYMBOLS)
    for stretch in told:
        counts += np.bincount(_seen(tables, stretch), minlength=len(counts))
    return weights, edges, frequencies(counts.reshape(CONTEXTS, SYMBOLS))


def frequencies(counts: Whole) -> Integers:
    """(CONTEXTS, SYMBOLS) of how often each was seen, as the coder wants them."""
    alike = counts.reshape(-1, LOWERS, SYMBOLS).sum(axis=1, keepdims=True) + 0.01
    shares = counts.reshape(-1, LOWERS, SYMBOLS) + BORROWED * alike / alike.sum(axis=2, keepdims=True)
    shares = shares.reshape(CONTEXTS, SYMBOLS)
    slots = 1 << coder_tables.PRECISION_BITS
    wanted = shares / shares.sum(axis=1, keepdims=True) * slots
    # What would be seen less than half a time in all slots is escaped.
    wanted[:, ESCAPE] += np.where(wanted < 0.5, wanted, 0)[:, :ESCAPE].sum(axis=1)
    whole = np.rint(wanted)
    whole[:, ESCAPE] = np.maximum(whole[:, ESCAPE], coder_tables.ESCAPE_FREQUENCY_MIN)
    # What rounding leaves over is borne by the likeliest symbol, or, where that has too little, one each by many.
    over = slots - whole.sum(axis=1, keepdims=True)
    ranks = (-whole[:, :ESCAPE]).argsort(axis=1, kind="stable").argsort(axis=1, kind="stable")
    by_one = whole[:, :ESCAPE].max(axis=1, keepdims=True) > 2 * np.abs(over)
    whole[:, :ESCAPE] += np.where(by_one, (ranks == 0) * over, (ranks < np.abs(over)) * np.sign(over))
    rows: Integers = whole.astype(np.int64)
    return rows


def save(file: Path, spec: FeatureSpec, weights: Whole, edges: Whole, frequencies: Integers) -> None:
    """Writes what coder_tables.load reads."""
    np.savez_compressed(
        file,
        version=np.int64(coder_tables.VERSION),
        fingerprint=np.str_(spec.fingerprint),
        weights=weights.astype(np.int16),
        unrest_edges=edges.astype(np.int32),
        frequencies=frequencies.astype(np.uint16),
    )


def _past(frames: Whole) -> tuple[Whole, Whole, Whole]:
    """The frame before each, the one before that, and the frames."""
    nothing = np.zeros((1, frames.shape[1]))
    before = np.concatenate([nothing, frames[:-1]])
    return before, np.concatenate([nothing, before[:-1]]), frames


def _near(before: Whole, before_that: Whole) -> Whole:
    """What the weights of each band weigh, (bands, near bands + 1, frames)."""
    band = np.arange(before.shape[1])
    steps = [before[:, np.clip(band + step, 0, band[-1])] for step in coder_tables.NEAR]
    steps += [before_that[:, np.clip(band + step, 0, band[-1])] for step in coder_tables.NEAR_BEFORE]
    return np.stack([*steps, np.ones_like(before)], axis=0).transpose(2, 0, 1)


def _weights(told: list[Whole], bands: int) -> Whole:
    """(near bands + 1, bands), least squares, in ONE."""
    size = len(coder_tables.NEAR) + len(coder_tables.NEAR_BEFORE) + 1
    squares, products = np.zeros((bands, size, size)), np.zeros((bands, size))
    for before, before_that, frames in map(_past, told):
        near = _near(before, before_that)
        squares += near @ near.transpose(0, 2, 1)
        products += (near @ frames.T[:, :, np.newaxis])[:, :, 0]
    fitted = np.linalg.solve(squares + RIDGE * np.eye(size), products[:, :, np.newaxis])[:, :, 0]
    rounded: Whole = np.rint(fitted.T * ONE)
    return rounded


def _off(tables: CoderTables, before: Whole, before_that: Whole) -> tuple[Whole, Whole]:
    """The frame before that, and how far off the frame before was."""
    values = tables.values(before[:-1], before_that[:-1])
    off = np.abs(before[1:] * ONE - values)
    return before_that, np.concatenate([np.zeros((1, before.shape[1])), off])


def _seen(tables: CoderTables, frames: Whole) -> Integers:
    """Context and symbol of every pair, as one number each."""
    before, before_that, _ = _past(frames)
    before_that, off = _off(tables, before, before_that)
    foretold = tables.foretell(tables.values(before, before_that), before, before_that, off)
    contexts, symbols, beyond = coder_tables.symbols(foretold, frames.astype(np.int64))
    return (contexts * SYMBOLS + np.where(beyond, ESCAPE, symbols)).ravel()


if __name__ == "__main__":
    main()
