"""What is known of right and wrong, and who asks again."""

from typing import Any

import pytest

from cloud.drift.facts import Facts
from cloud.outcomes import reask as reasks
from cloud.outcomes.outcome import Answered, Outcome, Said, outcome, plain_words, said_of
from cloud.outcomes.reask import WITHIN_S, Conversations, Turn, reask, turn_of
from protos import speech_pb2

ANSWERED = Answered("play jazz", ("music-jazz", "music-chess"))


def said(by: str = "ann", **what: object) -> Said:
    return Said(by, 1, **what)  # type: ignore[arg-type]


def test_nothing_is_known_of_an_answer_that_nobody_said_anything_of() -> None:
    assert outcome(ANSWERED) is None
    assert outcome(ANSWERED, [said()]) is None
    assert outcome(ANSWERED, reask=0.3) is None


@pytest.mark.parametrize(
    ("what", "is_wrong", "source"),
    [
        ({"verdict": True}, False, "verdict"),
        ({"verdict": False}, True, "verdict"),
        ({"text": "Play jazz!"}, False, "said"),
        ({"text": "play chess"}, True, "said"),
        ({"text": "play jazz", "verdict": False}, True, "said"),
        ({"result_id": "music-jazz"}, False, "meant"),
        ({"result_id": "music-chess"}, True, "meant"),
    ],
)
def test_what_a_person_says_tells_right_from_wrong(what: dict[str, Any], is_wrong: bool, source: str) -> None:
    found = outcome(ANSWERED, [said(**what)])
    assert found is not None
    assert (found.wrong > 0.5, found.source) == (is_wrong, source)


def test_a_label_counts_more_than_what_users_say() -> None:
    found = outcome(ANSWERED, [said(verdict=False), said("label.ben", verdict=True)], reask=0.9)
    assert found is not None
    assert (found.source, found.wrong < 0.5, found.weight) == ("label", True, 1.0)


def test_who_contradicts_each_other_is_disputed_and_weighs_nothing() -> None:
    found = outcome(ANSWERED, [said("ann", verdict=False), said("ben", verdict=True)])
    assert found is not None
    assert (found.is_disputed, found.wrong, found.weight) == (True, 0.5, 0.0)


def test_who_asks_again_or_another_model_is_heard_where_nobody_says_anything() -> None:
    assert outcome(ANSWERED, reask=0.8, shadow_agrees=True) == Outcome(0.8, "reask")
    shadow, local = outcome(ANSWERED, shadow_agrees=False), outcome(ANSWERED, local_agrees=True)
    assert shadow is not None and local is not None
    assert shadow.wrong > local.wrong


def test_only_what_shows_a_wrong_answer_is_a_complaint() -> None:
    wrong, right = outcome(ANSWERED, [said(verdict=False)]), outcome(ANSWERED, [said(verdict=True)])
    other = outcome(ANSWERED, shadow_agrees=False)
    disputed = outcome(ANSWERED, [said("ann", verdict=False), said("ben", verdict=True)])
    assert wrong is not None and right is not None and other is not None and disputed is not None
    assert (right.complaint, disputed.complaint) == (0.0, 0.0)
    assert 0 < other.complaint < 0.2 < 0.8 < wrong.complaint < 1


def test_fillers_digits_and_stops_are_no_error() -> None:
    assert plain_words("Um, set it to 20 degrees.") == plain_words("set it to twenty degrees")


def test_the_last_word_of_each_person_counts() -> None:
    def request(by: str | None, at_unix_us: int, verdict: speech_pb2.Verdict) -> speech_pb2.FeedbackRequest:
        made = speech_pb2.FeedbackRequest(given_at_unix_us=at_unix_us, verdict=verdict)
        if by is not None:
            made.given_by = by
        return made

    wrong, right = speech_pb2.VERDICT_WRONG, speech_pb2.VERDICT_RIGHT
    found = said_of([request("ann", 3, right), request("ann", 1, wrong), request(None, 2, wrong)])
    assert [(one.by, one.verdict) for one in found] == [(None, False), ("ann", True)]
    assert said_of([request("label.ben", 1, right)])[0].labeller == "ben"


def turn(transcript: str, at_s: float = 0.0, **more: object) -> Turn:
    return Turn("kitchen", at_s, at_s + 2, transcript, **more)  # type: ignore[arg-type]


def order(transcript: str, drink: str, at_s: float = 0.0, confidence: float = 0.9) -> Turn:
    return turn(transcript, at_s, intent="orderDrink", slots={"drink": drink, "size": "large"}, confidence=confidence)


