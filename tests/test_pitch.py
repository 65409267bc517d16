"""pitch.py: voices made of harmonics, and what is no voice."""

import numpy as np
import pytest

from edge.sound.source import BLOCK_SAMPLES, Samples
from edge.speech import pitch
from edge.speech.pitch import EACH, TOGETHER, VOICED_MIN, Pitch, PitchMeter, track
from tests.voices import sung


def metered(sound: Samples, is_speech: bool = True) -> Pitch | None:
    meter = PitchMeter()
    for block in sound.reshape(-1, BLOCK_SAMPLES):
        meter.push(block, is_speech)
    return meter.pitch()


@pytest.mark.parametrize("hz", [75, 110, 160, 220, 280])
def test_pitch_is_that_of_the_voice(hz: float) -> None:
    semitones, likeness = track(sung(hz, hz))
    assert likeness.min() > 0.9
    np.testing.assert_allclose(semitones, 12 * np.log2(hz / 100), atol=0.3)


@pytest.mark.parametrize("hz", [90, 190, 330])
def test_an_utterance_has_the_pitch_of_its_voice(hz: float) -> None:
    found = metered(sung(hz, hz))
    assert found is not None
    assert found == pytest.approx((hz, hz, hz), rel=0.02)


def test_low_and_high_are_those_of_a_voice_that_moves() -> None:
    found = metered(sung(120, 240, seconds=0.6))
    assert found is not None
    assert found.median_hz == pytest.approx(120 * 2**0.5, rel=0.05)
    assert found.low_hz == pytest.approx(120 * 2**0.1, rel=0.05)
    assert found.high_hz == pytest.approx(120 * 2**0.9, rel=0.05)


def test_what_is_no_voice_has_no_pitch() -> None:
    noise = np.random.default_rng(1).normal(0, 3000, 50 * BLOCK_SAMPLES).astype(np.int16)
    assert metered(noise) is None
    assert metered(np.zeros(50 * BLOCK_SAMPLES, np.int16)) is None
    assert metered(np.zeros(0, np.int16)) is None
    assert metered(sung(120, 120), is_speech=False) is None


def test_too_little_of_a_voice_has_no_pitch() -> None:
    blocks = EACH * (VOICED_MIN - 1)
    assert metered(sung(120, 120)[: blocks * BLOCK_SAMPLES]) is None
    assert metered(sung(120, 120)[: (blocks + 2) * BLOCK_SAMPLES]) is not None


def test_a_frame_is_of_two_blocks_that_followed_each_other() -> None:
    # Half of each voice, that the gate calls speech every other block: no two of them belong together.
    meter = PitchMeter()
    for number, block in enumerate(sung(120, 120).reshape(-1, BLOCK_SAMPLES)):
        meter.push(block, number % 2 == 0)
    assert meter.pitch() is None


def test_many_frames_are_measured_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = []
    of_frames = pitch.of_frames

    def counted(frames: pitch.Floats) -> tuple[pitch.Floats, pitch.Floats]:
        counts.append(len(frames))
        return of_frames(frames)

    monkeypatch.setattr(pitch, "of_frames", counted)
    metered(sung(120, 120, seconds=EACH * (TOGETHER + 3) * 0.02))
    assert counts == [TOGETHER, 3]
