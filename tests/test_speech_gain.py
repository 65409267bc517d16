"""Quiet speech is raised to where speech is expected, by its own frames alone, and loud speech is left as it is."""

import numpy as np
import pytest

from cloud.decoders.speech_gain import GAIN_MAX, SPEECH_LOUDNESS, WAIT_FRAMES, SpeechGain
from cloud.decoders.sphinx_features import FILTERS, Floats


def frames(*loudness: tuple[int, float]) -> Floats:
    """So many frames of each loudness."""
    return np.concatenate([np.full((count, FILTERS), value) for count, value in loudness])


def raised(log_filters: Floats, piece: int = 10) -> Floats:
    gain = SpeechGain()
    pieces = [gain.push(log_filters[start : start + piece]) for start in range(0, len(log_filters), piece)]
    return np.concatenate([*pieces, gain.flush()])


def test_loud_speech_stays_as_it_is() -> None:
    speech = frames((40, 2.0), (100, SPEECH_LOUDNESS + 2), (30, 2.0))
    assert np.array_equal(raised(speech), speech)


def test_the_loudest_of_quiet_speech_is_as_loud_as_speech_should_be() -> None:
    speech = frames((40, 2.0), (100, SPEECH_LOUDNESS - 4), (30, 2.0))
    assert raised(speech) == pytest.approx(speech + 4)


def test_the_gain_is_bounded() -> None:
    speech = frames((100, SPEECH_LOUDNESS - 3 * GAIN_MAX))
    assert raised(speech) == pytest.approx(speech + GAIN_MAX)


def test_it_only_falls_when_speech_gets_louder() -> None:
    speech = frames((WAIT_FRAMES, SPEECH_LOUDNESS - 5), (20, SPEECH_LOUDNESS - 3), (20, 1.0), (20, SPEECH_LOUDNESS + 9))
    gains = (raised(speech) - speech)[:, 0]
    assert gains == pytest.approx(np.repeat([5.0, 3.0, 3.0, 0.0], [WAIT_FRAMES, 20, 20, 20]))


def test_the_room_before_the_onset_is_not_raised_to_speech() -> None:
    speech = frames((WAIT_FRAMES - 5, 3.0), (100, SPEECH_LOUDNESS - 2))
    assert raised(speech)[0, 0] == pytest.approx(5)


@pytest.mark.parametrize("piece", [1, 5, WAIT_FRAMES - 1, WAIT_FRAMES, WAIT_FRAMES + 1, 1000])
@pytest.mark.parametrize("count", [0, 1, WAIT_FRAMES - 1, WAIT_FRAMES, 300])
@pytest.mark.parametrize("mean", [8.0, SPEECH_LOUDNESS - 1])
def test_pieces_of_any_size_give_the_same_and_nothing_is_lost(piece: int, count: int, mean: float) -> None:
    speech = np.random.default_rng(4).normal(mean, 2, (count, FILTERS))
    whole = raised(speech, max(1, count))
    assert len(whole) == count
    assert np.array_equal(raised(speech, piece), whole)


def test_loud_speech_waits_for_its_first_loud_frame_and_quiet_speech_no_longer_than_it_may() -> None:
    loud, quiet = SpeechGain(), SpeechGain()
    assert len(loud.push(frames((20, 2.0)))) == 0
    assert len(loud.push(frames((1, SPEECH_LOUDNESS)))) == 21
    assert len(loud.push(frames((3, 2.0)))) == 3
    assert len(quiet.push(frames((WAIT_FRAMES - 1, 8.0)))) == 0
    assert len(quiet.push(frames((1, 8.0)))) == WAIT_FRAMES
    assert len(quiet.push(frames((3, 8.0)))) == 3
