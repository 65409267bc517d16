"""vad.py on buzzes and noises; what real voices do is the endpoint benchmark's business."""

from itertools import groupby

import numpy as np
import pytest

from benchmarks import corpus
from benchmarks.instructions import pink_noise
from benchmarks.scenes import as_samples
from edge.local.gate import open_gate
from edge.settings import EdgeSettings, Segmenter, Vad
from edge.sound.source import Samples
from edge.speech import gate_model
from edge.speech.gate_model import CONTEXT_BLOCKS, GateModel
from edge.speech.vad import GO_ON_BLOCKS, GO_ON_SHARE, MARGIN_POWER, Gate, JudgedGate, NoiseMargin
from tests.conftest import Speech


def gate_of(model: str = "", aggressiveness: int = 2) -> Gate:
    """As a board has it."""
    return open_gate(EdgeSettings(vad=Vad(aggressiveness, model)))


JUDGES = pytest.mark.parametrize("model", ["", "speech-v1"], ids=["its own network", "speech-v1"])


class FixedJudge:
    """Says what it is told to, and counts how often it is asked."""

    name = "fixed"
    start_probability = 0.8
    asked_every_blocks = 3

    def __init__(self, says: float) -> None:
        self.says = says
        self.asked = 0

    def push(self, samples: Samples) -> None:
        pass

    def probability(self) -> float:
        self.asked += 1
        return self.says

    def forget(self) -> None:
        self.asked = 0


def voice(seconds: float, level_dbfs: float = -25.0) -> Samples:
    """A buzz of 120 Hz with a vowel's formants, in syllables: four a second, with a dip between them."""
    time_s = np.arange(round(seconds * 16_000)) / 16_000
    harmonics = np.arange(120, 4000, 120)
    gains = sum(1 / (1 + ((harmonics - formant) / 120) ** 2) for formant in (600, 1200, 2500))
    buzz = sum(gain * np.sin(2 * np.pi * hz * time_s + hz) for hz, gain in zip(harmonics, gains, strict=True))
    syllables = buzz * np.clip(1.3 * np.sin(np.pi * 4 * time_s) ** 2, 0.001, 1)
    return np.rint(32768 * 10 ** (level_dbfs / 20) * syllables / np.std(syllables)).clip(-32767, 32767).astype(np.int16)


def noise(seconds: float, level_dbfs: float, offset: int = 0) -> Samples:
    sound = np.random.default_rng(5).normal(offset, 32768 * 10 ** (level_dbfs / 20), round(seconds * 16_000))
    return np.rint(sound).clip(-32768, 32767).astype(np.int16)


def judgements(gate: Gate, samples: Samples) -> list[bool]:
    return [gate.is_speech(block) for block in samples.reshape(-1, 320)]


def longest_run(judged: list[bool]) -> int:
    """Blocks of speech in a row."""
    return max((len(list(group)) for is_speech, group in groupby(judged) if is_speech), default=0)


def test_names_say_kind_version_and_setting() -> None:
    assert gate_of(aggressiveness=1).name == "mel-1-mode-1"
    assert gate_of("speech-v1", 3).name == "speech-v1-1-mode-3"


