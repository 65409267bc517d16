"""Two ways to answer, compared: the candidate, and what serves. Pure.

In the shadow both hear the same utterance. In a canary boards are divided: what the candidate's said is compared with
what the others said since the time before, so that both are of the same hours. Boards differ, and those of the canary
may be the hard ones: how much more than others' a board's errors usually are is taken off first.
"""

from collections.abc import Mapping
from typing import NamedTuple

from cloud.changing.evidence import SLACK

REACH = 1 + 2 * SLACK
"""Differences are within -REACH and REACH."""

OTHERS_PART = 0.75
"""Of the others' utterances for each of the candidate's, so much is waited for: all would be waited for too long."""

CANDIDATES_MAX = 8
"""More are not kept waiting."""

MEASURES = ("error", "slow", "rejected")
"""What is compared; of each less is better."""


class Answered(NamedTuple):
    """What is known of one answer, 0 (good) to 1; None: nobody knows."""

    error: float | None = None
    """Whether it was wrong, by whoever knows: a label, feedback, what was said again."""
    slow: float | None = None
    """Whether it came later than it should."""
    rejected: float | None = None
    """Whether nothing came of it."""

    def measured(self) -> dict[str, float]:
        """By the names of MEASURES, what is known."""
        return {name: value for name in MEASURES if (value := getattr(self, name)) is not None}


def paired(candidate: Answered, served: Answered) -> dict[str, float]:
    """Differences of two answers to the same utterance, by measure, where both are known."""
    of_candidate, of_served = candidate.measured(), served.measured()
    return {name: of_candidate[name] - of_served[name] for name in of_candidate if name in of_served}


class Divided:
    """Answers of two groups of boards, in the order in which they became known; of one measure and slice."""

    def __init__(self) -> None:
        self._candidates: list[float] = []
        self._served: list[float] = []
        self._counts = [0, 0]

    def take(self, value: float, *, by_candidate: bool) -> tuple[list[float], list[float]] | None:
        """The candidate's and the others' numbers since the last time, once there are enough of both: where the others
        say more, a mean of several is less of chance. Only how many there are decides that, never what they are."""
        (self._candidates if by_candidate else self._served).append(value)
        self._counts[by_candidate] += 1
        if not self._candidates or not self._served:
            return None
        others_each = max(1, int(OTHERS_PART * self._counts[0] / self._counts[1]))
        if len(self._served) < others_each * len(self._candidates) and len(self._candidates) < CANDIDATES_MAX:
            return None
        groups = self._candidates, self._served
        self._candidates, self._served = [], []
        return groups

    def state(self) -> tuple[list[float], list[float], list[int]]:
        """All that it knows, for `go_on`."""
        return list(self._candidates), list(self._served), list(self._counts)

    def go_on(self, state: tuple[list[float], list[float], list[int]]) -> None:
        """As if it had taken what made that state."""
        candidates, served, counts = state
        self._candidates, self._served, self._counts = list(candidates), list(served), list(counts)


class Usual:
    """What a board's value is on average, from what was measured before a canary: drawn towards all boards', as far as
    little is known of it."""

    PRIOR = 5.0
    """Utterances that the mean of all boards weighs."""

    def __init__(self) -> None:
        self._sums: dict[str, float] = {}
        self._counts: dict[str, int] = {}

    def learn(self, device_id: str, value: float, utterances: int = 1) -> None:
        """One utterance, or the sum of several."""
        self._sums[device_id] = self._sums.get(device_id, 0.0) + value
        self._counts[device_id] = self._counts.get(device_id, 0) + utterances

    def excess(self, device_id: str) -> float:
        """How much more than all boards' it is, -SLACK to SLACK; 0 where nothing was measured."""
        total = sum(self._counts.values())
        mean = sum(self._sums.values()) / total if total else 0.0
        count = self._counts.get(device_id, 0)
        excess = (self._sums.get(device_id, 0.0) - count * mean) / (count + self.PRIOR)
        return min(max(excess, -SLACK), SLACK)


def by_slice(names: tuple[str, ...], differences: Mapping[str, float]) -> list[tuple[str, str, float]]:
    """(measure, slice, difference); the whole is the slice ""."""
    return [(measure, name, value) for measure, value in differences.items() for name in ("", *names)]
