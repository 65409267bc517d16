"""Ways to take noise out of frames."""

import numpy as np
import pytest

from benchmarks.noise_reducers import (
    Floats,
    Noise,
    controlled_average,
    followed_floor,
    minimum_statistics,
    reducer,
    subtracted,
    wiener,
)

NOISES: list[Noise] = [followed_floor, minimum_statistics, controlled_average]
POWER = np.geomspace(1e-4, 1e-2, 80)
"""Of the noise in each band."""
SPEECH = np.zeros((400, 80), bool)
SPEECH[60:100] = SPEECH[130:200] = SPEECH[230:330] = True


def mixed(seed: int = 1) -> Floats:
    """Noise, and 30 dB above it bursts of sound in every second band."""
    draw = np.random.default_rng(seed)
    power: Floats = POWER * draw.gamma(4, 1 / 4, (400, 80))
    power[:, ::2] += np.where(SPEECH, 1000 * POWER, 0)[:, ::2]
    return power


@pytest.mark.parametrize("noise", NOISES)
def test_the_noise_is_found_while_somebody_speaks(noise: Noise) -> None:
    found = noise(mixed())
    ratio = np.median(found[100:] / POWER, axis=0)
    assert ratio.min() > 0.2
    assert ratio.max() < 4


@pytest.mark.parametrize("noise", NOISES)
def test_its_bias_is_undone(noise: Noise) -> None:
    assert 0.6 < np.median(noise(mixed())[100:] / POWER) < 1.6


@pytest.mark.parametrize("noise", NOISES)
@pytest.mark.parametrize("off", [subtracted, wiener])
def test_noise_falls_and_speech_stays(noise: Noise, off: object) -> None:
    power = mixed()
    log_mel = np.log10(power).astype(np.float32)
    result = reducer(noise, off)(log_mel)  # type: ignore[arg-type]
    quiet = np.median((result - log_mel)[340:])
    loud = np.median((result - log_mel)[240:330, ::2])
    assert quiet < -0.4
    assert abs(loud) < 0.1
    assert result.shape == log_mel.shape
    assert np.isfinite(result).all()


@pytest.mark.parametrize("noise", NOISES)
def test_no_frame_depends_on_later_ones(noise: Noise) -> None:
    power = mixed()
    found = noise(power)
    for count in (15, 40, 59, 125, 210, 360):
        assert np.array_equal(found[:count], noise(power[:count]))
        for off in (subtracted, wiener):
            assert np.array_equal(off(power, found)[:count], off(power[:count], found[:count]))


def test_silence_and_nothing_are_no_fault() -> None:
    for noise in NOISES:
        assert np.isfinite(reducer(noise, wiener)(np.full((30, 80), -7.5, np.float32))).all()
        assert reducer(noise, wiener)(np.empty((0, 80), np.float32)).shape == (0, 80)
