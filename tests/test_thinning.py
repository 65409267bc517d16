from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from edge.thinning import Thinning
from protos.feature_spec import DEFAULT_SPEC, LogMel

LOG_MEL = np.random.default_rng(1).uniform(-8, 3, (200, DEFAULT_SPEC.bands)).astype(np.float32)


def slow(log_mel: LogMel) -> list[list[int]]:
    """Frame by frame, as the definition reads."""
    measured = []
    for frame in range(0, len(log_mel) - 1, 2):
        before, after = log_mel[max(0, frame - 1)], log_mel[frame + 1]
        smooth = log_mel[frame] / np.float32(2) + (before + after) / np.float32(4)
        measured.append(DEFAULT_SPEC.quantise(smooth[np.newaxis])[0].tolist())
    levels = measured[:1]
    for earlier, later in zip(measured, measured[1:], strict=False):
        levels += [[(one + other + 1) // 2 for one, other in zip(earlier, later, strict=True)], later]
    return levels


def test_every_second_frame_is_measured_and_the_others_lie_halfway() -> None:
    assert Thinning(DEFAULT_SPEC).push(LOG_MEL).tolist() == slow(LOG_MEL)


@given(st.lists(st.integers(0, 13), max_size=30))
def test_any_pieces_give_the_same_levels(lengths: list[int]) -> None:
    thinning, pieces, start = Thinning(DEFAULT_SPEC), [np.empty((0, DEFAULT_SPEC.bands), np.int8)], 0
    for length in lengths:
        pieces.append(thinning.push(LOG_MEL[start : start + length]))
        start += length
    got = np.concatenate(pieces)
    assert len(got) == max(0, min(start, len(LOG_MEL)) // 2 * 2 - 1)
    assert got.tolist() == slow(LOG_MEL[:start])[: len(got)]


def test_without_thinning_every_frame_is_quantised_as_it_comes() -> None:
    spec = replace(DEFAULT_SPEC, thinning=1)
    np.testing.assert_array_equal(Thinning(spec).push(LOG_MEL), spec.quantise(LOG_MEL))
