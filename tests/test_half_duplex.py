"""Ears that never take the board's own sound for speech; each letter is a block of 20 ms, as in test_wake.py."""

from collections.abc import Iterator

import numpy as np
import pytest

from edge.sound.source import BLOCK_SAMPLES, Block, Interruption
from edge.speech.activation import Always, Button
from edge.speech.half_duplex import TAIL_S, HalfDuplex, OwnSound
from edge.speech.hearing import hear
from edge.speech.utterance import EndReason, Heard, UtteranceEnd, UtteranceHead
from edge.speech.wake import Wake
from tests.test_hearing import CUT, LoudGate
from tests.test_wake import HEARD, WINDOW_S, Word, blocks

LOUD = 8_000


class Clock:
    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


class Room:
    """A source in which the board's own sound is heard as loud as speech; p: it plays a sound, # somebody speaks,
    W the wake word is said, each also while it plays as P and V."""

    name = "room"

    def __init__(self, letters: str, own: OwnSound, clock: Clock) -> None:
        self._letters = letters
        self._own = own
        self._clock = clock

    def blocks(self) -> Iterator[Block | Interruption]:
        for letter in self._letters:
            plays = letter in "pV"
            if plays and not self._own.played:
                self._own.begins()
            elif not plays and self._own.played:
                self._own.ended()
            level = HEARD if letter in "WV" else LOUD if letter in "p#e" else 0
            yield Block(np.tile(np.array((level, -level), np.int16), BLOCK_SAMPLES // 2))
            self._clock.now_s += 0.02

    def close(self) -> None:
        pass


# The block in which it ends is one of them.
TAIL = round(TAIL_S / 0.02) + 1


def heard(letters: str, kind: str = "always") -> tuple[list[Heard], HalfDuplex, list[str]]:
    clock = Clock()
    own = OwnSound(clock)
    inner = {"always": Always(), "button": Button(60.0, clock), "wake": Wake(Word(), WINDOW_S, clock)}[kind]
    ears = HalfDuplex(inner, own)
    if kind == "button":
        ears.press()
    told: list[str] = []
    ears.on_woken = lambda: told.append("woken")
    sound = hear(
        Room(letters, own, clock),
        gate=LoudGate(),
        segmenter=CUT,
        activation=ears,
        hears_itself=lambda: own.heard,
    )
    return list(sound), ears, told


def spans(found: list[Heard]) -> list[tuple[int, int]]:
    """First block of speech and first block after it, of each utterance."""
    heads = [one for one in found if isinstance(one, UtteranceHead)]
    ends = [one for one in found if isinstance(one, UtteranceEnd)]
    return [
        ((head.stream_start_ms + end.speech_start_ms) // 20, (head.stream_start_ms + end.speech_end_ms) // 20)
        for head, end in zip(heads, ends, strict=True)
    ]


@pytest.mark.parametrize("kind", ["always", "button"])
def test_what_the_board_plays_and_the_room_gives_back_is_no_utterance(kind: str) -> None:
    found, _, _ = heard("_" * 50 + "p" * 100 + "e" * (TAIL - 1) + "_" * 100, kind)
    assert found == []


def test_without_the_tail_the_echo_would_be_one() -> None:
    found, _, _ = heard("_" * 50 + "p" * 100 + "_" * TAIL + "e" * (TAIL - 1) + "_" * 100)
    assert len(spans(found)) == 1


@pytest.mark.parametrize("kind", ["always", "button"])
def test_speech_right_after_the_tail_is_heard_whole(kind: str) -> None:
    begins = 50 + 100 + TAIL
    found, _, _ = heard("_" * 50 + "p" * 100 + "_" * TAIL + "#" * 60 + "_" * 100, kind)
    assert spans(found) == [(begins, begins + 60)]


def test_speech_that_begins_in_the_tail_keeps_its_beginning_as_pre_roll() -> None:
    found, _, _ = heard("_" * 50 + "p" * 100 + "_" * (TAIL - 4) + "#" * 60 + "_" * 100)
    head = next(one for one in found if isinstance(one, UtteranceHead))
    assert head.stream_start_ms // 20 <= 50 + 100 + TAIL - 4
    assert head.stream_start_ms // 20 >= 50 + 100, "none of what was played is sent"


def test_a_sound_that_will_not_wait_ends_what_is_being_said_and_it_is_answered() -> None:
    found, ears, _ = heard("_" * 50 + "#" * 60 + "p" * 100 + "_" * 100)
    assert [one.reason for one in found if isinstance(one, UtteranceEnd)] == [EndReason.MUTED]
    assert not ears.in_utterance


def test_neither_the_gate_nor_the_floor_learns_from_what_the_board_plays() -> None:
    class Counting(LoudGate):
        asked = 0

        def is_speech(self, samples: np.ndarray) -> bool:
            self.asked += 1
            return super().is_speech(samples)

    clock, gate = Clock(), Counting()
    own = OwnSound(clock)
    list(
        hear(Room("_" * 10 + "p" * 30 + "_" * 10, own, clock), gate=gate, segmenter=CUT, hears_itself=lambda: own.heard)
    )
    assert gate.asked == 10


def test_the_noise_of_a_room_is_what_it_is_without_the_boards_own_sound() -> None:
    floors = []
    for before in ("_" * 10, "_" * 10 + "p" * 500 + "_" * TAIL):
        found, _, _ = heard(before + "#" * 60 + "_" * 40)
        floors += [one.noise_floor_dbfs for one in found if isinstance(one, UtteranceEnd)]
    assert len(floors) == 2
    assert floors[0] == floors[1]


def test_the_wake_word_is_heard_while_the_board_speaks_and_interrupts_it() -> None:
    found, ears, told = heard("_" * 50 + "p" * 30 + "V" + "p" * 3 + "_" * (TAIL + 3) + "#" * 40 + "_" * 100, "wake")
    assert told == ["woken"]
    begins = 50 + 34 + TAIL + 3
    assert spans(found) == [(begins, begins + 40)]
    assert not ears.listening()


def test_a_wake_word_in_silence_wakes_as_ever() -> None:
    found, _, told = heard("_" * 50 + "W" + "_" * 20 + "#" * 40 + "_" * 100, "wake")
    assert told == ["woken"]
    assert spans(found) == [(71, 111)]


def test_what_is_said_in_the_window_while_the_board_plays_is_not_heard() -> None:
    found, _, _ = heard("_" * 50 + "W" + "_" * 10 + "p" * 20 + "e" * (TAIL - 1) + "_" * 50, "wake")
    assert found == []


def test_it_is_the_activation_it_stands_around() -> None:
    clock = Clock()
    button = Button(8.0, clock)
    ears = HalfDuplex(button, OwnSound(clock))
    assert (ears.mode, ears.phrase, ears.listening()) == ("button", None, False)
    ears.press()
    assert button.listening()
    assert ears.listening()
    block = blocks("#")[0]
    assert ears.admit(block) == (block,)
    ears.heard_onset()
    assert ears.in_utterance
    ears.heard_end()
    assert not ears.in_utterance
    assert not button.listening()
