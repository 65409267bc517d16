"""Whether the speaker is done: cloud/turn.py from the words, edge/speech/turn.py from words and voice."""

import pytest

from cloud.decoders import Hypothesis
from cloud.turn import completeness
from edge.settings import Segmenter
from edge.speech.prosody import Voice
from edge.speech.turn import Completeness, HangOvers, Opinion, Turn
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
    assert completeness(Hypothesis("whisper", "tiny.en", transcript), understood=False, open_speech=True) == expected


def test_a_command_that_was_understood_is_whole_whatever_its_last_word() -> None:
    order = Hypothesis("pocketsphinx", "en-us", "a latte with milk and sugar for one")
    assert completeness(order, understood=True, open_speech=False) == WHOLE


def test_other_words_say_little_where_commands_are_expected() -> None:
    for words, said in (("A large coffee.", UNKNOWN), ("Can I get a", MORE)):
        assert completeness(Hypothesis("whisper", "tiny.en", words), understood=False, open_speech=False) == said


def test_doubted_words_say_nothing() -> None:
    doubted = Hypothesis("whisper", "tiny.en", "Thank you very much.", doubts=("ghost",))
    assert completeness(doubted, understood=False, open_speech=True) == UNKNOWN


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


@pytest.mark.parametrize(
    ("words", "voice", "expected_ms"),
    [
        (Completeness.UNFINISHED, Voice.FALLING, 900),
        (Completeness.UNFINISHED, Voice.LEVEL, 900),
        (Completeness.UNFINISHED, Voice.UNKNOWN, 900),
        (Completeness.COMPLETE, Voice.FALLING, 400),
        (Completeness.COMPLETE, Voice.LEVEL, 400),
        (Completeness.COMPLETE, Voice.UNKNOWN, 400),
        (Completeness.UNKNOWN, Voice.FALLING, 500),
        (Completeness.UNKNOWN, Voice.LEVEL, 700),
        (Completeness.UNKNOWN, Voice.UNKNOWN, 700),
    ],
)
def test_words_say_how_long_to_wait_and_where_they_say_nothing_the_voice(
    words: Completeness, voice: Voice, expected_ms: int
) -> None:
    assert HangOvers.within(Segmenter()).after(words, voice) * 20 == expected_ms


@pytest.mark.parametrize(
    ("cut", "expected"),
    [
        (Segmenter(), (20, 25, 35, 45)),
        (Segmenter(hang_over_ms=300), (15, 15, 15, 45)),
        (Segmenter(hang_over_ms=1600), (20, 40, 80, 80)),
        (Segmenter(hang_over_ms_min=700, hang_over_ms_max=700), (35, 35, 35, 35)),
        (Segmenter(hang_over_ms_min=100, hang_over_ms=110), (5, 5, 5, 45)),
    ],
)
def test_no_hang_over_leaves_the_owners_bounds(cut: Segmenter, expected: tuple[int, ...]) -> None:
    assert HangOvers.within(cut) == expected


@pytest.mark.parametrize(
    ("cut", "first_ms"),
    [
        (Segmenter(), 400),
        (Segmenter(hang_over_ms_min=200), 200),
        (Segmenter(hang_over_ms_min=600), 400),
        (Segmenter(hang_over_ms_min=700), None),
    ],
)
def test_the_voice_is_asked_for_when_a_pause_is_long_and_it_can_matter(cut: Segmenter, first_ms: int | None) -> None:
    asked = [blocks * 20 for blocks in range(100) if HangOvers.within(cut).asks_voice(blocks)]
    assert asked[:1] == ([] if first_ms is None else [first_ms])
