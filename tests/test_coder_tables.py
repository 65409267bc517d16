import io
from dataclasses import replace
from importlib import resources
from pathlib import Path

import numpy as np
import pytest

from models.coder_tables import frequencies, save, train
from protos import coder_tables
from protos.coder_tables import CONTEXTS, ESCAPE, ESCAPE_FREQUENCY_MIN, SYMBOLS, load, tables_of
from protos.feature_spec import ACCEPTED_SPECS, DEFAULT_SPEC, FeatureSpec

each_spec = pytest.mark.parametrize("spec", ACCEPTED_SPECS.values(), ids=lambda spec: str(spec.levels))


def file_of(spec: FeatureSpec) -> bytes:
    return (resources.files("protos") / "tables" / f"context-l{spec.levels}.npz").read_bytes()


def test_tables_that_were_shipped_never_change() -> None:
    # Boards and services out there have them: others are another version, and another codec.
    names = {spec.levels: tables_of(spec).name for spec in ACCEPTED_SPECS.values()}
    assert names == {12: "1-e0e443ec", 10: "1-42b4a4e6", 16: "1-2e735416", 24: "1-9f269b28"}


@each_spec
def test_frequencies_of_every_context_add_up_and_leave_room_for_escapes(spec: FeatureSpec) -> None:
    tables = tables_of(spec)
    assert tables.frequencies.shape == (CONTEXTS, SYMBOLS)
    assert np.all(tables.frequencies.sum(axis=1) == 1 << coder_tables.PRECISION_BITS)
    assert tables.frequencies[:, ESCAPE].min() >= ESCAPE_FREQUENCY_MIN
    assert tables.weights.shape == (2 * spec.bands + 1, spec.bands)


def test_tables_of_another_version_are_refused_naming_both() -> None:
    with np.load(io.BytesIO(file_of(DEFAULT_SPEC))) as file:
        arrays = dict(file) | {"version": np.int64(2)}
    other = io.BytesIO()
    np.savez(other, **arrays)
    with pytest.raises(ValueError, match="context.npz is of version 2, but this codec is of version 1"):
        load(other.getvalue(), DEFAULT_SPEC, "context.npz")


def test_tables_of_another_spec_are_refused_naming_both() -> None:
    other = replace(DEFAULT_SPEC, floor_log10=-6.0)
    with pytest.raises(ValueError, match=f"{DEFAULT_SPEC.fingerprint}, not for {other.fingerprint}"):
        load(file_of(DEFAULT_SPEC), other, "context.npz")
    with pytest.raises(ValueError, match=f"no coder tables are there for features {FeatureSpec(levels=2).fingerprint}"):
        tables_of(FeatureSpec(levels=2))


def test_what_was_never_seen_still_gives_usable_frequencies() -> None:
    seen = np.zeros((CONTEXTS, SYMBOLS))
    seen[7, 3] = 1e9
    rows = frequencies(seen)
    assert np.all(rows.sum(axis=1) == 1 << coder_tables.PRECISION_BITS)
    assert rows.min() >= 0
    assert rows[7, 3] > (1 << coder_tables.PRECISION_BITS) - 2 * ESCAPE_FREQUENCY_MIN


def test_trained_tables_are_saved_and_loaded(tmp_path: Path) -> None:
    walk = np.cumsum(np.random.default_rng(1).integers(-1, 2, (400, DEFAULT_SPEC.bands)), axis=0)
    weights, edges, rows = train(DEFAULT_SPEC, [np.clip(6 + walk, 0, 11).astype(np.int8)])
    save(tmp_path / "context.npz", DEFAULT_SPEC, weights, edges, rows)
    tables = load((tmp_path / "context.npz").read_bytes(), DEFAULT_SPEC, "context.npz")
    np.testing.assert_array_equal(tables.frequencies, rows)
    # A walk is where it was: the band itself weighs most.
    assert np.all(weights[:-1].argmax(axis=0)[3:-3] == 2)
