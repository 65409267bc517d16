"""Where answers go wrong: slices that are no luck, how many are wrong, and what was heard instead."""

from collections.abc import Callable, Iterator

import numpy as np
import pytest

from cloud.drift.facts import Facts
from cloud.outcomes.estimated import LABELS_MIN, estimated
from cloud.outcomes.instead import instead
from cloud.outcomes.judged import Judged
from cloud.outcomes.outcome import Outcome
from cloud.outcomes.slices import ANSWERS_MIN, Slices
from cloud.outcomes.sureness import sureness

DRINKS = ("latte", "mocha", "espresso", "americano")
WRONG, RIGHT = Outcome(0.98, "verdict"), Outcome(0.02, "verdict")


def answers(
    count: int, wrong: Callable[[Facts, str], float], *, seed: int = 1, says: float = 0.5, stands_for: int = 1
) -> Iterator[Judged]:
    """Of twelve boards; of what is wrong, people say so of a part."""
    rng = np.random.default_rng(seed)
    for number in range(count):
        drink = DRINKS[int(rng.integers(4))]
        facts = Facts(
            device_id=f"board-{rng.integers(12)}",
            utterance_id=f"u-{number}",
            at_unix_us=number,
            intent="orderDrink",
            confidence=float(rng.beta(8, 2)),
            snr_db=float(rng.uniform(5, 35)),
            was_empty=False,
        )
        is_said = rng.random() < wrong(facts, drink) * says
        known = WRONG if is_said else None
        yield Judged(facts, f"a large {drink} please", drink, drink, 1 if is_said else stands_for, known, is_said)


def test_one_trouble_is_told_once_by_its_rarest_name() -> None:
    made = list(answers(4000, lambda facts, drink: 0.3 if drink == "latte" else 0.02))
    (latte,) = Slices(made).worst()
    assert latte.key == ("entry", "latte")
    assert latte.known.low < 0.15 < latte.known.high
    assert latte.known.rate == pytest.approx(0.15, abs=0.02)
    assert latte.rest == pytest.approx(0.01, abs=0.005)
    assert latte.gain == pytest.approx(0.25 * 0.14, abs=0.008)
    assert [made[place].entry for place in latte.places[:3]] == ["latte"] * 3
    # The newest first: they are the examples.
    assert list(latte.places) == sorted(latte.places, reverse=True)


def test_two_troubles_are_two() -> None:
    def wrong(facts: Facts, drink: str) -> float:
        return 0.4 if drink == "mocha" else 0.5 if (facts.snr_db or 0) < 10 else 0.02

    found = {one.key for one in Slices(list(answers(6000, wrong))).worst()}
    assert found == {("entry", "mocha"), ("snr_db", "< 10")}


def test_what_explains_nearly_as_much_and_is_rarer_is_named() -> None:
    def of(count: int, wrong: int, intent: str, entry: str) -> list[Judged]:
        return [
            Judged(
                Facts(device_id="hall", utterance_id=f"{entry}-{number}", intent=intent),
                entry,
                entry,
                entry,
                1,
                WRONG if number < wrong else None,
                number < wrong,
            )
            for number in range(count)
        ]

    made = of(100, 30, "order", "latte") + of(50, 5, "order", "mocha") + of(1000, 10, "light", "on")
    assert Slices(made).worst()[0].key == ("entry", "latte")


def test_luck_is_no_trouble() -> None:
    told = [len(Slices(list(answers(1500, lambda *of: 0.1, seed=seed))).worst()) for seed in range(40)]
    # One in twenty logs, at most and on the average.
    assert sum(map(bool, told)) <= 4


def test_a_few_show_nothing() -> None:
    made = list(answers(ANSWERS_MIN - 1, lambda facts, drink: 1.0, says=1.0))
    assert Slices(made).worst() == []
    assert Slices(made).kind("entry", 9) == []
    assert Slices([]).worst() == []
    assert Slices([]).all().rate == 0


