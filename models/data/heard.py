"""Listening by numbers: how much of a clip is speech, and how loud it is, as the board hears it."""

from typing import NamedTuple

import numpy as np

from edge.sound.source import BLOCK_MS, BLOCK_SAMPLES, Samples
from edge.speech.vad import Gate, MelGate

FULL_SCALE = 32_767
SILENCE_DBFS = -120.0


class Heard(NamedTuple):
    """What a clip sounds like."""

    duration_ms: int
    speech_ms: int
    """By the board's gate."""
    peak_dbfs: float
    clipped: int
    """Samples at full scale with their like beside them."""

    @property
    def measured(self) -> dict[str, float]:
        """As a manifest has it."""
        return {"duration_ms": self.duration_ms, "speech_ms": self.speech_ms, "peak_dbfs": round(self.peak_dbfs, 1)}


def hear(samples: Samples, gate: Gate | None = None) -> Heard:
    """Of a clip at 16 kHz; the rest of a last block is not asked about."""
    gate = gate or MelGate()
    gate.reset()
    whole = samples[: len(samples) // BLOCK_SAMPLES * BLOCK_SAMPLES].reshape(-1, BLOCK_SAMPLES)
    speech_blocks = sum(gate.is_speech(block) for block in whole)
    loudest = int(np.abs(samples.astype(np.int32)).max(initial=0))
    full = np.abs(samples.astype(np.int32)) >= FULL_SCALE
    return Heard(
        duration_ms=len(samples) * BLOCK_MS // BLOCK_SAMPLES,
        speech_ms=speech_blocks * BLOCK_MS,
        peak_dbfs=20 * float(np.log10(loudest / 32_768)) if loudest else SILENCE_DBFS,
        clipped=int(np.count_nonzero(full[1:] & full[:-1])),
    )
