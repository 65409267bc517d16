"""What the benchmark of orders counts."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.orders import Trial, confidences, half_of, in_half, print_calibration, print_orders, print_others


def utterance(intent: str | None, sure: float, engine: str = "whisper", **slots: str) -> dict[str, object]:
    return {
        "intent": intent,
        "slots": slots,
        "intent_confidence": sure,
        "choices": [],
        "engine": engine,
        "transcript": "x",
    }


LARGE = {"size": "large"}
RIGHT = Trial("clean", LARGE, [utterance("order", 0.9, "pocketsphinx", size="large")])
WRONG = Trial("clean", LARGE, [utterance("order", 0.7, size="small")])
ASKED = Trial(
    "tap 6 dB", LARGE, [utterance(None, 0.0) | {"choices": [{"confidence": 0.4, "slots": LARGE}, {"confidence": 0.3}]}]
)
NOT = Trial("clean", LARGE, [utterance(None, 0.0)])
FALSE = Trial("clean", None, [utterance("order", 0.6, size="large")])


def test_every_file_and_every_second_of_noise_is_in_one_half() -> None:
    files = [Path(f"{number}.flac") for number in range(100)]
    assert all(in_half(file, "test") != in_half(file, "tuning") for file in files)
    assert 30 < sum(in_half(file, "test") for file in files) < 70
    noise = np.arange(11, dtype=np.float32)
    assert np.array_equal(np.concatenate([half_of(noise, "tuning"), half_of(noise, "test")]), noise)


def test_an_order_is_right_with_every_slot(capsys: pytest.CaptureFixture[str]) -> None:
    assert [trial.is_right for trial in (RIGHT, WRONG, ASKED, NOT, FALSE)] == [True, False, False, False, False]
    print_orders([RIGHT, RIGHT, WRONG, NOT, ASKED])
    told = capsys.readouterr().out
    assert "| clean | 4 | 0.500 | 1 | 0 | 1 | 0.50 |" in told
    assert "| tap 6 dB | 1 | 0.000 | 0 | 1 | 0 | 0.00 |" in told
    assert "Mean over noises: 0.000" in told


def test_an_intent_for_what_is_no_order_is_false(capsys: pytest.CaptureFixture[str]) -> None:
    print_others([FALSE, Trial("clean", None, [utterance(None, 0.0)])])
    assert "1 of 2 understood as one, 0.500" in capsys.readouterr().out


def test_confidence_is_compared_with_what_was_right(capsys: pytest.CaptureFixture[str]) -> None:
    assert confidences([RIGHT, WRONG, ASKED, NOT, FALSE]) == [(0.9, True), (0.7, False), (0.4, True), (0.6, False)]
    print_calibration([RIGHT] * 9 + [Trial("clean", LARGE, [utterance("order", 0.9, size="small")])])
    assert "Expected calibration error: 0.000 over 10 answers" in capsys.readouterr().out
