"""Error rates, estimated without labels and with a few; and who is asked for a label."""

from collections.abc import Callable

import numpy as np
import pytest

from cloud.drift.facts import Facts
from cloud.labelling.labelling import Candidate, Chosen, draw, uncertainty
from cloud.outcomes import calibration
from cloud.outcomes.error_rate import Label, Reference, by_labels, estimate, reference, wanted


def utterance(number: int, confidence: float | None, snr_db: float = 20.0) -> Facts:
    return Facts(
        device_id="kitchen",
        utterance_id=str(number),
        confidence=confidence,
        was_empty=confidence is None,
        intent=None if confidence is None else "order",
        snr_db=snr_db,
    )


def drawn(count: int, seed: int, *, sure: float = 0.8, honest: bool = True) -> tuple[list[Facts], list[float]]:
    """Utterances, wrong as often as their confidence says, or half of the time."""
    at_random = np.random.default_rng(seed)
    confidences = np.clip(at_random.normal(sure, 0.12, count), 0.05, 0.98)
    wrong = at_random.random(count) > (confidences if honest else 0.5)
    return [utterance(number, float(one)) for number, one in enumerate(confidences)], wrong.astype(float).tolist()


@pytest.fixture(scope="module")
def known() -> Reference:
    return reference(*drawn(800, 1))


def test_without_labels_the_rate_is_what_confidence_promises() -> None:
    off, holds = [], []
    for seed in range(12):
        now, wrong = drawn(400, 80 + seed, sure=0.55)
        found = estimate(reference(*drawn(600, 60 + seed)), now)
        off.append(found.rate - np.mean(wrong))
        holds.append(found.low <= np.mean(wrong) <= found.high)
        assert (found.labels, found.utterances) == (0, 400)
    assert abs(np.mean(off)) < 0.03
    assert np.mean(holds) >= 0.75


def test_confidence_that_promises_too_much_is_corrected_by_the_reference() -> None:
    facts, _ = drawn(800, 1)
    wrong = np.random.default_rng(5).random(800) > np.array([0.5 * (one.confidence or 0) for one in facts])
    now, _ = drawn(400, 3)
    found = estimate(reference(facts, wrong.astype(float).tolist()), now)
    assert found.rate == pytest.approx(np.mean([1 - 0.5 * (one.confidence or 0) for one in now]), abs=0.05)


def test_what_the_reference_has_never_heard_widens_the_interval(known: Reference) -> None:
    now, _ = drawn(400, 2)
    strange = [utterance(number, None, snr_db=2.0) for number in range(400)]
    usual, far = estimate(known, now), estimate(known, strange)
    assert far.high - far.low > 2 * (usual.high - usual.low)


def test_labels_find_what_confidence_cannot(known: Reference) -> None:
    off, holds = [], []
    for seed in range(20):
        now, wrong = drawn(400, 40 + seed, sure=0.85, honest=False)
        candidates = [Candidate("kitchen", one.utterance_id, 0.5) for one in now]
        labels = [
            Label(int(one.utterance_id), wrong[int(one.utterance_id)], one.probability)
            for one in draw(candidates, 50, salt=str(seed))
        ]
        assert estimate(known, now).high < 0.35
        found = estimate(known, now, labels)
        off.append(found.rate - np.mean(wrong))
        holds.append(found.low <= np.mean(wrong) <= found.high)
    assert abs(np.mean(off)) < 0.05
    assert np.mean(holds) >= 0.8


def test_rates_of_labels_that_were_drawn_unevenly_are_unbiased() -> None:
    # Promises are worth nothing: all was right in the reference.
    known = reference(drawn(300, 1)[0], [0.0] * 300)
    now = [utterance(number, 0.98 if number % 2 else 0.5) for number in range(300)]
    rates = []
    for seed in range(25):
        candidates = [
            Candidate("kitchen", one.utterance_id, uncertainty(one.confidence, was_empty=False, asked_back=False))
            for one in now
        ]
        chosen = draw(candidates, 40, salt=str(seed))
        # The unsure half is wrong, the sure one is right.
        labels = [
            Label(int(one.utterance_id), float(int(one.utterance_id) % 2 == 0), one.probability) for one in chosen
        ]
        rates.append(estimate(known, now, labels).rate)
    assert np.mean(rates) == pytest.approx(0.5, abs=0.05)


def test_labels_that_all_agree_do_not_make_it_certain(known: Reference) -> None:
    now, _ = drawn(400, 2)
    found = estimate(known, now, [Label(number, 0.0, 0.05) for number in range(20)])
    assert found.high - found.rate > 0.02


