"""A change in many numbers at once, in whatever direction: wagers that learn where to look while they look. Pure.

Scores that belong together are whitened by what is usual: each utterance is a point, standard normal while nothing
changed. Where points have been of late, the next one is wagered on: the direction was known before it came, so the
wager is as fair as one fixed for ever (Lorden and Pollak 2005). "Of late" leaves out the last few utterances, which the
same person said; and the mean is shrunk, for of many dimensions most is noise (James and Stein 1961).
"""

from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from cloud.drift.evidence import Evidence, EvidenceState
from cloud.drift.reference import LEAST, SCORE_MAX, lingering
from cloud.drift.sitting import Bools, alike_of, first_of, news_of

Floats = npt.NDArray[np.float64]

RIDGE = 0.15
"""Of the identity in a covariance: few utterances show correlations that there are not."""
LATE = 1 / 20
"""What the newest point weighs in the mean of late ones."""
GAP = 6
"""Points that are not among them yet."""
STAKES = (0.5, 1.0)
"""Of what would be best if the mean was right."""
MARGIN = 0.2
UNSURE = 1.0
"""As in detector.py, of the whole direction."""


class Whitening(msgspec.Struct, frozen=True):
    """Of a block of numbers."""

    means: list[float]
    matrix: list[list[float]]
    """(numbers, dimensions)."""
    linger: float
    """See reference.py; the mean of all dimensions."""
    count: int
    alike: float = 0.0
    """How much points of one sitting have in common; the mean of all dimensions."""

    def points(self, values: Floats) -> Floats:
        """Of (..., numbers); what is missing is as usual."""
        centred = np.nan_to_num(values - np.array(self.means))
        points: Floats = np.clip(centred @ np.array(self.matrix), -SCORE_MAX, SCORE_MAX)
        return points


def whitening_of(values: Floats, first: Sequence[bool] = ()) -> Whitening | None:
    """Learnt from (utterances, numbers) in their order, of which some are the first of a sitting; none: each is. None
    where too little was measured."""
    here: Bools = np.asarray((~np.isnan(values)).any(axis=1), np.bool_)
    known, begun = values[here], first_of(first or [True] * len(values), here)
    if len(known) < LEAST:
        return None
    measured = ~np.isnan(known)
    means = np.where(measured, known, 0).sum(axis=0) / np.maximum(measured.sum(axis=0), 1)
    centred = np.where(measured, known - means, 0)
    covariance = centred.T @ centred / len(known)
    scale = float(np.trace(covariance)) / len(covariance)
    if scale <= 0:
        return None
    ridged = (1 - RIDGE) * covariance + RIDGE * scale * np.eye(len(covariance))
    powers, axes = np.linalg.eigh(ridged)
    matrix = axes / np.sqrt(powers)
    points = np.clip(centred @ matrix, -SCORE_MAX, SCORE_MAX)
    # The ridge makes the directions of least power narrower than usual ones.
    matrix, points = matrix / points.std(axis=0).clip(0.2), points / points.std(axis=0).clip(0.2)
    alike = float(np.mean([alike_of(one, begun) for one in points.T]))
    linger = float(np.mean([lingering(news_of(one, begun, alike)) for one in points.T]))
    # Of what was hardly ever measured nobody knows what is usual: it moves no point.
    matrix[measured.sum(axis=0) < LEAST] = 0.0
    return Whitening(means.tolist(), matrix.tolist(), linger, len(known), alike)


class DirectionState(EvidenceState, frozen=True, kw_only=True):
    """A direction as it is kept, with its evidence."""

    mean: bytes
    line: bytes


class Direction:
    """The evidence of a change in one block."""

    def __init__(self, whitening: Whitening) -> None:
        self._whitening = whitening
        self._dimensions = len(whitening.matrix[0])
        self._noise = self._dimensions * whitening.linger * LATE / 2
        self._margin = MARGIN + UNSURE * np.sqrt(self._dimensions * whitening.linger / whitening.count)
        self._stakes = np.array(STAKES) / whitening.linger
        self._evidence = Evidence((len(STAKES),), np.full(self._dimensions, whitening.alike))
        self.reset()

    def reset(self) -> None:
        """Nothing speaks for a change."""
        self._evidence.reset()
        self._mean: Floats = np.zeros(self._dimensions)
        self._line: list[Floats] = []

    def push(self, point: Floats, *, begins: bool = True) -> None:
        """Takes the next point, which begins a sitting or is of the same as the last one."""
        news = self._evidence.news(point, begins=begins)
        weight, here = float(news.weights[0]), np.clip(news.scores, -SCORE_MAX, SCORE_MAX)
        power = float(self._mean @ self._mean)
        wanted = self._mean * max(0.0, 1 - self._noise / power) if power > 0 else self._mean
        length = float(np.sqrt(wanted @ wanted))
        stakes = self._stakes * weight
        gains = stakes * (float(wanted @ here) - self._margin * weight * length)
        gains -= self._whitening.linger * np.square(stakes * length) / 2
        self._evidence.push(gains)
        self._line.append(point)
        if len(self._line) > GAP:
            self._mean = (1 - LATE) * self._mean + LATE * self._line.pop(0)

    @property
    def evidence(self) -> float:
        """The mean of all wagers'."""
        return float(self._evidence.sums.mean())

    @property
    def began(self) -> int:
        """How many utterances ago, at least; it had to be seen before it was wagered on."""
        return int(self._evidence.ages[int(self._evidence.sums.argmax())]) + GAP

    def state(self) -> DirectionState:
        """To be kept."""
        line = np.array(self._line).tobytes() if self._line else b""
        evidence = msgspec.structs.asdict(self._evidence.state())
        return DirectionState(**evidence, mean=self._mean.tobytes(), line=line)

    def go_on(self, state: DirectionState) -> None:
        """As it was when it was kept."""
        self._mean = np.frombuffer(state.mean).copy()
        self._line = list(np.frombuffer(state.line).reshape(-1, self._dimensions).copy())
        self._evidence.go_on(state)


def shift_of(points: Sequence[Floats] | Floats, linger: float) -> float:
    """How far the middle of points is from where it was, in standard deviations, less what chance would do."""
    every = np.asarray(points)
    middle = every.mean(axis=0)
    excess = float(middle @ middle) - every.shape[1] * linger / len(every)
    return float(np.sqrt(max(0.0, excess)))
