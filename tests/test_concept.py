"""What right means has changed: told, and told from what comes in."""

from collections.abc import Callable, Iterator
from datetime import datetime

import msgspec
import numpy as np
import pytest

from cloud.drift.facts import Facts
from cloud.outcomes.concept import Concept, ConceptWatch, Over, Seen, keys_of
from cloud.outcomes.convention import Convention, ConventionWatch, Written, marks
from cloud.outcomes.promise import Past, Promises
from cloud.outcomes.wager import ODDS, Wager, gain

DRINKS = ("latte", "mocha", "espresso", "americano")
Change = Callable[[Seen, np.random.Generator], Seen]


def answers(count: int, seed: int, *, change: Change | None = None) -> Iterator[Seen]:
    """Of a counter where two of 100 answers are complained of."""
    at_random = np.random.default_rng(seed)
    for number in range(count):
        drink = DRINKS[int(at_random.integers(len(DRINKS)))]
        facts = Facts(
            device_id="counter",
            utterance_id=f"{seed}-{number}",
            at_unix_us=number * 60_000_000,
            model="one",
            intent="orderDrink",
            confidence=float(np.clip(at_random.normal(0.85, 0.1), 0.1, 0.99)),
            snr_db=float(at_random.normal(20, 3)),
            noise_floor_dbfs=float(at_random.normal(-60, 2)),
        )
        seen = Seen(facts, ("a", drink), drink, 0.9 if at_random.random() < 0.02 else 0.0)
        yield seen if change is None else change(seen, at_random)


@pytest.fixture(scope="module")
def promises() -> Promises:
    return Promises([Past(one.facts, keys_of(one), one.complaint) for one in answers(800, 1)])


def found(watch: ConceptWatch, seen: Iterator[Seen]) -> list[tuple[int, Concept | Over]]:
    told = ((number, watch.push(one)) for number, one in enumerate(seen))
    return [(number, one) for number, one in told if one is not None]


def latte_is_wrong(seen: Seen, at_random: np.random.Generator) -> Seen:
    return seen._replace(complaint=0.9) if "latte" in seen.words and at_random.random() < 0.5 else seen


def test_a_word_whose_right_answer_changes_is_named(promises: Promises) -> None:
    ((number, concept),) = found(ConceptWatch(promises), answers(400, 2, change=latte_is_wrong))
    assert isinstance(concept, Concept)
    assert number < 100
    assert (concept.kind, concept.key[1]) == ("meaning", "latte")
    assert concept.wrong > 5 * concept.promised
    assert all(device == "counter" for device, _ in concept.utterance_ids)
    assert len(concept.utterance_ids) >= 3
    assert "latte" in concept.sentence()
    assert "parrotlet-cloud label" in concept.sentence()
    dated = msgspec.structs.replace(concept, since_unix_us=1_788_739_200_000_000)
    began = datetime.fromtimestamp(1_788_739_200)
    assert f"has changed since {began.day} {began:%B %H:%M}: " in dated.sentence()


def test_nothing_is_told_while_nothing_changes(promises: Promises) -> None:
    assert found(ConceptWatch(promises), answers(2500, 3)) == []


def test_another_model_that_came_with_it_is_named(promises: Promises) -> None:
    def change(seen: Seen, at_random: np.random.Generator) -> Seen:
        facts = msgspec.structs.replace(seen.facts, model="two")
        return seen._replace(facts=facts, complaint=0.9 if at_random.random() < 0.2 else 0.0)

    watch = ConceptWatch(promises)
    assert found(watch, answers(100, 4)) == []
    told = found(watch, answers(300, 5, change=change))
    concept = told[0][1]
    assert isinstance(concept, Concept)
    assert concept.kind == "update"
    assert concept.update is not None
    assert (concept.update.what, concept.update.before, concept.update.after) == ("model", "one", "two")
    assert "two" in concept.cause
    assert "Go back to one" in concept.sentence()
    assert len(told) == 1


