"""The network that hears phones, against sums written on their own."""

from pathlib import Path

import numpy as np
import pytest

from cloud.decoders.phone_ear import NOTHING_NEW, PhoneEar, phone_ear
from cloud.pronouncing.phones import NAMES

WIDTH, INNER, PLACES = 5, 4, 3


def weights(seed: int = 0, classes: int = len(NAMES)) -> list[np.ndarray[tuple[int, ...], np.dtype[np.float16]]]:
    draw = np.random.default_rng(seed)
    shapes = [(WIDTH, INNER), (INNER,), (PLACES, INNER, INNER), (INNER,), (INNER, classes), (classes,)]
    return [draw.normal(0, 1, shape).astype(np.float16) for shape in shapes]


def ear(folder: Path, classes: int = len(NAMES)) -> PhoneEar:
    np.savez(folder / "ear.npz", *weights(classes=classes))
    return PhoneEar(folder / "ear.npz")


def test_it_hears_as_the_sums_say(tmp_path: Path) -> None:
    first, its_bias, kernel, bias, last, last_bias = (weight.astype(np.float64) for weight in weights())
    encoded = np.random.default_rng(1).normal(0, 1, (7, WIDTH)).astype(np.float32)
    x = np.maximum(encoded @ first + its_bias, 0)
    around = np.zeros_like(x)
    for position in range(len(x)):
        for place in range(PLACES):
            if 0 <= position + place - 1 < len(x):
                around[position] += x[position + place - 1] @ kernel[place]
    logits = (x + np.maximum(around + bias, 0)) @ last + last_bias
    expected = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    np.testing.assert_allclose(ear(tmp_path).hear(encoded), expected, atol=1e-3)


def test_what_is_no_network_of_phones_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no network that hears phones"):
        ear(tmp_path, classes=7)


def test_only_the_weights_that_it_learnt_from_have_one() -> None:
    assert phone_ear("no-such-weights") is None
    known = phone_ear("tiny.en")
    assert known is not None
    silence = known.hear(np.zeros((3, 384), np.float32))
    assert silence.shape == (3, len(NAMES))
    assert silence.argmax(axis=1).tolist() == [NOTHING_NEW] * 3
