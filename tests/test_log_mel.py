"""log_mel.py against a version from first principles, and streams against batch."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.sound.source import Samples
from edge.speech.log_mel import LogMel, log_mel, mel_filters
from protos.feature_spec import DEFAULT_SPEC, FeatureSpec


def noisy_chord(seconds: float, seed: int = 7) -> Samples:
    """Sound with lines and noise over 60 dB, so that all bands say something."""
    random = np.random.default_rng(seed)
    time_s = np.arange(round(seconds * 16_000)) / 16_000
    chord = sum(math.cos(tone_hz) * np.sin(2 * np.pi * tone_hz * time_s) for tone_hz in (110, 440, 1760, 5200))
    swell = np.sin(2 * np.pi * 1.5 * time_s) ** 2
    return (6000 * swell * chord + random.normal(0, 30, len(time_s))).astype(np.int16)


def slow_mel_triangle(band: int, frequency_hz: float) -> float:
    """Height of one Slaney triangle, written down from the scale's definition."""

    def edge_hz(index: int) -> float:
        highest_mel = 15 + 27 * math.log(8) / math.log(6.4)
        mel = highest_mel * index / 81
        return mel * 200 / 3 if mel < 15 else 1000 * 6.4 ** ((mel - 15) / 27)

    low, centre, high = edge_hz(band), edge_hz(band + 1), edge_hz(band + 2)
    if low < frequency_hz <= centre:
        height = (frequency_hz - low) / (centre - low)
    elif centre < frequency_hz < high:
        height = (high - frequency_hz) / (high - centre)
    else:
        height = 0.0
    return height * 2 / (high - low)


def slow_frame(samples: Samples, frame: int) -> list[float]:
    """One frame by explicit sums in double precision."""
    sound = [samples[160 * frame + n] / 32768 * math.sin(math.pi * n / 400) ** 2 for n in range(400)]
    power = []
    for k in range(201):
        angles = [2 * math.pi * k * n / 400 for n in range(400)]
        real = sum(x * math.cos(angle) for x, angle in zip(sound, angles, strict=True))
        imaginary = sum(x * math.sin(angle) for x, angle in zip(sound, angles, strict=True))
        power.append(real**2 + imaginary**2)
    bands = [sum(slow_mel_triangle(band, 40.0 * k) * power[k] for k in range(201)) for band in range(80)]
    return [math.log10(max(band, 1e-10)) for band in bands]


def test_frames_are_those_of_the_slow_version() -> None:
    samples = noisy_chord(0.3)
    fast = log_mel(samples, DEFAULT_SPEC)
    assert fast.shape == (28, 80)
    assert fast.dtype == np.float32
    for frame in (0, 9, 27):
        np.testing.assert_allclose(fast[frame], slow_frame(samples, frame), atol=2e-4)


def test_filters_are_those_of_whisper() -> None:
    extractor = pytest.importorskip("faster_whisper.feature_extractor").FeatureExtractor
    np.testing.assert_allclose(mel_filters(DEFAULT_SPEC).T, extractor.get_mel_filters(16_000, 400, 80), atol=1e-8)


@given(st.lists(st.integers(0, 2500), max_size=30))
def test_a_stream_in_any_pieces_gives_the_bits_of_the_batch(sizes: list[int]) -> None:
    samples = noisy_chord(1.2)
    stream = LogMel(DEFAULT_SPEC)
    ends = np.cumsum([0, *sizes]).clip(max=len(samples)).tolist()
    pieces = [stream.push(samples[a:b]) for a, b in zip(ends, [*ends[1:], len(samples)], strict=True)]
    whole = log_mel(samples, DEFAULT_SPEC)
    np.testing.assert_array_equal(np.concatenate(pieces), whole)
    levels = np.concatenate([DEFAULT_SPEC.quantise(piece) for piece in pieces])
    np.testing.assert_array_equal(levels, DEFAULT_SPEC.quantise(whole))


def test_a_long_batch_is_one_stream() -> None:
    samples = noisy_chord(3.1)
    assert len(log_mel(samples, DEFAULT_SPEC)) == (len(samples) - 400) // 160 + 1
    np.testing.assert_array_equal(log_mel(samples[16_000:], DEFAULT_SPEC), log_mel(samples, DEFAULT_SPEC)[100:])


@pytest.mark.parametrize(("samples", "frames"), [(0, 0), (399, 0), (400, 1), (559, 1), (560, 2)])
def test_a_frame_is_there_once_its_window_is_full(samples: int, frames: int) -> None:
    assert log_mel(np.ones(samples, np.int16), DEFAULT_SPEC).shape == (frames, 80)


def test_digital_silence_is_the_smallest_power_and_level_zero() -> None:
    silence = log_mel(np.zeros(1600, np.int16), DEFAULT_SPEC)
    assert np.all(silence == -10)
    assert np.all(DEFAULT_SPEC.quantise(silence) == 0)


def test_full_scale_is_within_range() -> None:
    sine = np.rint(32767 * np.sin(np.arange(16_000) * np.pi / 8)).astype(np.int16)
    assert 1.5 < log_mel(sine, DEFAULT_SPEC).max() < DEFAULT_SPEC.ceiling_log10


def test_another_spec_has_other_bands() -> None:
    spec = FeatureSpec(bands=25, low_hz=130.0, high_hz=6800.0)
    assert log_mel(noisy_chord(0.1), spec).shape == (8, 25)
