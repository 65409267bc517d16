"""Makes the frames of one utterance and sums up its facts."""

from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from edge.sound.source import BLOCK_MS, Samples
from edge.speech import prosody
from edge.speech.log_mel import LogMel
from edge.speech.pitch import PitchMeter
from edge.speech.prosody import AFTER_BLOCKS, SPAN_BLOCKS, Voice
from edge.speech.segmenter import Endpoint
from edge.speech.signal_meter import SignalMeter
from edge.speech.utterance import UtteranceEnd, UtteranceFrames
from protos.feature_spec import FeatureSpec

RECENT_BLOCKS = SPAN_BLOCKS + 60
"""Kept to listen to the voice before a pause, and the pause."""


class JudgedBlock(NamedTuple):
    """A block on its way through the segmenter."""

    samples: Samples
    position: int
    """Blocks of its source before it."""
    at_s: float
    """Monotonic time at which its last sample was there."""
    overruns: int
    power: float
    is_speech: bool


class UtteranceMaker:
    """Takes the blocks of one utterance in order, the pre-roll first."""

    def __init__(self, spec: FeatureSpec) -> None:
        self._spec = spec
        self._log_mel = LogMel(spec)
        self._meter = SignalMeter()
        self._pitch_meter = PitchMeter()
        self._pending: list[Samples] = []
        self._recent: deque[JudgedBlock] = deque(maxlen=RECENT_BLOCKS)
        self._first_frame = 0
        self._times_s: list[float] = []
        self._overruns = 0
        self._gaps = 0

    def add(self, block: JudgedBlock) -> None:
        # What was lost before the first sample is missing from no utterance.
        if self._times_s and block.overruns:
            self._overruns += block.overruns
            self._gaps += 1
        self._times_s.append(block.at_s)
        self._pending.append(block.samples)
        self._recent.append(block)
        self._meter.push(block.samples, block.power, block.is_speech)
        self._pitch_meter.push(block.samples, block.is_speech)

    def blocks_since(self, block: int) -> int:
        """So many follow the first `block` blocks."""
        return len(self._times_s) - block

    def voice_before(self, speech_end_block: int) -> Voice:
        """How the voice went before a pause; unknown where what came before it is no longer kept."""
        end = len(self._recent) - self.blocks_since(speech_end_block) + AFTER_BLOCKS
        blocks = list(self._recent)[max(0, end - SPAN_BLOCKS - AFTER_BLOCKS) : max(0, end)]
        samples, powers, judgements = (
            [block.samples for block in blocks],
            [block.power for block in blocks],
            [block.is_speech for block in blocks],
        )
        return prosody.voice(prosody.measure(samples, powers, judgements))

    def frames(self, blocks_min: int) -> Iterator[UtteranceFrames]:
        """What has gathered, if it is so many blocks."""
        if len(self._pending) < blocks_min:
            return
        samples = np.concatenate(self._pending)
        levels = self._spec.quantise(self._log_mel.push(samples))
        # An utterance of a lone block, at the very end of cut speech, is shorter than a window and has no frame.
        if len(levels):
            yield UtteranceFrames(self._first_frame, levels, samples)
        self._first_frame += len(levels)
        self._pending.clear()

    def end(self, endpoint: Endpoint, noise_power: float | None, now_s: float) -> UtteranceEnd:
        """The facts, over a noise floor that is None where nobody knows it."""
        signal = self._meter.measure(noise_power)
        pitch = self._pitch_meter.pitch()
        return UtteranceEnd(
            reason=endpoint.reason,
            duration_ms=len(self._times_s) * BLOCK_MS,
            speech_start_ms=endpoint.speech_start_block * BLOCK_MS,
            speech_end_ms=endpoint.speech_end_block * BLOCK_MS,
            last_sound_monotonic_s=self._times_s[endpoint.speech_end_block - 1],
            ended_monotonic_s=now_s,
            level_dbfs=signal.level_dbfs,
            peak_dbfs=signal.peak_dbfs,
            noise_floor_dbfs=signal.noise_floor_dbfs,
            snr_db=signal.snr_db,
            clipped_share=signal.clipped_share,
            overruns=self._overruns,
            gaps=self._gaps,
            pitch_hz=pitch.median_hz if pitch else None,
            pitch_low_hz=pitch.low_hz if pitch else None,
            pitch_high_hz=pitch.high_hz if pitch else None,
        )