def test_a_model_that_came_long_before_is_not_blamed(promises: Promises) -> None:
    def two(seen: Seen, at_random: np.random.Generator) -> Seen:
        return seen._replace(facts=msgspec.structs.replace(seen.facts, model="two"))

    watch = ConceptWatch(promises)
    assert found(watch, answers(50, 4)) == []
    assert found(watch, answers(300, 5, change=two)) == []
    days = 3 * 86_400_000_000

    def later(seen: Seen, at_random: np.random.Generator) -> Seen:
        facts = msgspec.structs.replace(two(seen, at_random).facts, at_unix_us=(seen.facts.at_unix_us or 0) + days)
        return latte_is_wrong(seen._replace(facts=facts), at_random)

    ((_, concept),) = found(watch, answers(300, 6, change=later))
    assert isinstance(concept, Concept)
    assert concept.kind == "meaning"


@pytest.mark.parametrize(
    "facts",
    [{"snr_db": 5.0}, {"noise_floor_dbfs": -40.0}, {"confidence": 0.5}, {"confidence": None, "intent": None}],
)
def test_wrong_answers_that_sound_otherwise_or_are_unsure_are_no_concept(
    promises: Promises, facts: dict[str, object]
) -> None:
    def change(seen: Seen, at_random: np.random.Generator) -> Seen:
        return seen._replace(facts=msgspec.structs.replace(seen.facts, **facts), complaint=0.9)

    assert found(ConceptWatch(promises), answers(300, 7, change=change)) == []


def test_a_word_that_always_was_wrong_is_no_change() -> None:
    past = [Past(one.facts, keys_of(one), one.complaint) for one in answers(800, 8, change=latte_is_wrong)]
    assert found(ConceptWatch(Promises(past)), answers(1000, 9, change=latte_is_wrong)) == []


def test_it_is_told_once_and_then_that_it_is_over(promises: Promises) -> None:
    watch = ConceptWatch(promises)
    told = found(watch, answers(600, 10, change=latte_is_wrong))
    assert [type(one) for _, one in told] == [Concept]
    over = found(watch, answers(300, 11))
    assert [type(one) for _, one in over] == [Over]
    assert watch.standing == {}


def test_of_what_is_chosen_for_labelling_only_the_label_counts(promises: Promises) -> None:
    watch = ConceptWatch(promises)
    seen = [one._replace(is_chosen=True, complaint=0.9) for one in answers(200, 12)]
    assert found(watch, iter(seen)) == []
    told = [one for one in (watch.label(one, 1.0) for one in seen[:60]) if one is not None]
    assert isinstance(told[0], Concept)
    assert told[0].labels >= 3


def test_keys_are_bounded(promises: Promises) -> None:
    watch = ConceptWatch(promises)
    for number, one in enumerate(answers(600, 13)):
        watch.push(one._replace(words=(f"word{number}",), entry=f"entry{number}"))
    assert sum(map(len, watch._wagers.values())) <= 2 + 256 + 256


def test_a_wager_gains_nothing_in_the_mean_while_the_promise_holds() -> None:
    for promised in (0.005, 0.1, 0.6):
        for odds in ODDS:
            fair = promised * np.exp(gain(1, promised, odds)) + (1 - promised) * np.exp(gain(0, promised, odds))
            assert fair == pytest.approx(1)
            assert gain(0.5, promised, odds) >= -1e9


def test_evidence_is_that_of_all_wagers_that_were_begun() -> None:
    happened = [0.0, 1.0, 0.0, 0.7, 1.0]
    wager = Wager()
    for one in happened:
        wager.push(one, 0.1)
    slow = np.mean(
        [
            sum(np.exp(sum(gain(one, 0.1, odds) for one in happened[start:])) for start in range(len(happened)))
            for odds in ODDS
        ]
    )
    assert wager.evidence == pytest.approx(slow)
    wager.reset()
    assert wager.evidence == 0


def test_from_a_known_beginning_it_takes_less_and_luck_is_as_rare_as_said() -> None:
    passed = []
    for seed in range(200):
        at_random, wager = np.random.default_rng(seed), Wager()
        evidence = []
        for happened in at_random.random(200) < 0.1:
            wager.push(float(happened), 0.1)
            evidence.append(wager.since_start)
        passed.append(max(evidence) >= 20)
    assert np.mean(passed) <= 1 / 20 + 0.03


