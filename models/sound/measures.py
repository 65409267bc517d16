"""Figures of a clip: what a check judges by, and what errors are told apart by.

The names carry their units and are those of `Clip.measured`. What cannot be known is left out, never 0 or -1.
"""

import numpy as np
import numpy.typing as npt

from edge.local.gate import open_gate
from edge.settings import EdgeSettings
from edge.sound.source import SAMPLE_RATE_HZ, Samples
from edge.speech.pitch import VOICED_LIKENESS, hz_of, track
from edge.speech.signal_meter import NoiseFloor, SignalMeter, power_of, to_dbfs
from models.sound.loudness import lufs
from models.sound.silence import Speech, find_speech

FULL_SCALE = 32768.0
CLIP_RUN_SAMPLES = 3
"""So many samples in a row at the highest value of a clip, near full scale, are cut off; one or two are a peak."""
NEAR_FULL_SCALE = 0.5
"""Clipping before a volume control looks like this too: a flat top below full scale."""

BAND_HZ = np.arange(0, SAMPLE_RATE_HZ // 2 + 1, 250)
BAND_TOP_DB = 40.0
"""A band no further below the loudest of the speech is there."""
BAND_BELOW_DB = 75.0
BAND_RISE_DB = 1.0
"""One further below is there if speech is louder than silence in it, unless it is so weak that a resampler left it."""
BAND_NOISE_DB = 16.0
"""Or rounding to 16 bits did."""

VOICED_FRAMES_MIN = 10

Measured = dict[str, float]


class Measurer:
    """Measures clips one after the other, with the board's own gate."""

    def __init__(self) -> None:
        self._gate = open_gate(EdgeSettings())

    def hear(self, samples: Samples) -> Measured:
        """The figures that cost little: how long, how much of it speech, how loud, how clean, how whole."""
        return _known(samples, _heard(samples, find_speech(samples, self._gate)))

    def measure(self, samples: Samples) -> Measured:
        """All figures of a clip's samples at 16 kHz."""
        speech = find_speech(samples, self._gate)
        found = _heard(samples, speech)
        if len(samples):
            found |= {
                "lufs": lufs(samples),
                "offset_share": abs(float(samples.mean(dtype=np.float64))) / FULL_SCALE,
                "band_limit_hz": band_limit_hz(speech),
                "pitch_hz": _pitch_hz(speech),
            }
        return _known(samples, found)


def _known(samples: Samples, found: dict[str, float | None]) -> Measured:
    """As a manifest has them."""
    measured: Measured = {"duration_ms": round(len(samples) * 1000 / SAMPLE_RATE_HZ)}
    return measured | {name: round(float(value), 4) for name, value in found.items() if value is not None}


def _heard(samples: Samples, speech: Speech) -> dict[str, float | None]:
    if not len(samples):
        return {}
    return {**_silence(speech), **_signal(speech), "flat_top_share": flat_top_share(samples)}


def flat_top_share(samples: Samples) -> float:
    """Of the samples that stand in a row of equal ones at the clip's highest or lowest value, where that is loud."""
    cut = 0
    for top in (int(samples.max()), int(samples.min())):
        if abs(top) < NEAR_FULL_SCALE * FULL_SCALE:
            continue
        edges = np.flatnonzero(np.diff(np.concatenate([[False], samples == top, [False]]).astype(np.int8)))
        lengths = edges[1::2] - edges[::2]
        cut += int(lengths[lengths >= CLIP_RUN_SAMPLES].sum())
    return cut / len(samples)


def band_limit_hz(speech: Speech) -> float | None:
    """Above this, speech brings nothing that silence has not: a telephone's sound in a wide file ends at 3,500 or
    4,000. None where nobody speaks, or all of it is speech."""
    if not speech.is_speech.any() or speech.is_speech.all():
        return None
    window = np.hanning(speech.blocks.shape[1])
    powers = np.square(np.abs(np.fft.rfft(speech.blocks * window)))
    hz = np.fft.rfftfreq(speech.blocks.shape[1], 1 / SAMPLE_RATE_HZ)
    bands = np.digitize(hz, BAND_HZ) - 1
    spoken = _by_band(powers[speech.is_speech], bands)
    silent = _by_band(powers[~speech.is_speech], bands)
    is_weak = (spoken < spoken.max() - BAND_BELOW_DB) | (spoken < BAND_NOISE_DB)
    is_heard = (spoken > spoken.max() - BAND_TOP_DB) | ((spoken > silent + BAND_RISE_DB) & ~is_weak)
    return float(BAND_HZ[np.flatnonzero(is_heard)[-1] + 1])


def _by_band(powers: npt.NDArray[np.float64], bands: npt.NDArray[np.intp]) -> npt.NDArray[np.float64]:
    """Mean power of each band, dB."""
    mean = powers.mean(axis=0)
    sums = np.bincount(bands, mean, len(BAND_HZ))[:-1]
    return 10 * np.log10(sums / np.maximum(1, np.bincount(bands, minlength=len(BAND_HZ))[:-1]) + 1e-3)


def _silence(speech: Speech) -> dict[str, float | None]:
    return {"speech_ms": speech.speech_ms, "before_ms": speech.before_ms, "after_ms": speech.after_ms}


def _signal(speech: Speech) -> dict[str, float | None]:
    """As the board tells of each utterance."""
    meter, noise = SignalMeter(), NoiseFloor()
    for block, is_speech in zip(speech.blocks, speech.is_speech, strict=True):
        power = power_of(block)
        meter.push(block, power, bool(is_speech))
        if not is_speech:
            noise.push(power)
    signal = meter.measure(noise.power)
    return {
        **signal._asdict(),
        "rms_dbfs": to_dbfs(power_of(speech.blocks.reshape(-1))) if len(speech.blocks) else None,
    }


def _pitch_hz(speech: Speech) -> float | None:
    """Median over the voiced frames; None where there are few."""
    if len(speech.blocks) < 2:
        return None
    semitones, likeness = track(speech.blocks.reshape(-1))
    spoken = speech.is_speech[:-1] & speech.is_speech[1:]
    voiced = semitones[(likeness > VOICED_LIKENESS) & spoken]
    return hz_of(float(np.median(voiced))) if len(voiced) >= VOICED_FRAMES_MIN else None
