"""How soon a gate sends a worse candidate back, lets a better one through, and leaves an equal one alone.

    scripts/bench orders --data DIR --half tuning --no-whisper --save served.jsonl
    scripts/bench orders --data DIR --half tuning --whisper --save better.jsonl
    scripts/bench rollouts --served served.jsonl --better better.jsonl

Simulated days of many boards: an utterance is drawn of those that both ways were measured by, with what each made of
it, so that errors are as they are, and as alike as they are; without files they are Bernoulli at the rates that the
table names. A fifth of the traffic is of each of five slices. Each candidate is tried in the shadow (both hear an
utterance), as a canary (a fifth of the boards are answered by it, and what the others say is heard in the shadow), and
as a canary alone, whose shadow is never let hear anything. Beside the gates, on the same utterances, stands what many
would do: a z-test of two shares at 5 %, on the whole and in each slice, looked at after each utterance.
"""

import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import click
import numpy as np

from benchmarks.figures import Figure, progress, report
from benchmarks.orders import Trial
from cloud.changing.compared import Answered, Usual
from cloud.changing.gate import Gate, Rules
from cloud.changing.trial import shared

Way = Literal["shadow", "canary", "canary alone"]
WAYS: tuple[Way, ...] = ("shadow", "canary", "canary alone")

SLICES = ("quiet", "dishes, little", "dishes, much", "tap, little", "tap, much")
PLANTED = 0
"""The slice in which the worse candidate errs more, and by how much."""
PLANTED_POINTS = 0.10

BOARDS = 50
SHARE = 0.2
LOOK_EVERY = 10
LONG = 20_000
"""Utterances of a long run, of which the gate must let none end."""
SOON = 2000
HARD_POINTS = 0.08
"""What boards at hard places err more, for the run in which those of the canary are."""
HARD_KNOWN = (0, 5000, 20_000)
"""Utterances from which it is known what is usual for boards."""

Z_ALPHA_QUANTILE = 1.96
Z_MIN = 30
"""Utterances of each, before anybody would look at a z-test."""


class World(NamedTuple):
    """How often they err, an utterance a row: slice by slice, (what serves, the better candidate)."""

    name: str
    errors: tuple[np.ndarray, ...]


class Utterance(NamedTuple):
    """One that was said, and whether each would be wrong."""

    board: int
    slice: int
    served: float
    candidate: float


Draw = Callable[[np.random.Generator], Utterance]


class Run(NamedTuple):
    """What came of one."""

    decision: str
    utterances: int
    """That the candidate heard or answered, until then."""
    z_worse: bool
    z_better: bool
    """Whether the z-test ever said so, until then."""


class Gates:
    """Of a candidate that is tried in one of the ways."""

    def __init__(self, way: Way) -> None:
        self._way = way
        self.shadow, self.canary = (Gate(rules, SLICES) for rules in shared(Rules()))

    def hear(self, one: Utterance) -> None:
        """In the shadow."""
        self.shadow.take_pair([SLICES[one.slice]], Answered(error=one.candidate), Answered(error=one.served))

    def answer(self, one: Utterance, *, by_candidate: bool, usual: Usual | None) -> None:
        """In a canary."""
        error = one.candidate if by_candidate else one.served
        excess = 0.0 if usual is None else usual.excess(str(one.board))
        self.canary.take([SLICES[one.slice]], Answered(error=error), by_candidate=by_candidate, excess=excess)

    def decision(self) -> str:
        """As cloud/changing/trial.py puts them together."""
        if self._way != "canary alone":
            shadow = self.shadow.verdict().decision
            if self._way == "shadow" or shadow == "return":
                return shadow
        return self.canary.verdict().decision


class ZTest:
    """Two shares of errors, looked at whenever one likes."""

    def __init__(self) -> None:
        self._counts = np.zeros((2, len(SLICES) + 1))
        self._errors = np.zeros((2, len(SLICES) + 1))
        self.worse = self.better = False

    def take(self, is_candidate: bool, where: int, error: float) -> None:
        for column in (where, len(SLICES)):
            self._counts[int(is_candidate), column] += 1
            self._errors[int(is_candidate), column] += error
            self._look(column)

    def _look(self, column: int) -> None:
        served, candidate = self._counts[0, column], self._counts[1, column]
        if min(served, candidate) < Z_MIN:
            return
        pooled = (self._errors[0, column] + self._errors[1, column]) / (served + candidate)
        spread = math.sqrt(pooled * (1 - pooled) * (1 / served + 1 / candidate))
        if spread:
            z = (self._errors[1, column] / candidate - self._errors[0, column] / served) / spread
            self.worse |= z > Z_ALPHA_QUANTILE
            self.better |= column == len(SLICES) and z < -Z_ALPHA_QUANTILE


