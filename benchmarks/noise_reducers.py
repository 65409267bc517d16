"""Ways to take noise out of frames: what the noise is, band by band, and how much of it is taken off. Causal and pure.

All work on the power of the bands, frame by frame, and never on sound: a frame's result depends on none after it.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from protos.feature_spec import LogMel

Floats = npt.NDArray[np.float64]

Noise = Callable[[Floats], Floats]
"""(frames, bands) of power to the power of the noise in each."""

FIRST_FRAMES = 10
"""What an utterance starts with is the room."""

OVER, LEAST = 2.0, 0.1
"""So often the noise is taken off, and so much of it stays."""
GAIN_MIN = 0.25
"""-12 dB."""


def reducer(noise: Noise, off: Callable[[Floats, Floats], Floats]) -> Callable[[LogMel], LogMel]:
    """Frames to frames with less noise in them."""

    def reduce(log_mel: LogMel) -> LogMel:
        power = 10.0 ** log_mel.astype(np.float64)
        return np.log10(off(power, noise(power))).astype(np.float32) if len(log_mel) else log_mel

    return reduce


def subtracted(power: Floats, noise: Floats) -> Floats:
    """The noise taken off twice, a tenth of it left (Berouti, Schwartz and Makhoul 1979, "Enhancement of speech
    corrupted by acoustic noise")."""
    less: Floats = np.maximum(power - OVER * noise, LEAST * noise)
    return less


def wiener(power: Floats, noise: Floats) -> Floats:
    """Wiener's gain by the decision-directed ratio (Ephraim and Malah 1984; Scalart and Vieira Filho 1996, "Speech
    enhancement based on a priori signal to noise estimation")."""
    posterior = power / noise
    result = np.empty_like(power)
    before = np.maximum(posterior[0] - 1, 0)
    for frame, ratio in enumerate(posterior):
        prior = 0.98 * before + 0.02 * np.maximum(ratio - 1, 0)
        squared = np.maximum(prior / (1 + prior), GAIN_MIN) ** 2
        before = squared * ratio
        result[frame] = squared * power[frame]
    return result


RISE = 10**0.003
"""3 dB a second."""
FLOOR_BIAS = 1.5
"""The floor of noise lies below its mean."""


def followed_floor(power: Floats) -> Floats:
    """Falls with the smoothed power at once, and rises slowly whatever is said."""
    floor = smooth = power[:FIRST_FRAMES].mean(axis=0)
    noise = np.empty_like(power)
    for frame, now in enumerate(power):
        smooth = 0.8 * smooth + 0.2 * now
        floor = np.minimum(smooth, floor * RISE)
        noise[frame] = FLOOR_BIAS * floor
    return noise


WINDOW_FRAMES = 150
LENGTHS = np.array([1, 2, 5, 8, 10, 15, 20, 30, 40, 60, 80, 120, 140, 160])
MEANS = np.array([0, 0.26, 0.48, 0.58, 0.61, 0.668, 0.705, 0.762, 0.8, 0.841, 0.865, 0.89, 0.9, 0.91])
"""M(D) of Martin's table III."""


def minimum_statistics(power: Floats) -> Floats:
    """Least smoothed power of the last 1.5 s, its bias undone (Martin 2001, "Noise power spectral density estimation
    based on optimal smoothing and minimum statistics")."""
    smooth = noise = power[:FIRST_FRAMES].mean(axis=0)
    mean, square = smooth, smooth**2
    result, correction = np.empty_like(power), 1.0
    recent = np.empty_like(power)
    for frame, now in enumerate(power):
        fit = 1 / (1 + (smooth.sum() / now.sum() - 1) ** 2)
        correction = 0.7 * correction + 0.3 * max(fit, 0.7)
        alpha = np.maximum(0.96 * correction / (1 + (smooth / noise - 1) ** 2), 0.3)
        smooth = alpha * smooth + (1 - alpha) * now
        beta = np.minimum(alpha**2, 0.8)
        mean = beta * mean + (1 - beta) * smooth
        square = beta * square + (1 - beta) * smooth**2
        spread = np.minimum(np.maximum(square - mean**2, 0) / (2 * noise**2), 0.5)
        recent[frame] = smooth
        length = min(frame + 1, WINDOW_FRAMES)
        share = np.interp(length, LENGTHS, MEANS)
        freedom = (1 / np.maximum(spread, 1e-3) - 2 * share) / (1 - share)
        bias = 1 + (length - 1) * 2 / np.maximum(freedom, 1)
        many = 1 + 2.12 * np.sqrt(spread.mean())
        noise = np.maximum(recent[frame + 1 - length : frame + 1].min(axis=0) * bias * many, 1e-10)
        result[frame] = noise
    return result


def controlled_average(power: Floats) -> Floats:
    """A mean that stands still where speech is likely (Cohen and Berdugo 2002, "Noise estimation by minima controlled
    recursive averaging for robust speech enhancement")."""
    around = np.pad(power, ((0, 0), (1, 1)), mode="edge")
    around = around[:, :-2] / 4 + around[:, 1:-1] / 2 + around[:, 2:] / 4
    smooth = around[:FIRST_FRAMES].mean(axis=0)
    noise = power[:FIRST_FRAMES].mean(axis=0)
    likely, recent, result = np.zeros_like(noise), np.empty_like(power), np.empty_like(power)
    for frame, now in enumerate(power):
        smooth = 0.8 * smooth + 0.2 * around[frame]
        recent[frame] = smooth
        least = recent[max(0, frame + 1 - WINDOW_FRAMES) : frame + 1].min(axis=0)
        speaks = smooth > 5 * least
        # At once where speech begins: its first frame would be taken for a louder room.
        likely = np.maximum(speaks, 0.2 * likely + 0.8 * speaks)
        alpha = 0.95 + 0.05 * likely
        noise = np.maximum(alpha * noise + (1 - alpha) * now, 1e-10)
        result[frame] = noise
    return result
