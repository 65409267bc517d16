import numpy as np
import pytest

from cloud.decoders import cepstral_mean
from cloud.decoders.cepstral_mean import GENERAL_MEAN, START_FRAMES, BoardMeans, CepstralMean
from cloud.decoders.sphinx_features import CEPSTRA


def cepstra(value: float, frames: int) -> np.ndarray:
    return np.full((frames, CEPSTRA), value, np.float32)


def test_it_starts_where_it_is_told_and_moves_to_what_it_hears() -> None:
    mean = CepstralMean(np.full(CEPSTRA, 10.0))
    assert mean.value == pytest.approx(10)
    mean.update(cepstra(20, int(START_FRAMES)))
    assert mean.value == pytest.approx(15)
    mean.update(cepstra(20, 100_000))
    assert mean.value == pytest.approx(20, abs=0.1)


def test_each_board_starts_from_its_own_mean_and_a_stranger_from_the_general_one() -> None:
    means = BoardMeans()
    kitchen = means.start("kitchen", "1")
    assert kitchen.value == pytest.approx(GENERAL_MEAN)
    kitchen.update(cepstra(30, 500))
    means.remember("kitchen", "1", kitchen)
    assert means.start("kitchen", "2").value == pytest.approx(kitchen.value)
    assert means.start("hall", "2").value == pytest.approx(GENERAL_MEAN)


def test_an_utterance_that_is_decoded_again_starts_where_it_started_before() -> None:
    means = BoardMeans()
    for number, value in enumerate([10.0, 20.0, 30.0]):
        means.remember("kitchen", str(number), CepstralMean(np.full(CEPSTRA, value)))
    assert means.start("kitchen", "2").value == pytest.approx(20)
    means.remember("kitchen", "2", CepstralMean(np.full(CEPSTRA, 40.0)))
    assert means.start("kitchen", "2").value == pytest.approx(20)
    assert means.start("kitchen", "3").value == pytest.approx(40)


def test_the_board_heard_longest_ago_is_forgotten_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cepstral_mean, "BOARDS_MAX", 2)
    means = BoardMeans()
    for number, board in enumerate(["a", "b", "a", "c"]):
        means.remember(board, str(number), CepstralMean(np.full(CEPSTRA, float(number))))
    assert means.start("b", "2").value == pytest.approx(GENERAL_MEAN)
    assert means.start("a", "4").value == pytest.approx(2)
    assert means.start("c", "4").value == pytest.approx(3)
