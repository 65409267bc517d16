"""vad.py on buzzes and noises; what real voices do is the accuracy benchmark's business."""

import numpy as np
import pytest

from edge.settings import Segmenter, Vad
from edge.source import Samples
from edge.vad import AboveNoiseGate, Gate, WebRtcGate, open_gate


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


class YesGate:
    """Calls everything speech, and counts what it is asked."""

    name = "yes"

    def __init__(self) -> None:
        self.asked = 0
        self.resets = 0

    def is_speech(self, samples: Samples) -> bool:
        self.asked += 1
        return True

    def reset(self) -> None:
        self.resets += 1


def test_names_say_kind_and_setting() -> None:
    assert WebRtcGate(3).name == "webrtc-3"
    assert open_gate(Vad(aggressiveness=1)).name == "webrtc-1-above-noise"
    assert all(len(open_gate(Vad(aggressiveness=mode)).name) <= 32 for mode in range(4))


@pytest.mark.parametrize("level_dbfs", [-10, -30, -45])
def test_a_voice_is_speech(level_dbfs: float) -> None:
    gate = open_gate(Vad())
    judgements(gate, noise(1, -75))
    assert np.mean(judgements(gate, voice(4, level_dbfs))) > 0.7


@pytest.mark.parametrize(
    "sound",
    [
        np.zeros(960_000, np.int16),
        noise(60, -60),
        noise(60, -10),
        noise(60, -60, offset=8000),
        np.full(960_000, 32767, np.int16),
    ],
    ids=["digital silence", "quiet noise", "loud noise", "offset and noise", "stuck at full scale"],
)
def test_steady_sound_is_no_speech_after_three_seconds(sound: Samples) -> None:
    gate = open_gate(Vad())
    assert np.mean(judgements(gate, sound)[175:]) < 0.002


def test_loud_noise_without_the_margin_would_be_speech_for_ever() -> None:
    assert np.mean(judgements(WebRtcGate(2), noise(10, -10))) > 0.9


def test_a_voice_in_loud_noise_still_stands_out() -> None:
    gate = open_gate(Vad())
    judgements(gate, noise(5, -35))
    mixed = (voice(2, -20).astype(np.int32) + noise(2, -35)).clip(-32768, 32767).astype(np.int16)
    assert np.mean(judgements(gate, mixed)) > 0.5


def test_nothing_is_held_back_before_the_noise_is_known() -> None:
    assert all(judgements(AboveNoiseGate(YesGate()), noise(3, -40)))
    assert not any(judgements(AboveNoiseGate(YesGate()), noise(10, -40))[175:])


def test_a_noise_that_falls_is_known_at_once() -> None:
    gate = AboveNoiseGate(YesGate())
    judgements(gate, noise(5, -40))
    judgements(gate, noise(0.02, -70))
    assert all(judgements(gate, noise(1, -60)))


def test_the_inner_gate_hears_every_block() -> None:
    inner = YesGate()
    judgements(AboveNoiseGate(inner), np.zeros(32_000, np.int16))
    assert inner.asked == 100


def test_a_reset_forgets_the_noise_and_resets_the_inner_gate() -> None:
    inner = YesGate()
    gate = AboveNoiseGate(inner)
    judgements(gate, noise(5, -40))
    gate.reset()
    assert inner.resets == 1
    assert all(judgements(gate, noise(1, -40)))


def test_after_a_reset_a_gate_is_as_new() -> None:
    sound = np.concatenate([noise(2, -30), voice(3), noise(1, -30)])
    gate = open_gate(Vad())
    first = judgements(gate, sound)
    gate.reset()
    assert judgements(gate, sound) == first
    assert any(first) and not all(first)


def test_the_click_of_a_microphone_that_opens_is_shorter_than_an_onset() -> None:
    """The gate overdoes its first blocks; the default onset must be longer than that."""
    click = judgements(open_gate(Vad()), np.concatenate([noise(0.04, -28), noise(1, -45)]))
    assert 2 <= sum(click) <= Segmenter().onset_ms // 20 - 1
