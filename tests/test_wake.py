"""Listening after a phrase, with a word that counts as heard where the test says so; each letter is a block of 20 ms.

_ silence, # speech, W speech with which the phrase counts as heard, w the same without speech
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
import pytest

from edge.sound.source import BLOCK_SAMPLES, Block, Interruption, Samples
from edge.speech.hearing import hear
from edge.speech.utterance import EndReason
from edge.speech.utterance_maker import JudgedBlock
from edge.speech.wake import EAGER_PROBABILITY, PAUSE_BLOCKS, TAIL_BLOCKS, Wake
from tests.test_hearing import CUT, ListSource, LoudGate, assemble

LAG_BLOCKS = 6
WINDOW_S = 1.0
HEARD = 20_000


class Word:
    """Hears what is marked."""

    phrase: Final = "okay parrot"
    lag_ms = LAG_BLOCKS * 20

    def __init__(self) -> None:
        self.probability = 0.0
        self.heard: list[int] = []
        self.resets = 0

    def hear(self, samples: Samples) -> bool:
        self.heard.append(int(samples[0]))
        return int(samples[0]) == HEARD

    def reset(self) -> None:
        self.resets += 1


def blocks(letters: str) -> list[JudgedBlock]:
    """The first sample of each tells its place, but for the mark."""
    return [
        JudgedBlock(
            np.full(BLOCK_SAMPLES, HEARD if letter in "Ww" else place, np.int16), place, 0.0, 0, 1.0, letter in "#W"
        )
        for place, letter in enumerate(letters)
    ]


def admitted(wake: Wake, letters: str) -> list[int]:
    """Places of the blocks that may become part of an utterance."""
    return [one.position for block in blocks(letters) for one in wake.admit(block)]


@pytest.fixture
def wake() -> Wake:
    return Wake(Word(), WINDOW_S)


def test_without_the_phrase_nothing_is_admitted(wake: Wake) -> None:
    assert admitted(wake, "_" * 20 + "#" * 200 + "_" * 100) == []
    assert not wake.listening()


def test_after_the_phrase_and_a_pause_what_follows_the_phrase_is_admitted(wake: Wake) -> None:
    letters = "#" * 30 + "____w___######"
    places = admitted(wake, letters)
    assert places == list(range(30, len(letters)))
    assert wake.listening()


def test_a_phrase_that_is_heard_before_its_end_is_not_admitted_either(wake: Wake) -> None:
    tail = TAIL_BLOCKS - LAG_BLOCKS - 2
    letters = "#" * 30 + "W" + "#" * tail + "_" * 20
    assert admitted(wake, letters) == list(range(31 + tail, len(letters)))


def test_speech_in_the_same_breath_is_admitted_from_where_the_phrase_should_have_ended(wake: Wake) -> None:
    letters = "#" * 30 + "W" + "#" * 40
    assert admitted(wake, letters) == list(range(30 - LAG_BLOCKS, len(letters)))


def test_lips_closed_for_a_moment_are_no_pause(wake: Wake) -> None:
    letters = "#" * 30 + "W##____" + "#" * 40
    assert admitted(wake, letters) == list(range(30 - LAG_BLOCKS, len(letters)))


def test_a_short_word_in_the_same_breath_is_admitted(wake: Wake) -> None:
    word = "#" * (TAIL_BLOCKS - LAG_BLOCKS)
    letters = "#" * 30 + "W" + word + "_" * 20
    assert admitted(wake, letters) == list(range(30 - LAG_BLOCKS, len(letters)))


def test_what_may_be_the_phrase_counts_only_where_it_is_eager() -> None:
    word, eager = Word(), False
    wake = Wake(word, WINDOW_S, eager=lambda: eager)
    word.probability = EAGER_PROBABILITY
    assert admitted(wake, "_" * 20) == []
    eager = True
    word.probability = EAGER_PROBABILITY - 0.01
    assert admitted(wake, "_" * 20) == []
    word.probability = EAGER_PROBABILITY
    assert admitted(wake, "_" * 20) != []
    assert wake.listening()


def test_it_sleeps_again_when_nobody_speaks_in_time(wake: Wake) -> None:
    letters = "w" + "_" * 100 + "#" * 50
    places = admitted(wake, letters)
    assert places == list(range(PAUSE_BLOCKS + round(WINDOW_S * 50)))
    assert not wake.listening()


def test_an_utterance_that_began_in_time_is_admitted_to_its_end_and_nothing_after_it(wake: Wake) -> None:
    admitted(wake, "w" + "_" * PAUSE_BLOCKS)
    wake.heard_onset()
    assert admitted(wake, "#" * 200) == list(range(200))
    wake.heard_end()
    assert not wake.listening()
    assert admitted(wake, "#" * 50) == []


def test_a_press_wakes_it_too_and_changes_nothing_during_an_utterance(wake: Wake) -> None:
    wake.press()
    assert wake.listening()
    assert admitted(wake, "___") == [0, 1, 2]
    wake.heard_onset()
    wake.press()
    assert admitted(wake, "#") == [0]
    wake.heard_end()
    assert admitted(wake, "#####") == []


def test_a_press_that_nothing_was_heard_after_is_forgotten() -> None:
    """As of a board whose microphone is away; hours later it hears again."""
    now_s = [100.0]
    wake = Wake(Word(), WINDOW_S, clock=lambda: now_s[0])
    wake.press()
    now_s[0] += WINDOW_S
    assert not wake.listening()
    assert admitted(wake, "#####") == []
    wake.press()
    assert admitted(wake, "#####") == [0, 1, 2, 3, 4]


def test_another_stretch_of_time_puts_it_to_sleep(wake: Wake) -> None:
    admitted(wake, "w" + "_" * PAUSE_BLOCKS)
    assert wake.listening()
    wake.interrupted()
    assert not wake.listening()
    admitted(wake, "#" * LAG_BLOCKS + "W")
    wake.interrupted()
    assert admitted(wake, "#" * 100) == []


def test_the_word_is_not_listened_for_while_it_is_awake_and_starts_anew_then() -> None:
    word = Word()
    wake = Wake(word, WINDOW_S)
    admitted(wake, "w" + "_" * (PAUSE_BLOCKS - 1))
    heard = len(word.heard)
    admitted(wake, "_" * 30)
    assert len(word.heard) == heard
    admitted(wake, "_" * 100)
    assert word.resets == 1
    assert len(word.heard) > heard


def sound(letters: str) -> list[Block | Interruption]:
    """Speech is loud; the mark is louder."""
    levels = {"_": 0, "#": 5000, "W": HEARD, "w": HEARD}
    sign = np.where(np.arange(BLOCK_SAMPLES) % 2, -1, 1)
    return [Block((sign * levels[letter]).astype(np.int16)) for letter in letters]


def test_only_what_follows_the_phrase_becomes_an_utterance(wake: Wake) -> None:
    before, phrase, after = "#" * 100 + "_" * 50, "#" * 30 + "W", "_" * 20 + "#" * 40 + "_" * 20
    source = ListSource(sound(before + phrase + after + "#" * 100 + "_" * 50))
    [whole] = assemble(hear(source, gate=LoudGate(), segmenter=CUT, activation=wake))
    start = whole.head.stream_start_ms // 20
    assert start >= len(before + phrase)
    assert len(whole.samples) // BLOCK_SAMPLES <= len(after)
    assert whole.end.reason is EndReason.ENDPOINT


def test_the_phrase_alone_is_no_utterance(wake: Wake) -> None:
    letters = "_" * 20 + "#" * 30 + "W" + "#" * (TAIL_BLOCKS - LAG_BLOCKS - 2) + "_" * 200
    assert assemble(hear(ListSource(sound(letters)), gate=LoudGate(), segmenter=CUT, activation=wake)) == []


def test_muting_before_anything_is_said_puts_it_to_sleep(wake: Wake) -> None:
    items = [*sound("w" + "_" * 10), Interruption("muted"), *sound("#" * 30 + "_" * 20)]
    assert assemble(hear(ListSource(items), gate=LoudGate(), segmenter=CUT, activation=wake)) == []


def test_muting_ends_what_was_begun_and_puts_it_to_sleep(wake: Wake) -> None:
    items: Sequence[Block | Interruption] = [
        *sound("w" + "_" * 10 + "#" * 30),
        Interruption("muted"),
        *sound("#" * 50),
    ]
    [whole] = assemble(hear(ListSource(items), gate=LoudGate(), segmenter=CUT, activation=wake))
    assert whole.end.reason is EndReason.MUTED
