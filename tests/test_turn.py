"""Whether the speaker is done: cloud/turn.py from the words, edge/turn.py for the pause."""

import pytest

from cloud.decoders import Hypothesis
from cloud.turn import completeness
from edge.turn import Completeness, Opinion, Turn
from protos import speech_pb2

WHOLE = speech_pb2.COMPLETENESS_COMPLETE
MORE = speech_pb2.COMPLETENESS_UNFINISHED
UNKNOWN = speech_pb2.COMPLETENESS_UNSPECIFIED


@pytest.mark.parametrize(
    ("transcript", "expected"),
    [
        ("Set a timer for 10 minutes.", WHOLE),
        ("what is the weather in oslo", WHOLE),
        ("Set a timer for", MORE),
        ("Set a timer for 10.", MORE),
        ("call five five", MORE),
        ("My name is J.", MORE),
        ("Turn on the light,", MORE),
        ("So I thought...", MORE),
        ("play", MORE),
        ("um", MORE),
        ("Stop.", UNKNOWN),
        ("", UNKNOWN),
        ("...", UNKNOWN),
    ],
)
def test_open_speech(transcript: str, expected: int) -> None:
    assert completeness(Hypothesis("whisper", "tiny.en", transcript), under_grammar=False) == expected


def test_a_sentence_of_the_grammar_is_whole_whatever_its_last_word() -> None:
    order = Hypothesis("pocketsphinx", "en-us", "a latte with milk and sugar for one", by_grammar=True)
    assert completeness(order, under_grammar=True) == WHOLE


def test_other_words_say_little_where_sentences_of_a_grammar_are_expected() -> None:
    assert completeness(Hypothesis("whisper", "tiny.en", "A large coffee."), under_grammar=True) == UNKNOWN
    assert completeness(Hypothesis("whisper", "tiny.en", "Can I get a"), under_grammar=True) == MORE


def test_doubted_words_say_nothing() -> None:
    doubted = Hypothesis("whisper", "tiny.en", "Thank you very much.", doubts=("ghost",))
    assert completeness(doubted, under_grammar=False) == UNKNOWN


def test_the_newest_opinion_counts_and_only_for_its_pause() -> None:
    turn = Turn()
    assert turn.opinion("u1", 500) is Completeness.UNKNOWN
    turn.tell(Opinion("u1", 500, Completeness.COMPLETE))
    assert turn.opinion("u1", 500) is Completeness.COMPLETE
    assert turn.opinion("u1", 900) is Completeness.UNKNOWN
    assert turn.opinion("u2", 500) is Completeness.UNKNOWN
    turn.tell(Opinion("u1", 900, Completeness.UNFINISHED))
    assert turn.opinion("u1", 500) is Completeness.UNKNOWN
    assert turn.opinion("u1", 900) is Completeness.UNFINISHED
