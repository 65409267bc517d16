"""The gate before a candidate: what it lets through, what it sends back, how often it errs, and how soon."""

import math
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from cloud.changing import needed
from cloud.changing.compared import Answered, Divided, Usual, paired
from cloud.changing.evidence import Bet, Interval
from cloud.changing.gate import Gate, Rules, Verdict

SLICES = ("group=hall", "group=kitchen", "noise=loud")
RIGHT, WRONG = Answered(error=0.0), Answered(error=1.0)


def crossed(bet: Bet, steps: Iterator[float], threshold: float) -> int | None:
    """After how many numbers the wealth was there."""
    for number, step in enumerate(steps, 1):
        bet.take(step)
        if bet.log_wealth >= threshold:
            return number
    return None


def signs(draw: np.random.Generator, up: float, down: float, count: int) -> Iterator[float]:
    return iter(draw.choice([1.0, -1.0, 0.0], count, p=[up, down, 1 - up - down]).tolist())


@pytest.mark.parametrize("above", [True, False])
def test_who_looks_after_every_utterance_gives_up_a_true_claim_no_oftener_than_promised(above: bool) -> None:
    draw = np.random.default_rng(1)
    false = [crossed(Bet(0.0, above=above), signs(draw, 0.1, 0.1, 600), math.log(10)) for _ in range(150)]
    # 15 are promised at most.
    assert sum(at is not None for at in false) <= 15


@pytest.mark.parametrize("share", [0.2, 0.6])
def test_two_groups_alike_are_told_apart_no_oftener_than_promised(share: float) -> None:
    draw = np.random.default_rng(2)
    false = 0
    for _ in range(120):
        bet, divided = Bet(0.0, above=True), Divided()
        for is_candidate, value in zip(draw.random(400) < share, draw.random(400) < 0.15, strict=True):
            if (groups := divided.take(float(value), by_candidate=bool(is_candidate))) is not None:
                bet.take_groups(*groups)
            if bet.log_wealth >= math.log(10):
                false += 1
                break
    assert false <= 12


def test_nothing_ruins_a_gambler_and_numbers_need_not_be_whole() -> None:
    bets = [Bet(0.3, above=True), Bet(-0.3, above=False), Bet(0.0, above=True)]
    for bet in bets:
        for number in (1.0, -1.0, 0.25, -0.3):
            bet.take(number)
        bet.take_groups([-0.25, 1.25], [1.25])
        bet.take_groups([1.25], [-0.25, -0.25, 0.5])
        assert math.isfinite(bet.log_wealth)


def test_an_interval_holds_the_mean_at_all_times_and_narrows() -> None:
    draw = np.random.default_rng(3)
    missed = 0
    for _ in range(50):
        interval, out = Interval(0.2, reach=1.0), False
        for step in signs(draw, 0.35, 0.25, 300):
            interval.take(step)
            low, high = interval.bounds
            out |= not low <= 0.1 <= high
        missed += out
    # 10 are promised at most.
    assert missed <= 6
    assert high - low < 0.4
    assert interval.mean == pytest.approx(0.1, abs=0.1)
    assert Interval(reach=1.5).bounds == (-1.5, 1.5)


@pytest.mark.parametrize(("bound", "difference", "unlike"), [(0.0, 0.1, 0.2), (0.05, -0.02, 0.1)])
def test_how_many_utterances_it_takes_is_known_beforehand(bound: float, difference: float, unlike: float) -> None:
    draw = np.random.default_rng(4)
    level = math.log(100)
    said = needed.of_pairs(level, bound=bound, difference=difference, unlike=unlike)
    up, down = (unlike + difference) / 2, (unlike - difference) / 2
    took = [crossed(Bet(bound, above=difference > bound), signs(draw, up, down, 4000), level) for _ in range(60)]
    within = sum(at is not None and at <= said for at in took) / len(took)
    assert 0.8 <= within <= 0.98


def test_a_canary_needs_more_utterances_for_less_and_none_for_nothing() -> None:
    def of(difference: float, share: float = 0.2) -> int:
        return needed.of_groups(math.log(100), bound=0.0, difference=difference, error=0.12, share=share)

    assert of(0.1) < of(0.05) < of(0.02)
    assert 300 < of(0.1) < 700
    assert of(0.0) == needed.NEVER
    # Where most answer by the candidate, there are few to compare with.
    assert of(0.1, 0.9) > of(0.1, 0.5)


def ask(gate: Gate, utterances: int, errors: Callable[[str], tuple[float, float]], seed: int = 5) -> Verdict:
    """The first verdict of a gate that says more than to go on, or the last; `errors` are those of the candidate and of
    what serves in a slice."""
    draw = np.random.default_rng(seed)
    for _ in range(utterances):
        name = SLICES[int(draw.integers(len(SLICES)))]
        candidate, served = errors(name)
        luck = draw.random()
        gate.take_pair([name], Answered(error=float(luck < candidate)), Answered(error=float(luck < served)))
        if (verdict := gate.verdict()).decision != "go on":
            break
    return verdict


def test_a_better_one_is_promoted_with_its_figures() -> None:
    verdict = ask(Gate(Rules(), SLICES), 2000, lambda name: (0.08, 0.16))
    assert verdict.decision == "promote"
    assert "on the whole: error -" in verdict.why
    whole, *slices = verdict.figures
    assert (whole.slice, whole.measure) == ("", "error")
    assert whole.low < -0.08 < whole.high
    assert [figure.slice for figure in slices] == sorted(SLICES)
    assert all(figure.good_enough is not None and figure.good_enough >= 1 for figure in verdict.figures)


