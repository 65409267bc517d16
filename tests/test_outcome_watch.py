"""The log's answers, watched for what is right: re-asks, feedback and labels together."""

from collections.abc import Callable, Iterator

import msgspec
import numpy as np
import pytest

from cloud.drift.facts import Facts
from cloud.outcomes import outcome_watch
from cloud.outcomes.concept import Concept
from cloud.outcomes.convention import Convention
from cloud.outcomes.outcome import LABELLED_BY
from cloud.outcomes.outcome_watch import Answer, OutcomeWatch
from protos import speech_pb2

DRINKS = ("latte", "mocha", "espresso", "americano")
REFERENCE = 300
Wrong = Callable[[str], bool]


def answer(number: int, at_s: float, drink: str, confidence: float = 0.9, words: str = "") -> Answer:
    facts = Facts(
        device_id="counter",
        utterance_id=f"u-{number}",
        at_unix_us=round(at_s * 1e6),
        duration_ms=1000,
        endpoint_to_final_ms=300,
        intent="orderDrink",
        confidence=confidence,
        results_count=1,
    )
    final = speech_pb2.Final(transcript=words or f"a {drink}", results=[speech_pb2.SearchResult(id=drink)])
    final.intent.name = "orderDrink"
    final.intent.slots["drink"] = drink
    return Answer(facts, final)


def talk(count: int, first: int, wrong: Wrong, feedback: bool = True) -> Iterator[Answer]:
    """One every minute; of what is wrong, people say so half of the time."""
    at_random = np.random.default_rng(first)
    for number in range(first, first + count):
        drink = DRINKS[int(at_random.integers(4))]
        confidence = float(np.clip(at_random.normal(0.88, 0.05), 0.5, 0.99))
        made = answer(number, 60.0 * number, drink, confidence)
        if feedback and wrong(drink) and at_random.random() < 0.5:
            said = speech_pb2.FeedbackRequest(
                feedback_id=str(number), given_by="phone", verdict=speech_pb2.VERDICT_WRONG
            )
            made = made._replace(requests=[said])
        yield made


def label(number: int, text: str, by: str) -> speech_pb2.FeedbackRequest:
    return speech_pb2.FeedbackRequest(
        feedback_id=f"l-{number}", given_by=LABELLED_BY + by, transcript=text, verdict=speech_pb2.VERDICT_RIGHT
    )


def test_feedback_on_one_word_is_told_of_that_word() -> None:
    watch = OutcomeWatch(reference=REFERENCE)
    calm = [one for each in talk(REFERENCE + 100, 0, lambda drink: False) for one in watch.push(each)]
    assert calm == []
    told = [one for each in talk(150, 1000, lambda drink: drink == "latte") for one in watch.push(each)]
    assert [type(one) for one in told] == [Concept]
    assert isinstance(told[0], Concept)
    assert told[0].key[1] == "latte"


def test_who_asks_again_is_as_good_as_who_says_so() -> None:
    watch = OutcomeWatch(reference=REFERENCE)
    assert [one for each in talk(REFERENCE + 50, 0, lambda drink: False) for one in watch.push(each)] == []
    told = []
    for number in range(60):
        at_s = 60.0 * (1000 + number)
        told += watch.push(answer(5000 + 2 * number, at_s, "mocha", 0.88))
        # Five seconds later, the same.
        told += watch.push(answer(5001 + 2 * number, at_s + 5, "mocha", 0.88))
    assert any(isinstance(one, Concept) for one in told)


def test_who_asks_again_after_an_unsure_answer_shows_that_it_was_wrong() -> None:
    watch = OutcomeWatch(reference=10)
    unsure = answer(1, 0, "mocha", 0.5, words="a large mocha with milk")
    other = answer(2, 5, "latte", 0.9, words="a large mocha with milk")
    watch.push(unsure)
    watch.push(other)
    watch.push(answer(3, 600, "latte"))
    assert [one.complaint > 0 for one in watch._past] == [True, False]


def test_a_label_that_comes_late_counts_as_one_that_was_there() -> None:
    watch = OutcomeWatch(reference=REFERENCE)
    seen = [each._replace(is_chosen=True) for each in talk(60, 2000, lambda drink: False)]
    for each in [*talk(REFERENCE + 50, 0, lambda drink: False), *seen]:
        assert watch.push(each) == []
    told = []
    for number, each in enumerate(seen):
        assert watch.label(each) == []
        said = speech_pb2.FeedbackRequest(given_by="phone", verdict=speech_pb2.VERDICT_WRONG)
        assert watch.label(each._replace(requests=[said])) == []
        wrong = speech_pb2.FeedbackRequest(
            feedback_id=str(number), given_by=LABELLED_BY + "ann", verdict=speech_pb2.VERDICT_WRONG
        )
        told += watch.label(each._replace(requests=[wrong]))
    assert isinstance(told[0], Concept)
    assert told[0].labels >= 3


def test_a_labeller_who_writes_otherwise_is_told() -> None:
    watch = OutcomeWatch(reference=REFERENCE)
    for number, each in enumerate(talk(REFERENCE + 40, 0, lambda drink: False)):
        text = each.final.transcript.capitalize() + "."
        assert watch.push(each._replace(requests=[label(number, text, "ann")], is_chosen=True)) == []
    told = []
    for number, each in enumerate(talk(40, 3000, lambda drink: False)):
        told += watch.push(each._replace(requests=[label(number, each.final.transcript, "ben")], is_chosen=True))
    assert told
    assert all(isinstance(one, Convention) and one.labeller == "ben" for one in told)


def test_who_starts_anew_knows_the_same() -> None:
    answers = [*talk(REFERENCE, 0, lambda drink: False), *talk(200, 1000, lambda drink: drink == "latte")]
    once, again = OutcomeWatch(reference=REFERENCE), OutcomeWatch(reference=REFERENCE)
    first = [one for each in answers for one in once.push(each)]
    assert first
    assert [one for each in answers for one in again.push(each)] == first


def test_what_followed_answers_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outcome_watch, "WAITING_MAX", 3)
    watch = OutcomeWatch(reference=1000)
    for number in range(0, 60, 3):
        at_s = 600.0 * number
        said = answer(number, at_s, "latte")
        watch.push(said._replace(facts=msgspec.structs.replace(said.facts, duration_ms=30_000)))
        # Another board's: what was said 32 s ago waits no longer.
        said = answer(number + 1, at_s + 32, "latte")
        watch.push(said._replace(facts=msgspec.structs.replace(said.facts, device_id="hall")))
        watch.push(answer(number + 2, at_s + 35, "mocha"))
    assert 0 < len(watch._followed) <= 3
