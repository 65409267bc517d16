"""What pocketsphinx's acoustic model listens to, made from the 80 bands: 13 cepstra a frame.

The model was trained on 25 mel filters of pre-emphasised speech (Davis and Mermelstein 1980; the constants are those
of its feat.params). Each filter is a non-negative sum of the 80 bands, by least squares over the bins of the
spectrum, so that no band can make another one negative and its logarithm undefined.
"""

import numpy as np
import numpy.typing as npt

from protos.feature_spec import FeatureSpec, Levels
from protos.mel_filters import mel_filters, triangles

Floats = npt.NDArray[np.float64]

Cepstra = npt.NDArray[np.float32]
"""Shape (frames, CEPSTRA)."""

FILTERS = 25
CEPSTRA = 13
LOW_HZ, HIGH_HZ = 130.0, 6800.0
PRE_EMPHASIS = 0.97
LIFTER = 22
SPHINX_BIN_HZ = 16_000 / 512
"""pocketsphinx sums power over the bins of a 512-point transform, and puts the edges of its filters on them."""

LOG_FLOOR = 7.0
"""Least natural log of a filter's power, samples being 16-bit numbers. Below is nothing that a model trained on
recordings knows: of 296 orders, 0.39 were right with -2, 0.93 with 4, 0.97 with 8. With it no zeroth cepstrum is
negative, which pocketsphinx would leave out of its mean."""

FULL_SCALE = 32768.0
FITTING_ROUNDS = 500


class SphinxFeatures:
    """Makes cepstra from one kind of frames. Has no state: frames can come in any pieces."""

    def __init__(self, spec: FeatureSpec) -> None:
        log_mel = spec.dequantise(np.arange(spec.levels, dtype=np.int8))
        self._powers: Floats = 10.0 ** log_mel.astype(np.float64)
        self._matrix = filter_matrix(spec).T
        self._transform = cosine_transform().T * lifter()

    def log_filters(self, levels: Levels) -> Floats:
        """(frames, FILTERS) natural logarithms of power, samples being 16-bit numbers; of (frames, bands), whose levels
        outside the spec count as its lowest or highest."""
        power = self._powers[np.clip(levels, 0, len(self._powers) - 1)]
        logarithms: Floats = np.log(power @ self._matrix)
        return logarithms

    def cepstra(self, log_filters: Floats) -> Cepstra:
        """(frames, CEPSTRA) of (frames, FILTERS)."""
        return (np.maximum(log_filters, LOG_FLOOR) @ self._transform).astype(np.float32)


def filter_matrix(spec: FeatureSpec) -> Floats:
    """(FILTERS, bands), none negative: bands' power at full scale 1.0 to filters' power of 16-bit samples."""
    bins_hz = np.arange(spec.window_samples // 2 + 1) * spec.sample_rate_hz / spec.window_samples
    return non_negative_fit(sphinx_filters(bins_hz, spec), mel_filters(spec).T)


def non_negative_fit(targets: Floats, parts: Floats) -> Floats:
    """(targets, parts) weights, none negative, whose sums of parts come near the targets, both over the same bins.

    Multiplicative updates: Lee and Seung 2000, "Algorithms for Non-negative Matrix Factorization".
    """
    weights = np.maximum(targets @ np.linalg.pinv(parts), targets.max() * 1e-9)
    wanted, overlap = targets @ parts.T, parts @ parts.T
    for _ in range(FITTING_ROUNDS):
        weights *= wanted / np.maximum(weights @ overlap, 1e-30)
    fitted: Floats = weights
    return fitted


def sphinx_filters(bins_hz: Floats, spec: FeatureSpec) -> Floats:
    """pocketsphinx's filters with the pre-emphasis in them, (FILTERS, bins)."""
    edges_mel = np.linspace(2595 * np.log10(1 + LOW_HZ / 700), 2595 * np.log10(1 + HIGH_HZ / 700), FILTERS + 2)
    edges_hz = 700 * (10 ** (edges_mel / 2595) - 1)
    edges_hz = np.rint(edges_hz / SPHINX_BIN_HZ) * SPHINX_BIN_HZ
    pre_emphasis = np.abs(1 - PRE_EMPHASIS * np.exp(-2j * np.pi * bins_hz / spec.sample_rate_hz)) ** 2
    # Hamming over 410 samples where the bands have Hann over 400: more power of the same sound.
    window_gain = np.sum(np.hamming(410) ** 2) / np.sum(np.hanning(spec.window_samples + 1)[:-1] ** 2)
    bin_hz = spec.sample_rate_hz / spec.window_samples
    filters: Floats = triangles(bins_hz, edges_hz).T * pre_emphasis
    return filters * (FULL_SCALE**2 * window_gain * bin_hz / SPHINX_BIN_HZ)


def cosine_transform() -> Floats:
    """Orthonormal DCT-II, (CEPSTRA, FILTERS)."""
    rows = np.cos(np.pi * np.outer(np.arange(CEPSTRA), np.arange(FILTERS) + 0.5) / FILTERS) * np.sqrt(2 / FILTERS)
    rows[0] /= np.sqrt(2)
    transform: Floats = rows
    return transform


def lifter() -> Floats:
    """Weights that bring the cepstra to like sizes, (CEPSTRA,)."""
    weights: Floats = 1 + LIFTER / 2 * np.sin(np.pi * np.arange(CEPSTRA) / LIFTER)
    return weights