def test_the_function_that_is_fitted_is_that_of_a_slow_descent() -> None:
    facts, wrong = drawn(120, 6)
    rows, truth = calibration.features(facts), np.array(wrong)
    weights = np.zeros(rows.shape[1])
    penalty = np.full(len(weights), calibration.RIDGE)
    penalty[0] = 1e-3
    for _ in range(6_000):
        weights += 1e-3 * (rows.T @ (truth - 1 / (1 + np.exp(-rows @ weights))) - penalty * weights)
    assert calibration.fit(rows, truth).weights == pytest.approx(weights, abs=0.02)


def test_a_reference_that_is_weighted_is_like_what_comes() -> None:
    before, now = drawn(600, 1)[0], drawn(600, 2, sure=0.6)[0]
    rows, others = calibration.features(before), calibration.features(now)
    counts = calibration.likeness(rows, others)
    sure = rows[:, 3]
    far, near = abs(sure.mean() - others[:, 3].mean()), abs(np.average(sure, weights=counts) - others[:, 3].mean())
    assert counts.mean() == pytest.approx(1)
    assert near < 0.7 * far


@pytest.fixture
def batch() -> list[Candidate]:
    return [Candidate("kitchen", str(number), 1.0 if number % 10 == 0 else 0.1) for number in range(2000)]


def test_about_the_budget_is_drawn_and_rather_what_was_unsure(batch: list[Candidate]) -> None:
    found = draw(batch, 200)
    assert len(found) == pytest.approx(200, abs=40)
    unsure = [one for one in found if one.is_unsure]
    assert len(unsure) > 3 * len(found) / 10
    assert all(int(one.utterance_id) % 10 == 0 for one in unsure)


@pytest.mark.parametrize("which", [lambda one: one.is_unsure, lambda one: not one.is_unsure])
def test_the_probabilities_are_those_with_which_it_is_drawn(
    batch: list[Candidate], which: Callable[[Chosen], bool]
) -> None:
    draws = [draw(batch, 200, salt=str(number)) for number in range(30)]
    counted = np.mean([sum(map(which, one)) for one in draws])
    chance = next(one.probability for one in draws[0] if which(one))
    alike = 200 if which(next(one for one in draws[0] if one.is_unsure)) else 1800
    assert counted == pytest.approx(alike * chance, rel=0.08)


def test_the_same_is_drawn_again_and_another_by_another_salt(batch: list[Candidate]) -> None:
    assert draw(batch, 50) == draw(batch, 50)
    assert draw(batch, 50) != draw(batch, 50, salt="x")


def test_all_are_drawn_where_the_budget_is_large(batch: list[Candidate]) -> None:
    found = draw(batch, 100_000)
    assert len(found) == len(batch)
    assert {one.probability for one in found} == {1.0}
    assert draw([], 10) == []
    assert draw(batch, 0) == []


def test_what_is_surest_is_least_uncertain() -> None:
    assert uncertainty(None, was_empty=False, asked_back=False) == 1.0
    assert uncertainty(0.9, was_empty=True, asked_back=False) == 1.0
    assert uncertainty(0.3, was_empty=False, asked_back=False) == 1.0
    assert uncertainty(0.99, was_empty=False, asked_back=False) < uncertainty(0.7, was_empty=False, asked_back=False)


def some_labels(count: int, seed: int, *, rate: float = 0.2) -> list[Label]:
    """Half of them four times as likely to be drawn, as wrong as the others."""
    at_random = np.random.default_rng(seed)
    return [
        Label(0, float(wrong), 0.2 if place % 2 else 0.05) for place, wrong in enumerate(at_random.random(count) < rate)
    ]


def test_labels_alone_tell_how_many_are_wrong_and_how_many_more_it_takes() -> None:
    made = [some_labels(100, seed) for seed in range(200)]
    held = [one.low <= 0.2 <= one.high for one in map(by_labels, made)]
    assert np.mean(held) >= 0.85
    for labels in made[:20]:
        more = wanted(labels, 0.05)
        assert 20 < more < 400
        # That many more of the same kind, and it is known so well.
        known = by_labels(labels * round(1 + more / len(labels) + 0.5))
        assert max(known.rate - known.low, known.high - known.rate) < 0.055
        assert wanted(labels * 10, 0.05) == 0
    # Before anybody has labelled nothing is known of how many are wrong.
    assert wanted([], 0.1) == pytest.approx(70, abs=5)
    assert wanted([], 0.05) == pytest.approx(272, abs=5)


def test_labels_of_all_leave_nothing_to_chance() -> None:
    known = by_labels([Label(0, float(place < 3), 1.0) for place in range(10)])
    assert (known.low, known.rate, known.high) == pytest.approx((0.3, 0.3, 0.3))
