"""The board's own sounds: short, gentle, as loud as they are set, and told from each other."""

import numpy as np
import pytest

from edge.answering.chimes import PEAK_DBFS, RATE_HZ, Chime, chime

LOUDEST = 32_767 * 10 ** (PEAK_DBFS / 20)


@pytest.mark.parametrize("which", Chime)
def test_a_chime_is_short_and_begins_and_ends_without_a_click(which: Chime) -> None:
    sound = chime(which, 0.0)
    assert sound.dtype == np.int16
    assert sound.size / RATE_HZ < (2.0 if which is Chime.RING else 0.7)
    assert abs(int(sound[0])) < 100
    assert abs(int(sound[-1])) < 100
    # A step between neighbours is no larger than a tone of 4 kHz makes.
    assert np.abs(np.diff(sound.astype(int))).max() < LOUDEST * 2 * np.pi * 4000 / RATE_HZ


@pytest.mark.parametrize("volume_db", [0.0, -20.0, -60.0])
def test_a_chime_is_as_loud_as_it_is_set(volume_db: float) -> None:
    for which in Chime:
        peak = np.abs(chime(which, volume_db).astype(int)).max()
        assert peak == pytest.approx(LOUDEST * 10 ** (volume_db / 20), rel=0.01, abs=1)


def test_each_is_another_sound_and_the_same_each_time() -> None:
    sounds = [chime(which, 0.0).tobytes() for which in Chime]
    assert len(set(sounds)) == len(Chime)
    assert sounds == [chime(which, 0.0).tobytes() for which in Chime]


def loudest_hz(sound: np.ndarray) -> float:
    spectrum = np.abs(np.fft.rfft(sound))
    return float(np.fft.rfftfreq(sound.size, 1 / RATE_HZ)[spectrum.argmax()])


@pytest.mark.parametrize(("which", "rises"), [(Chime.UNDERSTOOD, True), (Chime.NOT_UNDERSTOOD, False)])
def test_what_went_well_rises_and_what_did_not_falls(which: Chime, rises: bool) -> None:
    sound = chime(which, 0.0).astype(float)
    first, last = loudest_hz(sound[: round(0.07 * RATE_HZ)]), loudest_hz(sound[round(0.14 * RATE_HZ) :])
    assert (last > first * 1.1) if rises else (last < first / 1.1)