def test_who_says_the_same_again_after_nothing_was_understood_asks_again() -> None:
    for first in (turn(""), turn("uh lodge mocha")):
        asked = reask(first, order("a large mocha", "mocha", 5))
        assert asked is not None and asked > 0.5


def test_who_changes_a_word_of_what_was_misheard_asks_again() -> None:
    alike = reask(order("a large mocha", "mocha", confidence=0.6), order("a large latte", "latte", 5))
    other = reask(
        order("a large mocha", "mocha", confidence=0.6),
        turn("turn off the kitchen light", 5, intent="lightOff", slots={"room": "kitchen"}, confidence=0.9),
    )
    assert alike is not None and other is not None
    assert alike > 0.5 > 0.3 > other


def test_who_goes_on_or_means_it_twice_does_not_ask_again() -> None:
    louder = turn("louder", intent="volume", slots={"change": "up"}, confidence=0.9)
    twice = reask(louder, louder._replace(asked_at_s=4.0, answered_at_s=6.0))
    light = turn("turn on the hall light", intent="lightOn", slots={"room": "hall"}, confidence=0.9)
    on = reask(light, turn("and now the kitchen light", 5, intent="lightOn", slots={"room": "kitchen"}, confidence=0.9))
    assert twice is not None and twice < 0.2
    assert on is not None and on < 0.05


def test_who_corrects_is_told_by_the_opening() -> None:
    light = turn("turn on the hall light", intent="lightOn", slots={"room": "hall"}, confidence=0.9)
    kitchen = turn("the kitchen light", 5, intent="lightOn", slots={"room": "kitchen"}, confidence=0.9)
    plain, corrected = reask(light, kitchen), reask(light, kitchen._replace(transcript="no the kitchen light"))
    assert plain is not None and corrected is not None
    assert corrected > plain + 0.3


def test_another_board_or_another_time_or_the_rest_of_a_sentence_is_no_reask() -> None:
    first, second = turn(""), turn("a large mocha", 5)
    assert reask(first, second) is not None
    assert reask(first, second._replace(device_id="hall")) is None
    assert reask(first, second._replace(asked_at_s=2 + WITHIN_S + 0.1)) is None
    assert reask(first, second._replace(asked_at_s=1.0)) is None
    assert reask(first, second._replace(goes_on=True)) is None


def test_what_sounds_alike_is_alike_where_phones_are_known() -> None:
    phones = {"right": (b"\1\2\3",), "write": (b"\1\2\3",), "stop": (b"\7\x08\x09",)}
    asked = [reask(turn("write"), turn(second, 4), lambda text: phones[text]) for second in ("right", "stop")]
    assert asked[0] is not None and asked[1] is not None
    assert asked[0] > asked[1]


def test_each_board_has_a_conversation_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    talk = Conversations()
    assert talk.push("u-1", turn("")) is None
    assert talk.push("u-2", turn("a large mocha", 5)._replace(device_id="hall")) is None
    told = talk.push("u-3", order("a large mocha", "mocha", 5))
    assert told is not None
    assert told.utterance_id == "u-1"
    assert told.probability > 0.5
    assert not told.is_repeated
    again = talk.push("u-3a", order("a large mocha", "mocha", 12))
    assert again is not None
    assert again.is_repeated
    half = talk.push("u-3b", order("a large latte", "latte", 19))
    assert half is not None
    assert half.is_repeated
    # The one that was answered well is what the next one follows.
    assert talk.push("u-4", turn("stop", 60)) is None
    monkeypatch.setattr(reasks, "BOARDS_MAX", 3)
    for number in range(5):
        talk.push("u", turn("stop")._replace(device_id=f"board-{number}"))
    assert len(talk._last) <= 4


def test_a_turn_is_what_the_log_knows_of_an_utterance() -> None:
    final = speech_pb2.Final(
        transcript="a large mocha", alternatives=[speech_pb2.Alternative(transcript="a large latte")]
    )
    final.intent.slots["size"] = "large"
    facts = Facts(
        device_id="kitchen",
        utterance_id="u",
        at_unix_us=7_000_000,
        duration_ms=2000,
        endpoint_to_final_ms=500,
        intent="orderDrink",
        confidence=0.8,
    )
    found = turn_of(facts, final)
    assert found == Turn(
        "kitchen", 7.0, 9.5, "a large mocha", "orderDrink", {"size": "large"}, False, 0.8, ("a large latte",)
    )
    assert turn_of(Facts(device_id="kitchen", utterance_id="u"), final) is None
    assert turn_of(Facts(device_id="kitchen", utterance_id="u", at_unix_us=7, replayed=True), final) is None
