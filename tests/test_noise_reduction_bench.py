"""What the benchmark of noise reduction counts."""

import numpy as np

from benchmarks.noise_reduction import EXACT, Answer, Way, agreed, covered, floor, frames, likeliest
from cloud.decoders import sphinx_features
from protos.feature_spec import DEFAULT_SPEC

LARGE, SMALL = {"size": "large"}, {"size": "small"}


def test_finer_levels_know_every_power_of_the_wire() -> None:
    levels = np.arange(DEFAULT_SPEC.levels, dtype=np.int8)
    powers = DEFAULT_SPEC.dequantise(levels)
    assert np.allclose(EXACT.dequantise(EXACT.quantise(powers)), powers, atol=1e-5)


def test_a_way_works_on_what_the_wire_carried_or_before_it() -> None:
    log_mel = np.full((5, 80), -3.3, np.float32)
    spec, levels = frames(Way("x", lambda given: given - 1), log_mel)
    carried = DEFAULT_SPEC.dequantise(DEFAULT_SPEC.quantise(log_mel))
    assert np.allclose(spec.dequantise(levels), carried - 1, atol=EXACT.step_log10 / 2)
    spec, levels = frames(Way("x", lambda given: given - 1, on_board=True), log_mel)
    assert spec == DEFAULT_SPEC
    assert np.array_equal(levels, DEFAULT_SPEC.quantise(log_mel - 1))
    assert np.array_equal(frames(Way("x"), log_mel)[1], DEFAULT_SPEC.quantise(log_mel))


def test_of_the_answers_that_fit_best_so_many_are_right() -> None:
    answers = [Answer(LARGE, right, score, False) for right, score in ((True, -1.0), (True, -2.0), (False, -3.0))]
    assert covered(answers) == 2 / 3
    assert covered([Answer(LARGE, False, -1.0, False)]) == 0
    # Nothing heard is no answer, whatever is right about it.
    assert covered([Answer(None, True, -np.inf, False)]) == 0


def test_several_decoders_choose_or_agree() -> None:
    first, second = Answer(LARGE, True, -20.0, True), Answer(SMALL, False, -10.0, False)
    assert likeliest([first, second]) == second
    assert not agreed([first, second]).is_early
    assert agreed([first, second]).is_right
    assert agreed([first, second._replace(slots=LARGE)]) == first


def test_the_floor_is_what_it_was_before() -> None:
    before = sphinx_features.LOG_FLOOR
    with floor(9.0):
        assert sphinx_features.LOG_FLOOR == 9.0
    assert before == sphinx_features.LOG_FLOOR
