import subprocess
import sys

import numpy as np
import pytest

from edge.sound.resampler import Resampler, pcm

RATES_HZ = [8_000, 11_025, 22_050, 44_100, 48_000, 96_000]


def tone(frequency_hz: float, rate_hz: int, duration_s: float = 1.0) -> np.ndarray:
    times_s = np.arange(round(rate_hz * duration_s)) / rate_hz
    return (0.5 * np.sin(2 * np.pi * frequency_hz * times_s)).astype(np.float32)


def resampled(sound: np.ndarray, rate_hz: int, piece: int) -> np.ndarray:
    resampler = Resampler(rate_hz)
    pieces = [resampler.push(sound[start : start + piece]) for start in range(0, sound.size, piece)]
    return np.concatenate([*pieces, resampler.flush()])


@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_a_tone_stays_the_same_tone_at_the_same_time(rate_hz: int) -> None:
    found = resampled(tone(1000, rate_hz), rate_hz, 500) / 32768
    assert abs(found.size - 16_000) <= 1
    inner = slice(1000, -1000)  # The filter rings at the ends.
    assert np.abs(found[:16_000][inner] - tone(1000, 16_000)[: found.size][inner]).max() < 2e-4


@pytest.mark.parametrize("rate_hz", RATES_HZ)
@pytest.mark.parametrize("piece", [7, 160, 4096])
def test_pieces_of_any_size_give_what_one_piece_gives(rate_hz: int, piece: int) -> None:
    noise = np.random.default_rng(1).uniform(-0.5, 0.5, rate_hz // 3).astype(np.float32)
    whole = resampled(noise, rate_hz, noise.size).astype(int)
    assert np.abs(resampled(noise, rate_hz, piece).astype(int) - whole).max() <= 1


def test_what_16_khz_cannot_hold_is_filtered_out() -> None:
    found = resampled(tone(10_000, 48_000), 48_000, 960)[1000:-1000]
    assert np.abs(found.astype(int)).max() <= 2


def test_digital_silence_stays_digital_silence() -> None:
    assert not resampled(np.zeros(44_100, np.int16), 44_100, 2646).any()


def test_16_khz_passes_untouched_and_at_once() -> None:
    sound = np.array([-32_768, -1, 0, 1, 32_767], np.int16)
    resampler = Resampler(16_000)
    np.testing.assert_array_equal(resampler.push(sound), sound)
    np.testing.assert_array_equal(resampler.push(sound.astype(np.float32) / 32_768), sound)
    assert resampler.flush().size == 0


def test_int16_and_floats_are_the_same_sound() -> None:
    sound = (tone(700, 44_100) * 20_000).astype(np.int16)
    floats = sound.astype(np.float32) / 32_768
    np.testing.assert_array_equal(resampled(sound, 44_100, 1000), resampled(floats, 44_100, 1000))


def test_beyond_full_scale_is_clipped_and_never_wraps() -> None:
    sound = np.array([-9.0, -1.0, 1.0, 9.0], np.float32)
    np.testing.assert_array_equal(pcm(sound), [-32_768, -32_768, 32_767, 32_767])


@pytest.mark.parametrize("rate_hz", [0, -1, 999, 10**7])
def test_a_rate_that_no_device_has_is_refused(rate_hz: int) -> None:
    with pytest.raises(ValueError, match="is not a rate"):
        Resampler(rate_hz)


def test_a_board_with_a_16_khz_microphone_loads_neither_soxr_nor_soundfile() -> None:
    program = (
        "import sys, edge.sound.capture, edge.sound.audio_file, numpy\n"
        "from edge.sound.resampler import Resampler\n"
        "Resampler(16_000).push(numpy.zeros(320, 'int16'))\n"
        "sys.exit(' '.join({'soxr', 'soundfile', 'pyaudio'} & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stderr) == (0, "")
