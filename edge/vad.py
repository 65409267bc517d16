"""The gate: is this block speech? Cheap, and asked of every block."""

from collections import deque
from typing import Protocol

import webrtcvad

from edge.settings import Vad
from edge.signal_meter import power_of
from edge.source import SAMPLE_RATE_HZ, Samples

MARGIN_POWER = 10 ** (6 / 10)
"""Speech stands out of the noise by 6 dB."""

SPAN_BLOCKS = 25
SPANS = 6
"""The noise is the quietest block of six spans of half a second: hardly anybody speaks for 3 s without a dip."""


class Gate(Protocol):
    """Judges blocks in order; may remember what came before."""

    name: str
    """Kind and setting, such as "webrtc-2"; travels with each utterance."""

    def is_speech(self, samples: Samples) -> bool:
        """Whether the next 20 ms are speech."""

    def reset(self) -> None:
        """Forgets all it heard: what comes next is another stretch of time."""


class WebRtcGate:
    """WebRTC's voice activity detector: Gaussian mixtures over the power of six sub-bands.

    It takes loud steady noise for speech without end, and its first five blocks for speech whatever they are.
    """

    def __init__(self, aggressiveness: int = 2) -> None:
        """aggressiveness is from 0 (lets most through) to 3."""
        self.name = f"webrtc-{aggressiveness}"
        self._aggressiveness = aggressiveness
        self.reset()

    def is_speech(self, samples: Samples) -> bool:
        return bool(self._detector.is_speech(samples.tobytes(), SAMPLE_RATE_HZ))

    def reset(self) -> None:
        # The library has no way to forget but a new detector.
        self._detector = webrtcvad.Vad(self._aggressiveness)


class AboveNoiseGate:
    """What another gate calls speech, if it also stands out of the noise of the last seconds.

    The noise is a running minimum (Martin 2001, minimum statistics). It is unknown at first and then holds nothing
    back, so that a noise that starts, however loud, passes for 3 s and no longer.
    """

    def __init__(self, gate: Gate) -> None:
        self.name = f"{gate.name}-above-noise"
        self._gate = gate
        self._forget()

    def is_speech(self, samples: Samples) -> bool:
        power = power_of(samples)
        self._span_powers.append(power)
        noise_power = min(*self._minima, *self._span_powers)
        if len(self._span_powers) == SPAN_BLOCKS:
            self._minima.append(min(self._span_powers))
            self._span_powers.clear()
        # Asked in any case: the gate learns from silence too.
        return self._gate.is_speech(samples) and power > noise_power * MARGIN_POWER

    def reset(self) -> None:
        self._gate.reset()
        self._forget()

    def _forget(self) -> None:
        self._minima = deque([0.0] * SPANS, maxlen=SPANS)
        self._span_powers: list[float] = []


def open_gate(settings: Vad) -> Gate:
    """The gate that the settings ask for."""
    return AboveNoiseGate(WebRtcGate(settings.aggressiveness))
