"""The shadow and the canary of the story: a fleet of boards whose answers are known, and the service's own gate.

What boards hear is drawn from recordings that neither model learnt from, each as often as chance has it; so what the
gate sees is a fleet of these people, however many utterances it takes.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from benchmarks.story_sounds import Said, Utterance
from benchmarks.story_world import OTHERS
from cloud.changing.canary import is_chosen
from cloud.changing.compared import Answered
from cloud.changing.gate import Gate, Rules, Verdict

GUARDED = ("boards=hall", "boards=kitchen")
SHARE = 0.33
"""Of the boards, in the canary."""
SEEN_POINTS = 0.05
SHADOW, CANARY = 1, 2
"""Seeds."""


class Told(NamedTuple):
    """How a phase ended."""

    verdict: Verdict
    utterances: int
    """That the fleet had said by then."""
    needed: int
    """That it was told beforehand to take to see 5 points."""
    history: list[tuple[int, float, float, float]]
    """Utterances, and the difference of errors on the whole with its interval."""
    errors: tuple[float, float]
    """What serves, and the candidate."""


class Fleet(NamedTuple):
    """What boards hear, by where they stand, and what both models make of it."""

    said: Mapping[str, Sequence[Utterance]]
    """By "hall" and "kitchen"; what the board hears of it at all."""
    served: Mapping[str, Said]
    candidate: Mapping[str, Said]


def shadow(fleet: Fleet, most: int) -> Told:
    """The candidate hears what those that serve answer, until the gate decides."""
    gate = Gate(Rules(), GUARDED)
    draw = np.random.default_rng(SHADOW)
    needed = gate.needed(SEEN_POINTS)
    history, errors = [], np.zeros(2)
    for number in range(1, most + 1):
        board, one = _next(fleet, draw)
        served, candidate = fleet.served[one.id], fleet.candidate[one.id]
        errors += served.errs(one), candidate.errs(one)
        gate.take_pair([_slice(board)], _answered(candidate, one), _answered(served, one))
        verdict = gate.verdict()
        history.append(_whole(number, verdict))
        if verdict.decision != "go on":
            break
    return Told(verdict, number, needed, history, (float(errors[0]) / number, float(errors[1]) / number))


def canary(fleet: Fleet, most: int) -> Told:
    """The candidate answers a share of the boards, until the gate decides."""
    gate = Gate(Rules(), GUARDED)
    draw = np.random.default_rng(CANARY)
    needed = gate.needed(SEEN_POINTS)
    history, errors, counts = [], np.zeros(2), np.zeros(2)
    for number in range(1, most + 1):
        board, one = _next(fleet, draw)
        by_candidate = is_chosen(board, CANARY, SHARE)
        said = (fleet.candidate if by_candidate else fleet.served)[one.id]
        errors[int(by_candidate)] += said.errs(one)
        counts[int(by_candidate)] += 1
        gate.take([_slice(board)], _answered(said, one), by_candidate=by_candidate)
        verdict = gate.verdict()
        history.append(_whole(number, verdict))
        if verdict.decision != "go on":
            break
    rates = errors / np.maximum(counts, 1)
    return Told(verdict, number, needed, history, (float(rates[0]), float(rates[1])))


def _next(fleet: Fleet, draw: np.random.Generator) -> tuple[str, Utterance]:
    board = OTHERS[int(draw.integers(len(OTHERS)))]
    some = fleet.said[board.partition("-")[0]]
    return board, some[int(draw.integers(len(some)))]


def _slice(board: str) -> str:
    return f"boards={board.partition('-')[0]}"


def _answered(said: Said, one: Utterance) -> Answered:
    return Answered(error=said.errs(one), slow=0.0, rejected=float(said.label is None))


def _whole(number: int, verdict: Verdict) -> tuple[int, float, float, float]:
    whole = next((one for one in verdict.figures if (one.measure, one.slice) == ("error", "")), None)
    return (number, 0.0, -1.0, 1.0) if whole is None else (number, whole.difference, whole.low, whole.high)
