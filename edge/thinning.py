"""Quantises frames as a spec says: every second one smoothed over its neighbours, those between halfway.

A stream: the same levels come out however the frames were cut into pieces. A frame is held back until the next one is
there, so the last one or two of an utterance, silence of the hang-over, do not come out.
"""

import numpy as np

from protos.feature_spec import FeatureSpec, Levels, LogMel, halfway


class Thinning:
    """One utterance."""

    def __init__(self, spec: FeatureSpec) -> None:
        self._spec = spec
        self._held = np.empty((0, spec.bands), np.float32)
        """From the frame before the next measured one; empty: nothing has come yet."""
        self._last: Levels | None = None

    def push(self, log_mel: LogMel) -> Levels:
        """Levels that (frames, bands) log10 powers complete; perhaps none."""
        if self._spec.thinning == 1:
            return self._spec.quantise(log_mel)
        # The first frame stands for the one before it.
        held = self._held if len(self._held) else log_mel[:1]
        frames = np.concatenate([held, log_mel])
        count = max(0, (len(frames) - 1) // 2)
        if not count:
            self._held = frames
            return np.empty((0, self._spec.bands), np.int8)
        self._held = frames[2 * count :]
        before, measured, after = (frames[start : start + 2 * count : 2] for start in range(3))
        smooth: LogMel = measured / np.float32(2) + (before + after) / np.float32(4)
        levels = self._spec.quantise(smooth)
        anchors = levels if self._last is None else np.concatenate([self._last, levels])
        whole = np.empty((2 * len(anchors) - 1, self._spec.bands), np.int8)
        whole[::2] = anchors
        whole[1::2] = halfway(anchors[:-1], anchors[1:])
        whole = whole if self._last is None else whole[1:]
        self._last = levels[-1:]
        return whole
