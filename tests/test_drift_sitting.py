"""What one person says in a row counts as what it tells, and no more."""

import numpy as np
import pytest

from cloud.drift.detector import Detector, Wagers
from cloud.drift.reference import learnt
from cloud.drift.sitting import Sitting, alike_of, begins, first_of, is_apart, news_of

MINUTE_US = 60_000_000


def sittings(count: int, each: int, alike: float, seed: int = 1) -> tuple["np.typing.NDArray[np.float64]", list[bool]]:
    """Scores of which a share is the sitting's, of spread 1; and which are the first."""
    draw = np.random.default_rng(seed)
    own = np.sqrt(1 - alike) * draw.standard_normal((count, each))
    scores = np.sqrt(alike) * draw.standard_normal((count, 1)) + own
    return scores.ravel(), ([True] + [False] * (each - 1)) * count


def times(first: list[bool]) -> list[int | None]:
    """An hour between sittings, a minute between their utterances."""
    return [MINUTE_US * (number + 60 * int(sitting)) for number, sitting in enumerate(np.cumsum(first))]


@pytest.mark.parametrize("alike", [0.0, 0.3, 0.7])
def test_how_alike_a_sitting_is_is_learnt(alike: float) -> None:
    assert alike_of(*sittings(2000, 4, alike)) == pytest.approx(alike, abs=0.05)


def test_what_is_new_knows_nothing_of_what_was_said_before_it() -> None:
    scores, first = sittings(2000, 4, 0.6)
    news = news_of(scores, first, 0.6).reshape(-1, 4)
    assert news.std(axis=0) == pytest.approx(np.ones(4), abs=0.06)
    assert np.corrcoef(news.T) == pytest.approx(np.eye(4), abs=0.06)


def test_each_further_utterance_says_less_of_a_lasting_shift() -> None:
    sitting = Sitting(np.array([0.6]))
    weights = [float(sitting.push(np.zeros(1)).weights[0]) for _ in range(4)]
    assert weights[0] == 1 and weights == sorted(weights, reverse=True)
    # All of them together are worth what the mean of a sitting is.
    assert sum(weight**2 for weight in weights) == pytest.approx(4 / (1 + 3 * 0.6))
    sitting.begin()
    assert float(sitting.push(np.zeros(1)).weights[0]) == 1


def test_what_is_missing_was_not_said() -> None:
    sitting = Sitting(np.array([0.6, 0.6]))
    sitting.push(np.array([np.nan, 1.0]))
    news = sitting.push(np.array([1.0, np.nan]))
    assert news.scores[0] == 1 and np.isnan(news.scores[1]) and news.weights[0] == 1


def test_a_pause_or_another_board_begins_a_sitting() -> None:
    at = [0, MINUTE_US, 30 * MINUTE_US, 31 * MINUTE_US]
    assert begins(["a"] * 4, at) == [True, False, True, False]
    assert begins(["a", "b", "b", "a"], at) == [True, True, True, True]
    assert is_apart(("a", None), ("a", MINUTE_US)) and not is_apart(("a", 0), ("a", MINUTE_US))
    assert first_of([True, False, True, False], np.array([False, True, True, True])) == [True, True, False]


def test_a_long_sitting_is_no_change_and_many_are() -> None:
    scores, first = sittings(150, 3, 0.7)
    reference = learnt(scores[:, np.newaxis], times(first), (0.1,))
    assert reference.alike[0] == pytest.approx(0.7, abs=0.15)
    one, many = Detector(Wagers(reference)), Detector(Wagers(reference))
    for number in range(20):
        one.push(np.array([1.5]), begins=number == 0)
        many.push(np.array([1.5]), begins=True)
    assert many.mean > 100 * one.mean


def test_a_sitting_goes_on_where_it_was_kept() -> None:
    scores, first = sittings(150, 3, 0.7)
    reference = learnt(scores[:, np.newaxis], times(first), (0.1,))
    whole, kept = Detector(Wagers(reference)), Detector(Wagers(reference))
    for detector in (whole, kept):
        detector.push(np.array([1.0]), begins=True)
    again = Detector(Wagers(reference))
    again.go_on(kept.state())
    assert again.push(np.array([2.0]), begins=False) == whole.push(np.array([2.0]), begins=False)
