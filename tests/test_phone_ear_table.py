"""That a network learns to hear phones, from windows that are made here."""

import numpy as np
import pytest

from benchmarks.phone_windows import CLASSES, NONE, Window
from models.tables import phone_ear
from models.tables.phone_ear import errors, learn, made

WIDTH = 12


def windows(count: int, seed: int) -> list[Window]:
    """Each phone a direction of its own, two positions of nothing new behind each."""
    draw = np.random.default_rng(seed)
    made_of = np.random.default_rng(0).normal(0, 2, (10, WIDTH))
    found = []
    for _ in range(count):
        phones = draw.integers(10, size=draw.integers(3, 9))
        encoded = draw.normal(0, 0.1, (3 * len(phones), WIDTH))
        encoded[::3] += made_of[phones]
        found.append(Window(bytes(phones.tolist()), encoded.astype(np.float16)))
    return found


def test_it_learns_what_was_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(phone_ear, "WIDTH", 24)
    monkeypatch.setattr(phone_ear, "EPOCHS", 12)
    held = windows(20, 2)
    assert errors(learn(windows(150, 1), held), held) < 0.2


def test_errors_are_phones_left_out_put_in_and_mistaken() -> None:
    network = made(WIDTH)
    kernel, bias = network.layers[-1].get_weights()
    bias[NONE] = 1e3
    network.layers[-1].set_weights([kernel, bias])
    assert CLASSES > 10
    assert errors(network, windows(5, 3)) == 1.0