def test_another_model_of_which_every_sixth_answer_is_wrong_is_blamed_soon(promises: Promises) -> None:
    def change(seen: Seen, at_random: np.random.Generator) -> Seen:
        facts = msgspec.structs.replace(seen.facts, model="two")
        return seen._replace(facts=facts, complaint=0.9 if at_random.random() < 0.16 else 0.0)

    watch = ConceptWatch(promises)
    assert found(watch, answers(200, 30)) == []
    told = found(watch, answers(600, 31, change=change))
    assert isinstance(told[0][1], Concept)
    assert told[0][1].kind == "update"
    assert told[0][0] < 200


def test_another_model_that_is_as_good_is_not_blamed(promises: Promises) -> None:
    def change(seen: Seen, at_random: np.random.Generator) -> Seen:
        return seen._replace(facts=msgspec.structs.replace(seen.facts, model="two"))

    watch = ConceptWatch(promises)
    assert found(watch, answers(100, 32)) == []
    assert found(watch, answers(1500, 33, change=change)) == []


def test_false_alarms_of_a_wager_come_no_sooner_than_promised() -> None:
    lengths = []
    for seed in range(60):
        at_random, wager = np.random.default_rng(seed), Wager()
        while wager.evidence < 100 and wager.times < 1000:
            wager.push(float(at_random.random() < 0.2), 0.2)
        lengths.append(wager.times)
    assert np.mean(lengths) > 100


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Um, hello.", {"filler_comma": True, "filler_ellipsis": False, "capital": True, "stop": True}),
        ("um hello", {"filler_comma": False, "filler_ellipsis": False, "capital": False, "stop": False}),
        ("Um… hello.", {"filler_comma": False, "filler_ellipsis": True, "capital": True, "stop": True}),
        ("Set it to ten.", {"numbers_in_words": True, "capital": True, "stop": True}),
        ("Set it to 10.", {"numbers_in_words": False, "capital": True, "stop": True}),
        ("Don’t", {"straight": False, "capital": True, "stop": False}),
        ("Umbrella", {"capital": True, "stop": False}),
        ("[unintelligible]", {"capital": False}),
        ("  ", {}),
    ],
)
def test_marks_are_those_that_a_text_has_a_place_for(text: str, expected: dict[str, bool]) -> None:
    assert marks(text) == expected


def labels(count: int, seed: int, *, otherwise: str | None = None) -> Iterator[Written]:
    at_random = np.random.default_rng(seed)
    for number in range(count):
        by = ("ann", "ben", "cem")[int(at_random.integers(3))]
        slips = at_random.random() < 0.03
        filler = "um " if by == otherwise or slips else "Um, "
        yield Written(by, (filler if at_random.random() < 0.4 else "") + "Two coffees please.", number)


def test_a_labeller_who_writes_otherwise_is_named_by_few_labels() -> None:
    watch = ConventionWatch(labels(200, 1))
    assert [one for one in map(watch.push, labels(300, 2)) if one is not None] == []
    told = [(number, one) for number, one in enumerate(map(watch.push, labels(200, 3, otherwise="ben"))) if one]
    first = told[0][1]
    assert isinstance(first, Convention)
    assert told[0][0] < 80
    assert first.labeller == "ben"
    assert first.mark in ("filler_comma", "capital")
    assert {one.labeller for _, one in told} == {"ben"}
    assert first.others > first.labels / 2
    assert "ben" in first.sentence()
    assert first.example.lower().startswith("um ")


def test_what_is_agreed_counts_more_than_what_most_wrote() -> None:
    watch = ConventionWatch(labels(100, 1), agreed={"numbers_in_words": False})
    told = [one for one in map(watch.push, labels(100, 2)) if one is not None]
    # Nearly all write it otherwise: that is no agreement, and nobody's fault.
    assert told == []
    fresh = ConventionWatch([], agreed={"numbers_in_words": False})
    assert "numbers_in_words" in {one.mark for one in map(fresh.push, labels(100, 2)) if one is not None}
