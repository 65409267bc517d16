"""The one kind of features that the board computes, whatever listens at the other end.

Log-mel as Whisper-class models eat it, quantised to a few levels. The spec is a frozen value; its fingerprint
travels with every utterance and lies in every model file, so that nobody decodes features of another kind.
"""

import hashlib
from dataclasses import asdict, dataclass
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

Levels = npt.NDArray[np.int8]
"""Quantised frames, shape (frames, bands), each from 0 to levels - 1."""

LogMel = npt.NDArray[np.float32]
"""log10 of the mel power at full scale 1.0, shape (frames, bands)."""


@dataclass(frozen=True, slots=True)
class FeatureSpec:
    """How sound becomes frames. Two specs are compatible when they are equal, and not otherwise."""

    sample_rate_hz: int = 16_000
    window_samples: int = 400
    """Periodic Hann window; also the length of the Fourier transform."""
    hop_samples: int = 160
    bands: int = 80
    """Mel bands on Slaney's scale, each of unit area (Slaney 1998, Auditory Toolbox)."""
    low_hz: float = 0.0
    high_hz: float = 8_000.0
    floor_log10: float = -7.5
    """log10 power of level 0."""
    ceiling_log10: float = 2.5
    """log10 power of the highest level."""
    levels: int = 12
    """From 2 to 128, so that a level fits in an int8."""

    def __post_init__(self) -> None:
        if not 2 <= self.levels <= 128:
            raise ValueError(f"levels is {self.levels}, but an int8 holds 2 to 128 of them")
        # 0 equals 0.0, but is written otherwise: equal specs must have equal fingerprints.
        for name in ("low_hz", "high_hz", "floor_log10", "ceiling_log10"):
            object.__setattr__(self, name, float(getattr(self, name)))

    @property
    def step_log10(self) -> float:
        """Distance between two levels, in log10 of power."""
        return (self.ceiling_log10 - self.floor_log10) / (self.levels - 1)

    @property
    def frame_ms(self) -> int:
        """Milliseconds from one frame to the next."""
        return 1000 * self.hop_samples // self.sample_rate_hz

    @property
    def fingerprint(self) -> str:
        """Readable head and hash of every field, such as ``logmel80-16k-l32-0123abcd``."""
        canonical: dict[str, Any] = {"kind": "log10-mel-slaney-hann", **asdict(self)}
        digest = hashlib.sha256(msgspec.json.encode(canonical, order="sorted")).hexdigest()
        return f"logmel{self.bands}-{self.sample_rate_hz // 1000}k-l{self.levels}-{digest[:8]}"

    def quantise(self, log_mel: LogMel) -> Levels:
        """Nearest levels of (frames, bands) log10 powers; what lies outside the range takes its end."""
        # In place and without np.clip: of 100 ms of features, half the time with numpy 1.
        scaled = (log_mel - self.floor_log10) / self.step_log10
        np.rint(scaled, out=scaled)
        np.maximum(scaled, 0, out=scaled)
        np.minimum(scaled, self.levels - 1, out=scaled)
        levels: Levels = scaled.astype(np.int8)
        return levels

    def dequantise(self, levels: Levels) -> LogMel:
        """log10 powers of (frames, bands) levels."""
        return (levels * np.float32(self.step_log10) + np.float32(self.floor_log10)).astype(np.float32)


DEFAULT_SPEC = FeatureSpec()
"""What the board sends."""

ACCEPTED_SPECS = {spec.fingerprint: spec for spec in (FeatureSpec(levels=count) for count in (12, 10, 16, 24))}
"""What the service takes, by fingerprint, the preferred one first: all that differ in their levels only."""
