"""Whether scores are still as they were: looked at after each utterance, for ever, with a bound on false alarms. Pure.

An e-detector (Shin, Ramdas and Rinaldo 2024), of the Shiryaev-Roberts kind: for each feature, direction and size of
shift, and for a wider spread, the evidence of a change at any utterance so far, summed. Each summand is a wager whose
expected gain is at most 1 while nothing changed, so their mean over all features and sizes stays below the number of
utterances in expectation, and passing RUN_LENGTH takes so many on the average: no correction for the number of features
or of looks. Three things make the wagers honest outside of textbooks: scores are bounded, and each wager assumes that
one in as many utterances as were learnt from lies at the bound; the variance of a sum is that of scores which linger;
and a shift no larger than what is uncertain of the reference is none.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from cloud.drift.evidence import Evidence, EvidenceState
from cloud.drift.reference import SCORE_MAX, Reference
from cloud.drift.sitting import News

Floats = npt.NDArray[np.float64]

SHIFTS = (0.6, 1.2, 2.0)
"""In standard deviations of what lingers not."""
SPREADS = (0.15, 0.35)
SPREAD_SHARE = 0.1
"""Of a wager's weight that a wager on a wider spread has: what widens has mostly moved as
well, and squares are less tame."""
MARGIN = 0.05
"""A shift so small, in standard deviations, is not worth a sentence..."""
UNSURE = 1.5
"""...nor one of so many standard errors of the reference's mean."""

WAGERS = 2 * len(SHIFTS) + len(SPREADS)
"""On each feature."""
WEIGHTS: Floats = np.repeat([1.0, SPREAD_SHARE], [2 * len(SHIFTS), len(SPREADS)])
WEIGHTS /= WEIGHTS.sum()


class Suspect(NamedTuple):
    """The feature that speaks most for a change."""

    feature: int
    direction: int
    """1 up, -1 down, 0 wider."""
    began: int
    """How many utterances ago it seems to have begun, from 1."""
    block: str = ""
    """Of which it speaks most, where a block told; see watcher.py."""


class Wagers:
    """The sizes of all wagers against a reference: for each watched feature up, down, and wider."""

    def __init__(self, reference: Reference) -> None:
        watched = [number for number, knots in enumerate(reference.knots) if knots]
        self.watched = np.array(watched, np.int64)
        """Features that have wagers."""
        alike = reference.alike or [0.0] * len(reference.knots)
        self.alike: Floats = np.array(alike)[self.watched]
        """Of a sitting."""
        linger = np.array(reference.linger)[self.watched, np.newaxis]
        squared = np.array(reference.linger_squared)[self.watched, np.newaxis]
        self._margin = MARGIN + UNSURE * np.sqrt(linger / reference.count)
        self._shifts = np.array(SHIFTS) / np.sqrt(linger)
        # One in `count` at the bound, as if that was what comes next.
        extreme = np.exp(self._shifts * SCORE_MAX) / (reference.count + 1)
        self._cost = np.maximum(linger * self._shifts**2 / 2, np.log(np.exp(self._shifts**2 / 2) + extreme))
        self._spreads = np.array(SPREADS) / np.sqrt(squared)
        usual = np.exp(-self._spreads) / np.sqrt(1 - 2 * self._spreads)
        far = np.exp(self._spreads * (SCORE_MAX**2 - 1)) / (reference.count + 1)
        self._spread_cost = np.maximum(squared * self._spreads**2, np.log(usual + far))

    def gains(self, scores: Floats, news: News) -> Floats:
        """Logarithms of what each wager gains by the scores of the watched features and what is new of them, (watched,
        WAGERS); NaN where one is missing."""
        here, weights = np.clip(news.scores, -SCORE_MAX, SCORE_MAX)[:, np.newaxis], news.weights[:, np.newaxis]
        # What says little of a shift is little wagered on.
        shifts, cost = self._shifts * weights, self._cost * np.square(weights)
        up = shifts * (here - self._margin * weights) - cost
        down = shifts * (-here - self._margin * weights) - cost
        # Of a spread that is the sitting's own, what is new of it says nothing.
        squares = np.square(np.clip(scores, -SCORE_MAX, SCORE_MAX))[:, np.newaxis]
        wider = self._spreads * (squares - 1 - self._margin) - self._spread_cost
        return np.concatenate([up, down, wider], axis=1)


class Detector:
    """The evidence so far, of one stream."""

    def __init__(self, wagers: Wagers) -> None:
        self._wagers = wagers
        self._evidence = Evidence((len(wagers.watched), WAGERS), wagers.alike)

    def reset(self) -> None:
        """Nothing speaks for a change."""
        self._evidence.reset()

    def push(self, scores: Floats, *, begins: bool = True) -> float:
        """Takes the scores of an utterance's features, which begins a sitting or is of the same as the last one; the
        mean evidence, to be compared with a run length."""
        own = scores[self._wagers.watched]
        self._evidence.push(self._wagers.gains(own, self._evidence.news(own, begins=begins)))
        return self.mean

    @property
    def mean(self) -> float:
        """Of the evidence of all wagers, each by its weight."""
        sums = self._evidence.sums
        return float((sums @ WEIGHTS).mean()) if sums.size else 0.0

    def suspect(self) -> Suspect:
        """What speaks most for a change."""
        sums = self._evidence.sums
        place, wager = np.unravel_index(int((sums * WEIGHTS).argmax()), sums.shape)
        direction = (1, -1, 0)[min(2, int(wager) // len(SHIFTS))]
        return Suspect(int(self._wagers.watched[place]), direction, max(1, int(self._evidence.ages[place, wager])))

    def state(self) -> EvidenceState:
        """To be kept."""
        return self._evidence.state()

    def go_on(self, state: EvidenceState) -> None:
        """As it was when it was kept."""
        self._evidence.go_on(state)
