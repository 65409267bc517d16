"""The live meter."""

import io

import numpy as np
import pytest

from edge.console import Console
from edge.sound.source import BLOCK_SAMPLES, Block, Interruption, Samples
from edge.speech.level import Reading, meter, readings, show
from tests.edge_fakes import FakeSource, silence


class LoudGate:
    """Calls everything loud speech."""

    name = "loud"

    def is_speech(self, samples: Samples) -> bool:
        return bool(np.abs(samples).max() > 1000)

    def reset(self) -> None:
        pass


def tone(blocks: int, amplitude: int) -> list[Block]:
    wave = np.sin(np.arange(blocks * BLOCK_SAMPLES) * 0.4) * amplitude
    return [Block(part) for part in wave.astype(np.int16).reshape(blocks, BLOCK_SAMPLES)]


def test_a_reading_comes_every_100_ms_with_level_peak_and_noise_floor() -> None:
    sound = FakeSource("x", tone(10, 100) + tone(5, 16384) + tone(5, 100))
    first, _, loud, last = readings(sound, LoudGate())
    assert first.level == pytest.approx(20 * np.log10(100 / 32768 / np.sqrt(2)), abs=0.2)
    assert not first.is_speech
    assert loud.level == pytest.approx(-9.03, abs=0.1)
    assert loud.is_speech
    assert (last.peak, last.is_speech) == (loud.level, False)
    assert last.noise_floor == pytest.approx(first.level, abs=0.2)


def test_speech_is_no_noise_however_long_it_is() -> None:
    *_, last = readings(FakeSource("x", tone(10, 100) + tone(50, 16384)), LoudGate())
    assert last.noise_floor == pytest.approx(20 * np.log10(100 / 32768 / np.sqrt(2)), abs=0.2)


def test_what_is_too_loud_is_marked() -> None:
    clipped = [Block(np.full(BLOCK_SAMPLES, -32768, np.int16))] * 5
    (reading,) = readings(FakeSource("x", clipped), LoudGate())
    assert reading.clipped


def test_where_nobody_looks_a_line_a_second_is_told() -> None:
    out = io.StringIO()
    show(FakeSource("x", silence(125)), LoudGate(), Console(out))
    assert [line.split()[0] for line in out.getvalue().splitlines()] == ["1", "2"]
    assert "\x1b" not in out.getvalue()


def test_the_bar_has_one_length_whatever_it_shows() -> None:
    console = Console(io.StringIO())
    shown = [
        meter(Reading(level, level, floor, False, False), console)
        for level, floor in ((-120.0, None), (-40.0, -60.0), (0.0, -120.0))
    ]
    assert len({len(line) for line in shown}) == 1
    assert shown[1].count("#") == 18


class Word:
    """Likely at the third block of sound."""

    phrase = "okay parrot"
    lag_ms = 0
    probability = 0.0

    def __init__(self) -> None:
        self.heard = 0
        self.resets = 0

    def hear(self, samples: Samples) -> bool:
        self.heard += 1
        self.probability = 0.93 if self.heard == 3 else 0.01
        return False

    def reset(self) -> None:
        self.resets += 1


def test_the_wake_word_is_shown_where_one_is_listened_for() -> None:
    first, second = readings(FakeSource("x", silence(10)), LoudGate(), Word())
    assert (first.wake, second.wake) == (0.93, 0.01)
    console = Console(io.StringIO())
    assert meter(first, console).endswith("wake 0.93")
    assert "wake" not in meter(first._replace(wake=None), console)


def test_what_came_before_an_interruption_is_no_part_of_the_wake_word() -> None:
    word = Word()
    sound = [*silence(4), Interruption("source lost"), *silence(5)]
    (reading,) = readings(FakeSource("x", sound), LoudGate(), word)
    assert (reading.wake, word.resets) == (0.01, 1)