def simulate(draw_one: Draw, way: Way, utterances_max: int, seed: int, *, usual: Usual | None = None) -> Run:
    """One trial of a candidate: until its gate says something, or so many utterances were said."""
    draw = np.random.default_rng(seed)
    gates, z_test = Gates(way), ZTest()
    chosen = set(range(round(BOARDS * SHARE)))
    heard, decision = 0, "go on"
    for number in range(1, utterances_max + 1):
        one = draw_one(draw)
        by_candidate = one.board in chosen
        if way == "shadow":
            heard += 1
            gates.hear(one)
            z_test.take(True, one.slice, one.candidate)
            z_test.take(False, one.slice, one.served)
        else:
            heard += by_candidate or way == "canary"
            gates.answer(one, by_candidate=by_candidate, usual=usual)
            z_test.take(by_candidate, one.slice, one.candidate if by_candidate else one.served)
            if way == "canary" and not by_candidate:
                gates.hear(one)
        if number % LOOK_EVERY == 0 and (decision := gates.decision()) != "go on":
            break
    return Run(decision, heard, z_test.worse, z_test.better)


def drawn(world: World, kind: str) -> Draw:
    """Utterances of a world, with a candidate of that kind."""

    def draw_one(draw: np.random.Generator) -> Utterance:
        board, where = int(draw.integers(BOARDS)), int(draw.integers(len(SLICES)))
        errors = world.errors[where]
        served, better = errors[int(draw.integers(len(errors)))]
        candidate = float(served)
        if kind == "better":
            candidate = float(better)
        elif kind == "worse" and where == PLANTED and not served:
            # Right answers go wrong, so that there are 10 points more.
            candidate = float(draw.random() < PLANTED_POINTS / (1 - float(errors[:, 0].mean())))
        elif kind == "equal" and draw.random() < ANOTHER:
            # It errs elsewhere, and as often.
            candidate = float(errors[int(draw.integers(len(errors))), 0])
        return Utterance(board, where, float(served), candidate)

    return draw_one


ANOTHER = 0.5
"""Share of utterances at which an equal candidate goes its own way."""


def at_hard_places(world: World) -> Draw:
    """Utterances with an equal candidate, where the canary's boards are those at the hard places."""

    def draw_one(draw: np.random.Generator) -> Utterance:
        one = drawn(world, "equal")(draw)
        if one.board < BOARDS * SHARE and draw.random() < HARD_POINTS:
            one = one._replace(served=1.0, candidate=1.0)
        return one

    return draw_one


def usual_of(draw_one: Draw, utterances: int, seed: int) -> Usual:
    """What boards' errors usually are, from so many utterances before."""
    draw, usual = np.random.default_rng(seed), Usual()
    for _ in range(utterances):
        one = draw_one(draw)
        usual.learn(str(one.board), one.served)
    return usual


def bernoulli(served: float, better: float) -> World:
    """Without recordings: errors at those rates; of two errors of what serves, the candidate mends some."""
    draw = np.random.default_rng(0)
    luck = draw.random((5000, 1))
    errors = np.hstack([luck < served, luck < better]).astype(float)
    return World(f"Bernoulli, {served:.0%} and {better:.0%} wrong", (errors,) * len(SLICES))


def measured(served: Path, better: Path) -> World:
    """Errors of two ways at the same recordings, their conditions put into slices."""
    pairs: dict[str, list[tuple[float, float]]] = {}
    ways = [[Trial(**json.loads(line)) for line in file.read_text().splitlines()] for file in (served, better)]
    for one, other in zip(*ways, strict=True):
        assert (one.condition, one.slots) == (other.condition, other.slots), "they are not of the same recordings"
        if one.slots is not None:
            pairs.setdefault(_slice(one.condition), []).append((float(not one.is_right), float(not other.is_right)))
    errors = tuple(np.array(pairs[name]) for name in sorted(pairs))
    rates = np.concatenate(errors).mean(axis=0)
    return World(f"measured, {rates[0]:.1%} and {rates[1]:.1%} wrong", errors)


def _slice(condition: str) -> str:
    """Five of the nine conditions."""
    noise, _, rest = condition.partition(" ")
    return "0" if noise == "clean" else f"{noise} {'little' if int(rest.split()[0]) >= 18 else 'much'}"


def trials(world: World, kind: str, way: Way, runs: int, utterances_max: int, first_seed: int) -> list[Run]:
    """So many of them, each with a seed of its own."""
    found = []
    for seed in range(runs):
        found.append(simulate(drawn(world, kind), way, utterances_max, first_seed + seed))
        progress(f"{world.name}: {kind}, {way}: {seed + 1} of {runs}")
    return found


