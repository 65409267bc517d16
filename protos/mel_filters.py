"""The mel bands of a FeatureSpec as filters over the bins of its Fourier transform."""

import numpy as np
import numpy.typing as npt

from protos.feature_spec import FeatureSpec

_SLANEY_LINEAR_HZ_PER_MEL = 200 / 3
_SLANEY_BREAK_HZ = 1000.0
_SLANEY_LOG_STEP = np.log(6.4) / 27


Floats = npt.NDArray[np.float64]


def mel_filters(spec: FeatureSpec) -> Floats:
    """Triangles of unit area on Slaney's mel scale, (bins, bands); Slaney 1998, Auditory Toolbox."""
    bins_hz = np.arange(spec.window_samples // 2 + 1) * spec.sample_rate_hz / spec.window_samples
    edges_mel = np.linspace(_mel(spec.low_hz), _mel(spec.high_hz), spec.bands + 2)
    return triangles(bins_hz, np.array([_hz(mel) for mel in edges_mel]))


def triangles(bins_hz: Floats, edges_hz: Floats) -> Floats:
    """Triangles of unit area over neighbouring edges, (bins, edges - 2)."""
    low, centre, high = edges_hz[:-2], edges_hz[1:-1], edges_hz[2:]
    rising = (bins_hz[:, np.newaxis] - low) / (centre - low)
    falling = (high - bins_hz[:, np.newaxis]) / (high - centre)
    filters: Floats = np.maximum(0, np.minimum(rising, falling)) * 2 / (high - low)
    return filters


def _mel(frequency_hz: float) -> float:
    """Slaney's scale: linear below 1 kHz, logarithmic above."""
    if frequency_hz < _SLANEY_BREAK_HZ:
        return frequency_hz / _SLANEY_LINEAR_HZ_PER_MEL
    return float(
        _SLANEY_BREAK_HZ / _SLANEY_LINEAR_HZ_PER_MEL + np.log(frequency_hz / _SLANEY_BREAK_HZ) / _SLANEY_LOG_STEP
    )


def _hz(mel: float) -> float:
    """The inverse of _mel."""
    break_mel = _SLANEY_BREAK_HZ / _SLANEY_LINEAR_HZ_PER_MEL
    if mel < break_mel:
        return mel * _SLANEY_LINEAR_HZ_PER_MEL
    return float(_SLANEY_BREAK_HZ * np.exp(_SLANEY_LOG_STEP * (mel - break_mel)))
