"""The cepstra made of 80 bands are those that pocketsphinx would make of the sound, near enough."""

import numpy as np
import pytest
import soundfile

from cloud.decoders.sphinx_features import (
    CEPSTRA,
    FILTERS,
    LOG_FLOOR,
    SphinxFeatures,
    cosine_transform,
    filter_matrix,
    non_negative_fit,
)
from edge.speech.log_mel import log_mel
from protos.feature_spec import ACCEPTED_SPECS, DEFAULT_SPEC, FeatureSpec
from tests.conftest import Speech


def slow_log_filters(samples: np.ndarray) -> np.ndarray:
    """Sphinx's front-end, step by step, a frame at a time: pre-emphasis, Hamming, 512 points, 25 triangles, log."""
    sound = samples.astype(float)
    sound[1:] -= 0.97 * sound[:-1].copy()
    edges_mel = np.linspace(2595 * np.log10(1 + 130 / 700), 2595 * np.log10(1 + 6800 / 700), FILTERS + 2)
    edges_hz = [round(700 * (10 ** (mel / 2595) - 1) / 31.25) * 31.25 for mel in edges_mel]
    rows = []
    for start in range(0, len(sound) - 410, 160):
        power = np.abs(np.fft.rfft(sound[start : start + 410] * np.hamming(410), 512)) ** 2
        row = []
        for low, centre, high in zip(edges_hz, edges_hz[1:], edges_hz[2:], strict=False):
            total = 0.0
            for number, value in enumerate(power):
                hz = number * 31.25
                height = min((hz - low) / (centre - low), (high - hz) / (high - centre))
                total += max(0.0, height) * 2 / (high - low) * value
            row.append(np.log(max(total, 1e-9)))
        rows.append(row)
    return np.array(rows)


def test_filters_come_near_to_those_of_the_slow_version(speech: Speech) -> None:
    samples = soundfile.read(speech.path("berlin"), dtype="int16")[0][8000:16000]
    slow = slow_log_filters(samples)
    ours = np.log(10.0 ** log_mel(samples, DEFAULT_SPEC).astype(float) @ filter_matrix(DEFAULT_SPEC).T)[: len(slow)]
    heard = slow > LOG_FLOOR
    difference = (ours - slow)[heard]
    assert heard.mean() > 0.8
    assert abs(np.median(difference)) < 0.1
    assert np.std(difference) < 0.35


def test_no_weight_is_negative_whatever_is_fitted() -> None:
    draw = np.random.default_rng(1)
    parts, targets = draw.random((8, 30)), draw.random((3, 30))
    weights = non_negative_fit(targets, parts)
    assert weights.min() >= 0
    # The best that least squares without the sign can do is not far away.
    free = targets @ np.linalg.pinv(parts) @ parts
    assert np.linalg.norm(weights @ parts - targets) < 2.5 * np.linalg.norm(free - targets)


@pytest.mark.parametrize("spec", ACCEPTED_SPECS.values(), ids=lambda spec: spec.fingerprint)
def test_every_accepted_spec_has_cepstra_and_none_lies_below_the_floor(spec: FeatureSpec) -> None:
    levels = np.array([np.zeros(spec.bands), np.full(spec.bands, spec.levels - 1), np.full(spec.bands, 127)], np.int8)
    features = SphinxFeatures(spec)
    silence, loudest, beyond = features.cepstra(features.log_filters(levels))
    assert silence.shape == (CEPSTRA,)
    assert LOG_FLOOR * np.sqrt(FILTERS) <= silence[0] < loudest[0]
    assert np.array_equal(loudest, beyond)


def test_pieces_give_what_the_whole_gives() -> None:
    levels = np.random.default_rng(2).integers(0, 12, (20, 80)).astype(np.int8)
    features = SphinxFeatures(DEFAULT_SPEC)
    pieces = [features.cepstra(features.log_filters(piece)) for piece in (levels[:7], levels[7:])]
    assert np.allclose(np.concatenate(pieces), features.cepstra(features.log_filters(levels)))


def test_the_cosine_transform_is_orthonormal() -> None:
    rows = cosine_transform()
    assert rows @ rows.T == pytest.approx(np.eye(CEPSTRA), abs=1e-9)