def spoken(speech: Speech, level_dbfs: float, name: str = "latte") -> Samples:
    """A sentence at that level, as whole blocks."""
    samples = as_samples(corpus.at_level(corpus.read(speech.path(name)), level_dbfs))
    return samples[: len(samples) // 320 * 320]


@JUDGES
@pytest.mark.parametrize("level_dbfs", [-10, -30, -45, -55])
def test_speech_is_speech(speech: Speech, level_dbfs: float, model: str) -> None:
    gate = gate_of(model)
    judgements(gate, noise(1, -75))
    assert np.mean(judgements(gate, spoken(speech, level_dbfs))) > 0.5


@JUDGES
@pytest.mark.parametrize("level_dbfs", [-10, -30, -45])
def test_a_buzz_like_a_voice_is_speech(level_dbfs: float, model: str) -> None:
    gate = gate_of(model)
    judgements(gate, noise(1, -75))
    assert longest_run(judgements(gate, voice(4, level_dbfs))) >= Segmenter().onset_ms // 20


@JUDGES
@pytest.mark.parametrize(
    "sound",
    [
        np.zeros(960_000, np.int16),
        noise(60, -60),
        noise(60, -10),
        noise(60, -60, offset=8000),
        np.full(960_000, 32767, np.int16),
        np.tile(pink_noise(), 6),
    ],
    ids=["digital silence", "quiet noise", "loud noise", "offset and noise", "stuck at full scale", "a quiet room"],
)
def test_steady_sound_is_no_speech(sound: Samples, model: str) -> None:
    assert np.mean(judgements(gate_of(model), sound)) < 0.002


def ringing(hz: list[float], every_s: float, decay_per_s: float, level_dbfs: float = -20.0) -> Samples:
    """Ten seconds of a sound that is struck again and again, over a quiet room."""
    time_s = np.arange(160_000) / 16_000
    ring = sum(np.sin(2 * np.pi * pitch * time_s) for pitch in hz) * np.exp(-decay_per_s * (time_s % every_s))
    mixed = ring / np.std(ring) * 32768 * 10 ** (level_dbfs / 20) + pink_noise()
    return np.rint(mixed).clip(-32768, 32767).astype(np.int16)


@JUDGES
@pytest.mark.parametrize(
    "sound",
    [
        ringing([1000], 0.5, 0),
        ringing([5100, 6200], 0.7, 100),
        np.concatenate([noise(3, -60), noise(7, -20)]),
        np.tile(np.eye(1, 1600, dtype=np.int16)[0] * 20_000, 100),
    ],
    ids=["a tone", "glass", "a tap that is opened", "clicks"],
)
def test_what_is_no_voice_makes_no_onset(sound: Samples, model: str) -> None:
    assert longest_run(judgements(gate_of(model), sound)) < Segmenter().onset_ms // 20


@JUDGES
def test_a_voice_in_loud_noise_still_stands_out(model: str) -> None:
    gate = gate_of(model)
    judgements(gate, noise(5, -35))
    mixed = (voice(2, -20).astype(np.int32) + noise(2, -35)).clip(-32768, 32767).astype(np.int16)
    assert np.mean(judgements(gate, mixed)) > 0.5


@JUDGES
def test_a_recording_that_begins_within_a_word_is_heard_from_its_beginning(speech: Speech, model: str) -> None:
    begun = spoken(speech, -26)[16_000:20_800]
    assert any(judgements(gate_of(model), begun)[:6])


@JUDGES
def test_higher_aggressiveness_lets_less_through(model: str) -> None:
    sound = np.concatenate([noise(2, -45), voice(3, -40), noise(2, -30)])
    let_through = [sum(judgements(gate_of(model, mode), sound)) for mode in range(4)]
    assert let_through == sorted(let_through, reverse=True)


def exceeded(margin: NoiseMargin, samples: Samples) -> list[bool]:
    return [margin.is_exceeded(block) for block in samples.reshape(-1, 320)]


def test_nothing_but_silence_is_held_back_before_the_noise_is_known() -> None:
    margin = NoiseMargin()
    assert all(exceeded(margin, noise(0.5, -40)))
    assert np.mean(exceeded(margin, noise(10, -40))) < 0.02
    assert not any(exceeded(NoiseMargin(), np.zeros(1600, np.int16)))


def test_a_noise_that_falls_is_known_at_once_and_one_that_rises_after_three_seconds() -> None:
    margin = NoiseMargin()
    exceeded(margin, noise(1, -40))
    exceeded(margin, noise(0.02, -70))
    assert all(exceeded(margin, noise(2.9, -60)))
    exceeded(margin, noise(0.5, -60))
    assert np.mean(exceeded(margin, noise(1, -60))) < 0.2


def test_the_margin_is_of_power() -> None:
    margin = NoiseMargin()
    exceeded(margin, np.tile(noise(0.02, -50), 50))
    louder = 20 * np.log10(np.sqrt(MARGIN_POWER))
    assert not margin.is_exceeded(noise(0.02, -50 + louder - 0.2))
    assert margin.is_exceeded(noise(0.02, -50 + louder + 0.2))


def test_the_judge_is_hardly_asked_in_a_quiet_room() -> None:
    """What listening costs is that."""
    judge = FixedJudge(0.0)
    gate = JudgedGate(judge)
    judgements(gate, pink_noise())
    judge.asked = 0
    judgements(gate, pink_noise())
    assert judge.asked <= 5


def test_an_answer_of_the_judge_is_good_for_three_blocks() -> None:
    judge = FixedJudge(0.9)
    gate = JudgedGate(judge)
    judgements(gate, noise(1, -70))
    judge.asked = 0
    loud = judgements(gate, noise(0.3, -20))
    assert loud == [False] + [True] * 14
    assert judge.asked == 5


def test_less_is_enough_soon_after_speech() -> None:
    judge = FixedJudge(0.9)
    gate = JudgedGate(judge)
    judgements(gate, noise(1, -70))
    judgements(gate, noise(0.2, -20))
    judge.says = 0.8 * GO_ON_SHARE + 0.01
    assert all(judgements(gate, noise(0.2, -20)))
    judgements(gate, noise(0.02 * GO_ON_BLOCKS, -70))
    assert not any(judgements(gate, noise(0.2, -20)))


def test_a_gate_says_what_its_judgement_rests_on() -> None:
    judge = FixedJudge(0.7)
    gate = JudgedGate(judge)
    judgements(gate, noise(1, -70))
    assert gate.grounds == (False, None)
    assert not any(judgements(gate, noise(0.04, -20)))
    assert gate.grounds == (True, 0.7)
    judgements(gate, noise(0.1, -70))
    assert gate.grounds == (False, None)


@pytest.mark.parametrize("asked_every", [1, 3, 37, 40, 41, 90])
def test_it_does_not_matter_when_the_network_was_asked_before(asked_every: int) -> None:
    sound = np.concatenate([noise(1, -40), voice(2.02), noise(0.3, -30), voice(0.3)])
    asked_often, asked_once = GateModel(), GateModel()
    for number, block in enumerate(sound.reshape(-1, 320)):
        asked_often.push(block)
        asked_once.push(block)
        if number % asked_every == 0:
            asked_often.probability()
    asked_often.push(sound[:320])
    asked_once.push(sound[:320])
    assert asked_often.probability() == pytest.approx(asked_once.probability(), abs=1e-6)


def test_what_is_trained_on_is_what_the_board_sees() -> None:
    sound = np.concatenate([noise(1, -40), voice(1)])
    model = GateModel()
    heard = []
    for block in sound.reshape(-1, 320):
        model.push(block)
        heard.append(model.probability())
    rows = gate_model.rows(sound)
    rows = np.concatenate([np.repeat(rows[:1], CONTEXT_BLOCKS - 1, axis=0), rows])
    contexts = np.stack([rows[end - CONTEXT_BLOCKS : end] for end in range(CONTEXT_BLOCKS, len(rows) + 1)])
    layers = gate_model.shipped().layers
    assert np.allclose(gate_model.probabilities(gate_model.inputs(contexts), layers), heard, atol=1e-5)


@JUDGES
def test_after_a_reset_a_gate_is_as_new(model: str) -> None:
    sound = np.concatenate([noise(2, -30), voice(3), noise(1, -30)])
    gate = gate_of(model)
    first = judgements(gate, sound)
    gate.reset()
    assert judgements(gate, sound) == first
    assert any(first) and not all(first)


def test_a_reset_reaches_the_judge() -> None:
    judge = FixedJudge(0.9)
    gate = JudgedGate(judge)
    assert all(judgements(gate, noise(0.2, -20))[1:])
    gate.reset()
    assert judge.asked == 0
    assert gate.grounds == (False, None)


@JUDGES
def test_the_click_of_a_microphone_that_opens_is_shorter_than_an_onset(model: str) -> None:
    click = judgements(gate_of(model), np.concatenate([noise(0.04, -28), noise(1, -45)]))
    assert sum(click) <= Segmenter().onset_ms // 20 - 1