def test_what_stands_for_many_counts_for_many_and_widens_the_interval() -> None:
    made = list(answers(1000, lambda facts, drink: 0.1, stands_for=1))
    many = [one._replace(stands_for=10 if one.known is None else 1) for one in made]
    few, all_of_them = Slices(made).all(), Slices(many).all()
    assert all_of_them.rate == pytest.approx(few.rate / 10, rel=0.06)
    asked_again = [one._replace(stands_for=10) for one in made]
    wide = Slices(asked_again).all()
    assert wide.rate == pytest.approx(few.rate)
    assert wide.high - wide.low == pytest.approx(few.high - few.low, rel=0.01)


def test_labels_count_by_their_chance_and_what_somebody_picked_not_at_all() -> None:
    def made(chance: float | None) -> list[Judged]:
        one = next(answers(1, lambda *of: 0.0))._replace(entry="latte")
        wrong = Outcome(0.98, "label")
        evenly = [one._replace(known=wrong, chance=0.01)] * 4 + [one] * 196
        others = [one._replace(entry="mocha", known=wrong, chance=chance)] * 40 + [one._replace(entry="mocha")] * 160
        return evenly + others

    tenth = Slices(made(0.1))
    assert tenth.worst() == []
    rates = {one.key[1]: one.known.rate for one in tenth.kind("entry", 9)}
    assert rates == {"latte": pytest.approx(0.02), "mocha": pytest.approx(0.02)}
    assert Slices(made(0.01)).worst()[0].key == ("entry", "mocha")
    assert [one.known.rate for one in Slices(made(None)).kind("entry", 9) if one.key[1] == "mocha"] == [0]


def labelled(seed: int, labels: int, rate: float) -> list[Judged]:
    """Of 2,000; those that are unsure are labelled more often."""
    rng, made = np.random.default_rng(seed), []
    for one in answers(2000, lambda facts, drink: rate, seed=seed):
        unsure = (one.facts.confidence or 0) < 0.75
        chance = min(1.0, labels / 2000 * (1.6 if unsure else 0.8))
        if rng.random() < chance:
            is_wrong = rng.random() < rate * (2 if unsure else 0.5)
            known = Outcome(0.98 if is_wrong else 0.02, "label")
            one = one._replace(known=known, chance=chance, stands_for=1)
        made.append(one)
    return made


def test_labels_tell_how_many_are_wrong() -> None:
    truth = []
    for seed in range(30):
        made = labelled(seed, 150, 0.2)
        unsure = np.mean([(one.facts.confidence or 0) < 0.75 for one in made])
        found = estimated(made)
        assert found is not None
        truth.append(found.low <= 0.2 * (2 * unsure + 0.5 * (1 - unsure)) <= found.high)
    # 90 % intervals.
    assert sum(truth) >= 23
    assert estimated(labelled(1, LABELS_MIN // 3, 0.2)) is None


def test_where_all_that_was_said_has_a_label_these_alone_tell() -> None:
    first_days = [one._replace(chance=1.0) for one in answers(40, lambda *of: 0.2, says=1.0)]
    known = [one._replace(known=one.known or RIGHT) for one in first_days]
    found = estimated(known)
    assert found is not None
    assert (found.labels, found.utterances) == (40, 40)
    assert found.low <= sum(one.is_wrong for one in known) / 40 <= found.high


def test_how_sure_is_beside_how_right() -> None:
    bands = sureness(labelled(4, 400, 0.2))
    assert [(one.low, one.high) for one in bands][-2:] == [(0.8, 0.95), (0.95, 1.0)]
    unsure, sure = (next(one for one in bands if one.low == low) for low in (0.5, 0.8))
    assert 1 - unsure.wrong.rate < 1 - sure.wrong.rate
    assert sure.wrong.low < 0.1 < sure.wrong.high
    assert sureness([]) == []


def test_what_was_heard_instead_is_named_and_another_sentence_is_not() -> None:
    one = next(answers(1, lambda *of: 0.0))
    made = [
        one._replace(transcript="a large flight please", truth="A large flat white, please."),
        one._replace(transcript="stop the time", truth="stop the timer"),
        one._replace(transcript="now stop the time", truth="stop the timer"),
        one._replace(transcript="what is the weather", truth="add oat milk to the shopping list today"),
        one._replace(transcript="um stop", truth="stop"),
        one._replace(transcript="stop"),
    ]
    assert [(each.said, each.heard, len(each.places)) for each in instead(made)] == [
        ("timer", "time", 2),
        ("", "now", 1),
        ("flat white", "flight", 1),
    ]
