"""The evidence of a change at any utterance so far, by each of many wagers on what is new in a sitting. Pure."""

import msgspec
import numpy as np
import numpy.typing as npt

from cloud.drift.sitting import News, Sitting

Floats = npt.NDArray[np.float64]

EVIDENCE_MAX = 1e280


class EvidenceState(msgspec.Struct, frozen=True):
    """As it is kept: arrays as bytes."""

    evidence: bytes
    runs: bytes
    ages: bytes
    sums: bytes = b""
    counts: bytes = b""
    """Of the sitting; empty: it begins."""


class Evidence:
    """Of one stream's wagers."""

    def __init__(self, shape: tuple[int, ...], alike: Floats) -> None:
        """`shape`: of the wagers; `alike`: of each score, see sitting.py."""
        self._shape = shape
        self._sitting = Sitting(alike)
        self.reset()

    def reset(self) -> None:
        """Nothing speaks for a change."""
        self._sitting.begin()
        self.sums: Floats = np.zeros(self._shape)
        """Shiryaev-Roberts'."""
        self.runs: Floats = np.zeros(self._shape)
        """The logarithm of the likeliest summand's (a CUSUM, Page 1954)."""
        self.ages = np.zeros(self._shape, np.int64)
        """How many utterances ago that began."""

    def news(self, scores: Floats, *, begins: bool) -> News:
        """What the next utterance's scores add to its sitting, which it begins or goes on with."""
        if begins:
            self._sitting.begin()
        return self._sitting.push(scores)

    def push(self, gains: Floats) -> None:
        """Takes the logarithms of what each wager gains by the utterance; NaN where it says nothing."""
        known = ~np.isnan(gains)
        gains = np.where(known, gains, 0.0)
        self.sums = np.minimum((self.sums + known) * np.exp(gains), EVIDENCE_MAX)
        self.runs = np.maximum(0.0, self.runs + gains)
        self.ages = np.where(self.runs > 0, self.ages + 1, 0)

    def state(self) -> EvidenceState:
        """To be kept."""
        kept = (self.sums, self.runs, self.ages, self._sitting.sums, self._sitting.counts)
        return EvidenceState(*(one.tobytes() for one in kept))

    def go_on(self, state: EvidenceState) -> None:
        """As it was when it was kept."""
        self.sums = np.frombuffer(state.evidence).reshape(self._shape).copy()
        self.runs = np.frombuffer(state.runs).reshape(self._shape).copy()
        self.ages = np.frombuffer(state.ages, np.int64).reshape(self._shape).copy()
        self._sitting.begin()
        if state.counts:
            self._sitting.sums = np.frombuffer(state.sums).copy()
            self._sitting.counts = np.frombuffer(state.counts).copy()
