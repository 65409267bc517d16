"""models/tables/gate.py learns what it is shown; what it learned of recordings is the endpoint benchmark's affair."""

from pathlib import Path

import numpy as np
import pytest

from edge.speech import gate_model
from edge.speech.gate_model import CONTEXT_BLOCKS, GROUPS, SPEC
from models.speech.minutes import Minute
from models.tables import gate


def test_the_gradient_is_the_slope_of_the_loss() -> None:
    draw = np.random.default_rng(1)
    layers = gate.start(draw)
    seen = draw.standard_normal((50, len(GROUPS) * SPEC.bands)).astype(np.float32)
    labels, weights = draw.random(50).astype(np.float32), draw.random(50).astype(np.float32)

    def loss() -> float:
        chances = gate_model.probabilities(seen, layers).astype(np.float64)
        losses = -(labels * np.log(chances) + (1 - labels) * np.log(1 - chances))
        return float((losses * weights).sum() / weights.sum())

    slopes = gate.gradient(layers, seen, labels, weights)
    for layer, slope in zip(layers, slopes, strict=True):
        place = np.unravel_index(np.abs(slope.weights).argmax(), slope.weights.shape)
        before = layer.weights[place]
        layer.weights[place] = before + 1e-2
        higher = loss()
        layer.weights[place] = before - 1e-2
        lower = loss()
        layer.weights[place] = before
        assert slope.weights[place] == pytest.approx((higher - lower) / 2e-2, rel=0.05)


def test_it_learns_to_tell_a_hum_from_a_hiss_and_writes_it_down(tmp_path: Path) -> None:
    draw = np.random.default_rng(2)
    hum = np.sin(np.arange(16_000) / 20) * 3000 + draw.standard_normal(16_000) * 10
    hiss = draw.standard_normal(16_000) * 300
    sound = np.concatenate([hum, hiss] * 3).astype(np.int16)
    labels = np.tile(np.repeat([1, 0], 50), 3).astype(np.float32)
    seen, labels, weights = gate.frames(Minute(sound, labels, np.ones_like(labels), -20.0, 20.0))
    assert seen.shape == (300, len(GROUPS) * SPEC.bands)
    network = gate.train(seen, labels, weights, epochs=40, draw=draw, batch=100)
    gate.save(tmp_path / "network.npz", network)
    kept = gate_model.load(tmp_path / "network.npz")
    assert kept.version == gate.VERSION
    heard = gate_model.probabilities(seen.astype(np.float32), kept.layers) > 0.5
    assert np.mean(heard == labels) > 0.9


def test_the_board_carries_what_training_writes() -> None:
    network = gate_model.load(gate_model.WEIGHTS_FILE)
    shapes = [layer.weights.shape for layer in network.layers]
    assert network.version == gate.VERSION
    assert shapes == [layer.weights.shape for layer in gate.start(np.random.default_rng(1))]
    assert gate_model.WEIGHTS_FILE.stat().st_size < 64_000
    assert CONTEXT_BLOCKS * 20 == 800
