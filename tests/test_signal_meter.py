"""signal_meter.py on sounds whose facts are known."""

import math

import numpy as np
import pytest

from edge.sound.source import Samples
from edge.speech.signal_meter import NOISE_BLOCKS_MIN, NoiseFloor, Signal, SignalMeter, dbfs, power_of, to_dbfs

SILENCE = np.zeros(320, np.int16)


def square(amplitude: int, samples: int = 320) -> Samples:
    return np.where(np.arange(samples) // 8 % 2, amplitude, -amplitude).astype(np.int16)


def noise(level_dbfs: float, samples: int, seed: int = 3) -> Samples:
    deviation = 32768 * 10 ** (level_dbfs / 20)
    return np.random.default_rng(seed).normal(0, deviation, samples).astype(np.int16)


def metered(blocks: list[tuple[Samples, bool]], noise_power: float | None = None) -> Signal:
    meter = SignalMeter()
    for samples, is_speech in blocks:
        meter.push(samples, power_of(samples), is_speech)
    return meter.measure(noise_power)


def test_a_full_scale_square_is_zero_dbfs() -> None:
    assert dbfs(square(32767)) == pytest.approx(0, abs=0.001)


def test_a_full_scale_sine_is_three_below() -> None:
    sine = np.rint(32767 * np.sin(2 * np.pi * np.arange(16_000) / 16)).astype(np.int16)
    assert dbfs(sine) == pytest.approx(-3.01, abs=0.01)


def test_a_tenth_of_the_amplitude_is_twenty_below() -> None:
    assert dbfs(square(3277)) == pytest.approx(-20, abs=0.01)


@pytest.mark.parametrize("samples", [SILENCE, np.full(320, 9000, np.int16), np.zeros(0, np.int16)])
def test_silence_and_direct_current_are_the_floor_and_not_minus_infinity(samples: Samples) -> None:
    assert dbfs(samples) == -120


def test_a_quiet_sound_on_a_large_offset_is_measured_exactly() -> None:
    quiet = noise(-70, 320)
    expected = float(np.var(quiet.astype(np.float64))) / 32768**2
    assert power_of((quiet + 30_000).astype(np.int16)) == pytest.approx(expected, rel=1e-3)


def test_the_level_is_that_of_speech_only() -> None:
    signal = metered([(square(33), False), (square(3277), True), (SILENCE, True)])
    assert signal.level_dbfs == pytest.approx(-20 + 10 * math.log10(1 / 2), abs=0.01)


def test_the_peak_is_that_of_all_blocks() -> None:
    assert metered([(square(16_384), False), (square(33), True)]).peak_dbfs == pytest.approx(-6.02, abs=0.01)


@pytest.mark.parametrize("extreme", [32767, -32767, -32768])
def test_samples_at_full_scale_are_clipped(extreme: int) -> None:
    samples = SILENCE.copy()
    samples[:8] = extreme
    assert metered([(samples, True), (square(32_766), True)]).clipped_share == 8 / 640


def test_snr_is_level_over_noise_floor() -> None:
    signal = metered([(square(3277), True)], noise_power=1e-6)
    assert signal.noise_floor_dbfs == pytest.approx(-60)
    assert signal.snr_db == pytest.approx(40, abs=0.01)


def test_what_nobody_knows_is_none() -> None:
    assert metered([]) == Signal(None, None, None, None, None)
    without_floor = metered([(square(3277), True)])
    assert (without_floor.noise_floor_dbfs, without_floor.snr_db) == (None, None)
    assert metered([(square(3277), False)], noise_power=1e-6).level_dbfs is None


def test_digital_silence_around_speech_gives_finite_facts() -> None:
    signal = metered([(square(32767), True)], noise_power=0.0)
    assert signal.noise_floor_dbfs == -120
    assert signal.snr_db == pytest.approx(120, abs=0.01)


def test_the_noise_floor_is_unknown_until_enough_was_heard() -> None:
    floor = NoiseFloor()
    for _ in range(NOISE_BLOCKS_MIN - 1):
        floor.push(1e-6)
    assert floor.power is None
    floor.push(1e-6)
    assert floor.power == pytest.approx(1e-6)


def test_the_noise_floor_is_that_of_the_noise_though_word_ends_pass_for_it() -> None:
    floor = NoiseFloor()
    for index, block in enumerate(noise(-60, 320 * 300).reshape(-1, 320)):
        floor.push(1e-2 if index % 3 == 0 else power_of(block))
    assert floor.power is not None
    assert to_dbfs(floor.power) == pytest.approx(-60, abs=1)


def test_the_noise_floor_forgets_old_noise() -> None:
    floor = NoiseFloor()
    for power in [1e-3] * 300 + [1e-6] * 250:
        floor.push(power)
    assert floor.power == pytest.approx(1e-6)
