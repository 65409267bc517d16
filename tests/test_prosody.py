"""prosody.py: voices made of harmonics whose pitch and level move, and what is no voice."""

import numpy as np
import pytest

from edge.sound.source import SAMPLE_RATE_HZ, Samples
from edge.speech.prosody import (
    AFTER_BLOCKS,
    FALLING_DB,
    RISING_SLOPE,
    SHARE_USUAL,
    SPAN_BLOCKS,
    Ending,
    Voice,
    measure,
    voice,
)
from edge.speech.signal_meter import power_of
from tests.voices import sung

STEADY = Ending(drop_db=0.0, slope=0.0, speech_share=SHARE_USUAL)
ROOM = np.random.default_rng(3).normal(0, 3, AFTER_BLOCKS * 320).astype(np.int16)


def ending(sound: Samples, *, share: float = 1.0, room: Samples = ROOM) -> Ending | None:
    """Of a sound that the gate takes for speech to its end, or that share of it, before a quiet room."""
    blocks = list(np.concatenate([sound, room]).reshape(-1, 320))
    speech = [number >= (1 - share) * SPAN_BLOCKS for number in range(len(blocks) - AFTER_BLOCKS)]
    return measure(blocks, [power_of(block) for block in blocks], speech + [False] * AFTER_BLOCKS)


@pytest.mark.parametrize(("last_hz", "slope"), [(100, -10.5), (150, 0.0), (212, 10.0)])
@pytest.mark.parametrize("amplitude", [3000, 600])
def test_slope_is_in_semitones_a_second(last_hz: float, slope: float, amplitude: float) -> None:
    # 150 Hz go to the last pitch over the last 0.6 s.
    found = ending(sung(150, last_hz, amplitude=amplitude))
    assert found is not None
    assert found.slope == pytest.approx(slope, abs=1.5)
    assert found.drop_db == pytest.approx(0, abs=3)
    assert found.speech_share == 1


@pytest.mark.parametrize("fade_db", [6, 12, 18])
def test_drop_is_how_far_the_level_faded(fade_db: float) -> None:
    found = ending(sung(120, 120, fade_db=fade_db))
    assert found is not None
    assert found.drop_db == pytest.approx(fade_db, abs=2.5)


def test_speech_share_is_of_the_second_before_the_pause() -> None:
    found = ending(sung(120, 120), share=0.4)
    assert found is not None
    assert found.speech_share == pytest.approx(0.4, abs=0.02)
    longer = ending(np.concatenate([sung(120, 120), sung(120, 120)]))
    assert longer is not None
    assert longer.speech_share == 1


@pytest.mark.parametrize(
    ("last_hz", "fade_db", "expected"),
    [
        (95, 9, Voice.FALLING),
        (150, 9, Voice.LEVEL),
        (240, 9, Voice.LEVEL),
        (95, 16, Voice.FALLING),
        (150, 16, Voice.FALLING),
        (240, 16, Voice.LEVEL),
        (150, 0, Voice.LEVEL),
        (240, 0, Voice.LEVEL),
    ],
)
def test_a_voice_falls_by_its_pitch_and_its_level(last_hz: float, fade_db: float, expected: Voice) -> None:
    assert voice(ending(sung(150, last_hz, fade_db=fade_db))) is expected


def test_a_halt_soon_after_another_takes_a_deeper_fall() -> None:
    sound = sung(150, 110, fade_db=12)
    assert voice(ending(sound)) is Voice.FALLING
    assert voice(ending(sound, share=0.3)) is Voice.LEVEL


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"drop_db": FALLING_DB + 0.1}, Voice.FALLING),
        ({"drop_db": FALLING_DB - 0.1}, Voice.LEVEL),
        ({"drop_db": FALLING_DB - 1, "slope": -20.0}, Voice.FALLING),
        ({"drop_db": FALLING_DB - 1, "speech_share": SHARE_USUAL + 0.2}, Voice.FALLING),
        ({"drop_db": FALLING_DB + 1, "speech_share": SHARE_USUAL - 0.2}, Voice.LEVEL),
        ({"drop_db": 30.0, "slope": RISING_SLOPE}, Voice.LEVEL),
    ],
)
def test_the_three_are_weighed(changes: dict[str, float], expected: Voice) -> None:
    assert voice(STEADY._replace(**changes)) is expected


def whisper() -> Samples:
    """Breath through a mouth that says "ah", in syllables; it fades."""
    draw = np.random.default_rng(5)
    breath = draw.normal(0, 1, SAMPLE_RATE_HZ)
    hz = np.fft.rfftfreq(len(breath), 1 / SAMPLE_RATE_HZ)
    formants = sum(1 / (1 + ((hz - peak) / 150) ** 2) for peak in (700, 1100, 2500))
    time_s = np.arange(len(breath)) / SAMPLE_RATE_HZ
    shaped = np.fft.irfft(np.fft.rfft(breath) * formants, len(breath)) * np.sin(3 * np.pi * time_s) ** 2
    return np.rint(4000 * shaped * 10 ** (-time_s)).astype(np.int16)


def test_where_there_is_no_pitch_nobody_knows() -> None:
    draw = np.random.default_rng(4)
    noise = draw.normal(0, 1500, SAMPLE_RATE_HZ)
    fading = noise * 10 ** (-np.arange(len(noise)) / len(noise))
    for sound in (whisper(), noise.astype(np.int16), fading.astype(np.int16), np.zeros(SAMPLE_RATE_HZ, np.int16)):
        assert voice(ending(sound)) is Voice.UNKNOWN
    assert voice(ending(np.zeros(SAMPLE_RATE_HZ, np.int16), room=np.zeros_like(ROOM))) is Voice.UNKNOWN


def test_how_a_very_quiet_voice_falls_nobody_hears() -> None:
    assert voice(ending(sung(150, 95, fade_db=12, amplitude=600))) is Voice.FALLING
    assert voice(ending(sung(150, 95, fade_db=12, amplitude=200))) is Voice.UNKNOWN


def test_a_hum_below_the_voice_is_not_taken_for_its_end() -> None:
    time_s = np.arange(SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ
    sound = sung(150, 150)
    sound[SAMPLE_RATE_HZ * 7 // 10 :] = 0
    found = ending(sound + np.rint(20 * np.sin(200 * np.pi * time_s)).astype(np.int16))
    assert found is not None
    assert found.drop_db == pytest.approx(0, abs=3)


def test_a_slope_is_right_whatever_octave_a_high_voice_is_taken_for() -> None:
    found = ending(sung(390, 300))
    assert found is not None
    assert found.slope == pytest.approx(-7.6, abs=2)


def test_an_octave_that_jumps_moves_no_slope() -> None:
    sound = sung(150, 120)
    sound[-2880:-1440] = sung(300, 240)[-2880:-1440]
    found = ending(sound)
    assert found is not None
    assert found.slope == pytest.approx(-6.4, abs=2.5)


def test_too_little_to_hear_is_unknown_and_shorter_speech_is_not() -> None:
    assert voice(ending(sung(150, 95, fade_db=18)[-19 * 320 :])) is Voice.UNKNOWN
    assert voice(ending(sung(150, 95, fade_db=20)[-25 * 320 :], share=1)) is not Voice.UNKNOWN
    assert measure([], [], []) is None
