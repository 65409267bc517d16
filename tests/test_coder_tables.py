import io
from dataclasses import replace
from importlib import resources
from pathlib import Path

import numpy as np
import pytest

from models.tables.coder_tables import frequencies, save, train
from protos import coder_tables
from protos.coder_tables import (
    CONTEXTS,
    DIFFERENCES,
    ESCAPE,
    ESCAPE_FREQUENCY,
    LOWERS,
    NO_LOWER,
    ONE,
    SIDE,
    SLOTS,
    SYMBOLS,
    load,
    tables_of,
)
from protos.feature_spec import ACCEPTED_SPECS, DEFAULT_SPEC, FeatureSpec

each_spec = pytest.mark.parametrize("spec", ACCEPTED_SPECS.values(), ids=lambda spec: str(spec.levels))


def file_of(spec: FeatureSpec) -> bytes:
    return (resources.files("protos") / "tables" / f"context-l{spec.levels}.npz").read_bytes()


def test_tables_that_were_shipped_never_change() -> None:
    # Boards and services out there have them: others are another version, and another codec.
    names = {spec.levels: tables_of(spec).name for spec in ACCEPTED_SPECS.values()}
    assert names == {12: "2-748b7594", 10: "2-f6b8b03d", 16: "2-16cd1344", 24: "2-b6025a9c"}


@each_spec
def test_frequencies_of_every_context_add_up_and_leave_room_for_escapes(spec: FeatureSpec) -> None:
    tables = tables_of(spec)
    assert tables.frequencies.shape == (CONTEXTS, SYMBOLS)
    assert np.all(tables.frequencies.sum(axis=1) == SLOTS)
    assert np.all(tables.frequencies[:, ESCAPE] == ESCAPE_FREQUENCY)
    assert tables.frequencies.min() >= 0


def test_tables_of_another_version_are_refused_naming_both() -> None:
    with np.load(io.BytesIO(file_of(DEFAULT_SPEC))) as file:
        arrays = dict(file) | {"version": np.int64(1)}
    other = io.BytesIO()
    np.savez(other, **arrays)
    with pytest.raises(ValueError, match="context.npz is of version 1, but this codec is of version 2"):
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
    assert np.all(rows.sum(axis=1) == SLOTS)
    assert np.all(rows[:, ESCAPE] == ESCAPE_FREQUENCY)
    assert rows.min() >= 0
    assert rows[7, 3] > SLOTS - 2 * ESCAPE_FREQUENCY


def test_trained_tables_are_saved_and_loaded(tmp_path: Path) -> None:
    walk = np.cumsum(np.random.default_rng(1).integers(-1, 2, (400, DEFAULT_SPEC.bands)), axis=0)
    rows = train(DEFAULT_SPEC, [np.clip(6 + walk, 0, 11).astype(np.int8)])
    save(tmp_path / "context.npz", DEFAULT_SPEC, rows)
    tables = load((tmp_path / "context.npz").read_bytes(), DEFAULT_SPEC, "context.npz")
    np.testing.assert_array_equal(tables.frequencies, rows)
    # A walk goes a step at most.
    as_foretold = coder_tables.contexts(np.full((1, 2), 6 * ONE, np.int32))[0, 0] + NO_LOWER
    digits = rows[as_foretold, :ESCAPE].reshape(SIDE, SIDE).sum(axis=1)
    assert digits[:3].sum() > 0.9 * SLOTS


@each_spec
def test_places_of_a_message_are_what_its_pairs_say_one_by_one(spec: FeatureSpec) -> None:
    frames = np.random.default_rng(1).integers(0, spec.levels, (4, spec.bands), dtype=np.int32)
    frames[2] = 0
    found = coder_tables.places(frames, spec.levels)
    values = coder_tables.foretold(frames[:-1])
    classes = coder_tables.contexts(values)
    differences = frames[1:] - coder_tables.nearest(values)
    for frame, pair in np.ndindex(found.shape):
        lower, upper = differences[frame, 2 * pair : 2 * pair + 2].tolist()
        below = NO_LOWER
        if pair:
            below = coder_tables.lower_class(*differences[frame, 2 * pair - 2 : 2 * pair].tolist())
        symbol = ESCAPE
        if lower in DIFFERENCES and upper in DIFFERENCES:
            symbol = DIFFERENCES.index(lower) * SIDE + DIFFERENCES.index(upper)
        assert found[frame, pair] == (classes[frame, pair] + below) * SYMBOLS + symbol


def test_the_pair_below_leans_one_way_or_the_other_or_not_at_all() -> None:
    classes = [coder_tables.lower_class(lower, 0) for lower in range(-9, 10)]
    assert classes == sorted(classes)
    assert coder_tables.lower_class(0, 0) == NO_LOWER
    assert coder_tables.lower_class(2, -1) == LOWERS - 1
