"""The final of an utterance on the wire."""

from cloud.decoders import Hypothesis
from cloud.final import DATA_BYTES_MAX, final, response
from cloud.finding.search import Found
from cloud.understanding.block import Block
from cloud.understanding.parse import Meaning
from cloud.understanding.understand import Outcome, Understood
from protos import speech_pb2

ORDER = Block("order", frozenset(), frozenset(), "order.add", "A {size} one.", 0.5, 0.3)
NAME = ORDER._replace(intent="", action=None, response=None)


def understood(block: Block, size: str) -> Understood:
    return Understood(
        block, Meaning(0, {"size": size}, {"size": size[0].upper()}, 0.0), f"a {size} one", "whisper", 0.9
    )


def told(outcome: Outcome, *found: Found, explain: bool = False) -> speech_pb2.Final:
    heard = Hypothesis("whisper", "tiny.en", "A large one.")
    domain = speech_pb2.Domain(name="shop")
    return final(heard, outcome, found, domain, waiting_ms=1, decoding_ms=2, searching_ms=3, explain=explain)


def test_an_intent_has_words_values_an_action_and_a_response() -> None:
    intent = told(Outcome(understood(ORDER, "large"))).intent
    assert (intent.name, dict(intent.slots), dict(intent.values)) == ("order", {"size": "large"}, {"size": "L"})
    assert (intent.action, intent.response) == ("order.add", "A large one.")
    assert round(intent.confidence, 3) == 0.9


def test_a_name_is_no_intent_and_nothing_understood_is_none() -> None:
    assert not told(Outcome(understood(NAME, "large"))).HasField("intent")
    assert not told(Outcome()).HasField("intent")


def test_choices_ask_and_do_not_act() -> None:
    asked = told(Outcome(None, (understood(ORDER, "large"), understood(ORDER, "small"))))
    assert [choice.transcript for choice in asked.choices] == ["a large one", "a small one"]
    assert [choice.intent.slots["size"] for choice in asked.choices] == ["large", "small"]
    assert not asked.HasField("intent")
    assert not any(choice.intent.HasField("action") for choice in asked.choices)


def test_it_is_explained_where_that_was_asked_for() -> None:
    why = Outcome(explanation=("Because.",))
    assert list(told(why, explain=True).explanation) == ["Because."]
    assert list(told(why).explanation) == []


def test_what_an_action_needs_goes_along_unless_it_is_too_much() -> None:
    tea = Found("tea", "Tea", "", 1.0, None, "order.add", '{"cups": 2}')
    much = tea._replace(data='{"x": "' + "y" * DATA_BYTES_MAX + '"}')
    assert [result.data_json for result in told(Outcome(), tea, much).results] == ['{"cups": 2}', ""]


def test_a_response_without_its_slot_is_not_said() -> None:
    assert response("A {size} one.", {}) is None
    assert response(None, {"size": "small"}) is None
    assert response("Done.", {}) == "Done."
