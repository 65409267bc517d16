from dataclasses import FrozenInstanceError, fields, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protos.feature_spec import ACCEPTED_SPECS, DEFAULT_SPEC, FeatureSpec

specs = st.sampled_from(list(ACCEPTED_SPECS.values()))


def frames(*values: float) -> np.ndarray:
    return np.array([values], np.float32)


def test_the_fingerprint_of_the_default_never_changes() -> None:
    # Boards and models out there carry it: a new value is a new kind of features.
    assert DEFAULT_SPEC.fingerprint == "logmel80-16k-l12-e6851685"


@pytest.mark.parametrize("field", [field.name for field in fields(FeatureSpec)])
def test_every_field_changes_the_fingerprint(field: str) -> None:
    other = replace(DEFAULT_SPEC, **{field: getattr(DEFAULT_SPEC, field) + 1})
    assert other.fingerprint.rsplit("-", 1)[1] != DEFAULT_SPEC.fingerprint.rsplit("-", 1)[1]


def test_equal_specs_have_equal_fingerprints_however_they_are_written() -> None:
    same = FeatureSpec(low_hz=0, high_hz=8000, floor_log10=-7.5, ceiling_log10=2.5)
    assert same == DEFAULT_SPEC
    assert same.fingerprint == DEFAULT_SPEC.fingerprint


def test_the_default_is_accepted_first_and_accepted_ones_differ_in_their_levels_only() -> None:
    assert next(iter(ACCEPTED_SPECS)) == DEFAULT_SPEC.fingerprint
    assert all(replace(spec, levels=DEFAULT_SPEC.levels) == DEFAULT_SPEC for spec in ACCEPTED_SPECS.values())
    assert all(fingerprint == spec.fingerprint for fingerprint, spec in ACCEPTED_SPECS.items())


@pytest.mark.parametrize("levels", [-1, 0, 1, 129])
def test_levels_that_an_int8_cannot_hold_are_refused(levels: int) -> None:
    with pytest.raises(ValueError, match=f"levels is {levels}, but"):
        FeatureSpec(levels=levels)


def test_a_spec_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        DEFAULT_SPEC.levels = 16  # type: ignore[misc]


def test_a_frame_lasts_10_ms() -> None:
    assert DEFAULT_SPEC.frame_ms == 10


def test_quantising_rounds_to_the_nearest_level() -> None:
    spec = FeatureSpec(floor_log10=0, ceiling_log10=10, levels=11)
    assert spec.quantise(frames(0.4, 0.6, 6.49, 6.51)).tolist() == [[0, 1, 6, 7]]


@given(specs, st.floats(-(2.0**100), 2.0**100, width=32))
def test_what_lies_outside_the_range_takes_its_end(spec: FeatureSpec, value: float) -> None:
    level = int(spec.quantise(frames(value))[0, 0])
    assert 0 <= level < spec.levels
    if value <= spec.floor_log10:
        assert level == 0
    if value >= spec.ceiling_log10:
        assert level == spec.levels - 1


def test_digital_silence_is_level_0() -> None:
    assert DEFAULT_SPEC.quantise(frames(-np.inf)).tolist() == [[0]]


@given(specs, st.floats(-7.5, 2.5, width=32))
def test_a_value_comes_back_within_half_a_step(spec: FeatureSpec, value: float) -> None:
    back = spec.dequantise(spec.quantise(frames(value)))
    assert back.dtype == np.float32
    assert abs(float(back[0, 0]) - value) <= spec.step_log10 / 2 + 1e-5


@given(specs)
def test_every_level_comes_back_as_itself(spec: FeatureSpec) -> None:
    levels = np.arange(spec.levels, dtype=np.int8)[np.newaxis]
    assert np.array_equal(spec.quantise(spec.dequantise(levels)), levels)
    assert spec.quantise(spec.dequantise(levels)).dtype == np.int8