def told_beforehand(world: World, kind: str, way: Way) -> int | None:
    """Utterances that the gate says it needs, after 500 that were like these; None: nothing to see, or two gates."""
    if way == "canary":
        return None
    gates, draw = Gates(way), np.random.default_rng(1)
    for _ in range(500):
        one = drawn(world, kind)(draw)
        if way == "shadow":
            gates.hear(one)
        else:
            alike = one._replace(candidate=one.served)
            gates.answer(alike, by_candidate=bool(draw.random() < SHARE), usual=None)
    gate = gates.shadow if way == "shadow" else gates.canary
    if kind == "worse":
        return gate.needed(PLANTED_POINTS, SLICES[PLANTED])
    rates = np.array([errors.mean(axis=0) for errors in world.errors])
    if kind == "better":
        # Better on the whole, and not worse in the slice where it gains least.
        gains = rates[:, 1] - rates[:, 0]
        return max(
            gate.needed(float(gains.mean())), *(gate.needed(float(g), s) for g, s in zip(gains, SLICES, strict=True))
        )
    return None


def row(world: World, kind: str, way: Way, runs: Sequence[Run]) -> str:
    decided = [run.utterances for run in runs if run.decision != "go on"]
    counts = [sum(run.decision == decision for run in runs) for decision in ("return", "promote", "go on")]
    needed = told_beforehand(world, kind, way)
    waits = f"{np.percentile(decided, 50):.0f} / {np.percentile(decided, 90):.0f}" if decided else "-"
    z_worse, z_better = sum(run.z_worse for run in runs), sum(run.z_better for run in runs)
    cells = [world.name, kind, way, *counts, waits, "-" if needed is None else needed, z_worse, z_better]
    return "| " + " | ".join(map(str, cells)) + " |"


@click.command()
@click.option("--served", type=click.Path(exists=True, path_type=Path), help="Saved by `scripts/bench orders`.")
@click.option("--better", type=click.Path(exists=True, path_type=Path), help="Of a way that errs less.")
@click.option("--runs", type=int, default=50, show_default=True, help="Of each candidate and way.")
@click.option("--seed", type=int, default=1000, show_default=True, help="Of the first run; the next ones follow.")
@click.option("--long", "long_run", type=int, default=LONG, show_default=True, help="Utterances of a long run.")
def main(served: Path | None, better: Path | None, runs: int, seed: int, long_run: int) -> None:
    """Simulate candidates: one that is worse in a slice, a better one, an equal one."""
    worlds = [bernoulli(0.12, 0.06)]
    if served is not None and better is not None:
        worlds.append(measured(served, better))
    print(f"\n{runs} runs each; utterances that the candidate heard or answered, median / 90 of 100\n")
    print(
        "| errors | candidate | way | returned | promoted | neither | after | said beforehand | z: worse | z: better |"
    )
    print("|---" * 10 + "|", flush=True)
    figures = []
    for world in worlds:
        for way in WAYS:
            for kind in ("worse", "better", "equal"):
                long_enough = long_run if way != "shadow" or kind == "equal" else long_run // 2
                found = trials(world, kind, way, runs, long_enough, seed)
                print(row(world, kind, way, found), flush=True)
                figures.append(_figure(world, kind, way, found))
    figures += hard_places(worlds[0], runs, long_run, seed)
    report(figures)


def _figure(world: World, kind: str, way: Way, runs: Sequence[Run]) -> Figure:
    name = f"{world.name}, {way}: {kind}"
    if kind == "worse":
        soon = sum(run.decision == "return" and run.utterances < SOON for run in runs)
        return Figure(f"{name}, returned before {SOON}", f"{0.9 * len(runs):.0f}", soon, soon >= 0.9 * len(runs))
    wanted = "promote" if kind == "better" else "go on"
    right = sum(run.decision == wanted for run in runs)
    mark = 0.9 if kind == "better" else 0.95
    what = "promoted" if kind == "better" else "neither promoted nor returned"
    return Figure(f"{name}, {what}", f"{mark * len(runs):.0f}", right, right >= mark * len(runs))


def hard_places(world: World, runs: int, utterances: int, first_seed: int) -> list[Figure]:
    """An equal candidate all of whose boards are hard ones: without what is usual for boards, and with it taken off, as
    far as a shadow of so many utterances tells it."""
    draw_one = at_hard_places(world)
    figures = []
    for known in HARD_KNOWN:
        returned = 0
        for seed in range(runs):
            usual = usual_of(draw_one, known, first_seed + 1000 + seed) if known else None
            returned += (
                simulate(draw_one, "canary alone", utterances // 2, first_seed + seed, usual=usual).decision == "return"
            )
            progress(f"hard places, {known} known: {seed + 1} of {runs}")
        name = f"equal, all its boards err {100 * HARD_POINTS:.0f} points more: returned"
        is_marked = known == max(HARD_KNOWN)
        mark = f"at most {0.1 * runs:.0f}" if is_marked else "-"
        name = f"{name}, after {known} utterances in the shadow" if known else f"{name}, nothing taken off"
        figures.append(Figure(name, mark, returned, not is_marked or returned <= 0.1 * runs))
    return figures


if __name__ == "__main__":
    main()