def test_an_equal_one_is_neither_promoted_nor_returned() -> None:
    verdict = ask(Gate(Rules(), SLICES), 1500, lambda name: (0.12, 0.12))
    assert verdict.decision == "go on"
    draw = np.random.default_rng(6)
    gate = Gate(Rules(), SLICES)
    for candidate, served in zip(draw.random(1500) < 0.12, draw.random(1500) < 0.12, strict=True):
        gate.take_pair(SLICES[:1], Answered(error=float(candidate)), Answered(error=float(served)))
        assert gate.verdict().decision == "go on"


def test_one_that_is_worse_in_a_slice_is_returned_though_it_is_better_on_the_whole() -> None:
    verdict = ask(Gate(Rules(), SLICES), 3000, lambda name: (0.24, 0.12) if name == "noise=loud" else (0.01, 0.12))
    assert verdict.decision == "return"
    assert "noise=loud" in verdict.why


def test_an_owner_who_takes_a_little_worse_gets_an_equal_one() -> None:
    verdict = ask(Gate(Rules(margin=0.05), SLICES), 2000, lambda name: (0.12, 0.12))
    assert verdict.decision == "promote"


@pytest.mark.parametrize("measure", ["slow", "rejected"])
def test_it_is_returned_for_being_late_or_refusing_alone(measure: str) -> None:
    draw, gate = np.random.default_rng(7), Gate(Rules())
    for _ in range(500):
        values = {measure: float(draw.random() < 0.3)}
        gate.take_pair(["group=hall"], Answered(error=0.0, **values), Answered(error=0.0, **{measure: 0.0}))
        if (verdict := gate.verdict()).decision != "go on":
            break
    assert verdict.decision == "return"
    assert measure in verdict.why


def test_what_little_is_known_is_told_within_what_there_can_be() -> None:
    gate = Gate(Rules())
    gate.take_pair((), Answered(error=0.0), Answered(error=0.0))
    assert "error +0.0 points (-100.0 to +100.0) by 1 comparisons" in gate.verdict().why


def test_without_outcomes_nothing_is_promoted() -> None:
    gate = Gate(Rules())
    for _ in range(300):
        gate.take_pair(["group=hall"], Answered(rejected=0.0, slow=0.0), Answered(rejected=1.0, slow=0.0))
    assert gate.verdict().decision == "go on"
    assert "whether both were right" in gate.verdict().why
    assert Gate(Rules()).verdict().figures == ()


def test_a_guarded_slice_that_nobody_spoke_in_is_waited_for_and_a_rare_one_that_nobody_named_is_not() -> None:
    named = Gate(Rules(), ["group=hall", "group=attic"])
    open_gate = Gate(Rules())
    for number in range(500):
        # One of a hundred in the attic: too few to show anything.
        for gate in (named, open_gate):
            gate.take_pair(["group=hall"] if number % 100 else ["group=shed"], RIGHT, WRONG)
    assert "group=attic" in named.verdict().why
    assert open_gate.verdict().decision == "promote"


def test_slices_are_bounded_and_the_rest_counts_on_the_whole() -> None:
    gate = Gate(Rules(slices_max=3))
    for number in range(50):
        gate.take_pair([f"intent={number}"], RIGHT, RIGHT)
    assert gate.slices == ("intent=0", "intent=1", "intent=2")
    assert gate.verdict().figures[0].comparisons == 50


def canary(gate: Gate, excess: Callable[[str], float]) -> Verdict:
    """A canary of an equal candidate whose boards are the hard ones."""
    draw = np.random.default_rng(8)
    for _ in range(3000):
        device = f"board-{int(draw.integers(10))}"
        is_hard = device in ("board-0", "board-1")
        error = Answered(error=float(draw.random() < (0.25 if is_hard else 0.1)))
        gate.take((), error, by_candidate=is_hard, excess=excess(device))
    return gate.verdict()


def test_boards_that_always_err_more_are_not_taken_for_a_worse_candidate() -> None:
    draw, usual = np.random.default_rng(9), Usual()
    for number in range(4000):
        device = f"board-{number % 10}"
        usual.learn(device, float(draw.random() < (0.25 if device in ("board-0", "board-1") else 0.1)))
    assert usual.excess("board-0") > 0.05 > usual.excess("board-5")
    assert usual.excess("of nobody") == 0
    assert canary(Gate(Rules()), usual.excess).decision == "go on"
    assert canary(Gate(Rules()), lambda device: 0.0).decision == "return"


def test_an_evening_that_is_hard_for_all_is_not_taken_for_a_worse_candidate() -> None:
    draw, gate = np.random.default_rng(10), Gate(Rules())
    for number in range(3000):
        error = Answered(error=float(draw.random() < (0.05 if number < 1000 else 0.5)))
        gate.take((), error, by_candidate=bool(draw.random() < 0.2))
        assert number % 50 or gate.verdict().decision == "go on"


def test_what_one_of_them_does_not_know_is_not_compared() -> None:
    assert paired(Answered(error=1.0, slow=0.0), Answered(error=None, slow=1.0)) == {"slow": -1.0}
