"""What a candidate in the shadow costs those who are answered: waits with it and without, in turns.

    scripts/bench shadow --data DIR

Boards speak in real time to one service. By turns (without, with, with, without) a candidate is in its shadow, weights
that are twice as dear as those that serve. A pair of turns, one without and one with it, is of the same minute, so that
a machine which others use as well is the same for both, and in it the same people say the same in the same order. The
figure is the median over the pairs of their 95th percentiles' ratio, and where it lies is told by drawing pairs again.
Where the shadow heard next to nothing nothing is shown. Each turn begins when the candidate's workers are ready, or
gone. Then many more boards speak than the service bears with ease: the shadow must hear fewer utterances then. It takes
eight minutes.
"""

import asyncio
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import click
import msgspec
import numpy as np

from benchmarks import path
from benchmarks.boards import Clip, Counted, Crowd
from benchmarks.capacity import WAYS, speech, warm
from benchmarks.figures import Figure, p50_p95, report
from cloud.changing.gate import Rules
from cloud.changing.operations import WHISPER_SUBJECT, Operations
from cloud.changing.shadow_store import FILE_NAME, ShadowStore
from cloud.settings import CloudSettings, Storage

SLOWER_MAX = 1.05
"""The mark: the 95th percentile with the shadow, beside that without."""

TURNS = (False, True, True, False)
"""Two pairs."""

HEARD_MIN = 0.1
"""Of what was answered: less, and a shadow costs nothing as it does nothing."""

WARM_S = 3.0
READY_S_MAX = 120.0
RESAMPLES = 2000
SEED = 1


class Turn(NamedTuple):
    """With a shadow, or without one."""

    waits_ms: list[float]
    answered: int
    heard: int
    """By the candidate."""

    @property
    def p95_ms(self) -> float:
        return float(np.percentile(self.waits_ms, 95))


class Pair(NamedTuple):
    """Two turns, one after the other, in which the same is said."""

    without: Turn
    with_it: Turn

    @property
    def is_whole(self) -> bool:
        """Whether anybody was answered in both."""
        return bool(self.without.waits_ms and self.with_it.waits_ms)


class Tried:
    """A service, and a candidate that comes and goes."""

    def __init__(self, service: path.Service, settings: CloudSettings, candidate: str) -> None:
        self.service = service
        self._owner = Operations(settings, "bench")
        self._file = settings.storage.state_dir / FILE_NAME
        self._candidate = candidate
        self._workers = len(service.workers())

    def shadow(self, *, wanted: bool) -> None:
        """Waits until its workers are ready, or gone."""
        is_there = self._owner.candidate(WHISPER_SUBJECT) is not None
        if wanted and not is_there:
            ready = sum("is tried: shadow" in line for line in self.service.log)
            self._owner.begin_model(self._candidate, 0.0, "measured", Rules(), automatic=False)
            self._until(lambda: sum("is tried: shadow" in line for line in self.service.log) > ready)
        elif is_there and not wanted:
            self._owner.rollback(WHISPER_SUBJECT, "measured")
            self._until(lambda: len(self.service.workers()) == self._workers)

    def heard(self) -> int:
        """Utterances that candidates heard so far."""
        with closing(ShadowStore(self._file)) as store:
            return sum(1 for _ in store.heard())

    def _until(self, true: Callable[[], bool]) -> None:
        until_s = time.monotonic() + READY_S_MAX
        while not true():
            if time.monotonic() > until_s:
                raise RuntimeError("the service did not notice: " + "".join(self.service.log[-5:]))
            time.sleep(0.2)


def pairs_of(tried: Tried, clips: list[Clip], boards: int, rounds: int, seconds: float) -> list[Pair]:
    """By turns without and with a shadow."""
    found: list[Turn] = []
    for wanted in TURNS * rounds:
        tried.shadow(wanted=wanted)
        before = tried.heard()
        crowd = Crowd(tried.service.address, WAYS["whisper"].domain, clips)
        first_seed = len(found) // 2 * boards
        said: Counted = asyncio.run(crowd.speak(boards, WARM_S, seconds, lambda: None, first_seed))
        found.append(Turn(said.waits_ms, len(crowd.outcomes), tried.heard() - before))
        print(f"| {boards} | {'with' if wanted else 'without'} | {p50_p95(said.waits_ms)} |", flush=True)
    tried.shadow(wanted=False)
    couples = zip(found[::2], found[1::2], TURNS[::2] * rounds, strict=True)
    pairs = [Pair(second, first) if first_has_it else Pair(first, second) for first, second, first_has_it in couples]
    if not any(pair.is_whole for pair in pairs):
        raise click.ClickException(
            "Nobody was answered in both turns of a pair: the turns are too short for this machine."
        )
    return [pair for pair in pairs if pair.is_whole]


def ratio(pairs: Sequence[Pair]) -> tuple[float, float, float]:
    """Of the 95th percentiles, with to without, the median over pairs; and where it lies with 90 %."""
    ratios = np.array([pair.with_it.p95_ms / pair.without.p95_ms for pair in pairs])
    drawn = np.random.default_rng(SEED).choice(ratios, (RESAMPLES, len(ratios)))
    low, high = np.percentile(np.median(drawn, axis=1), [5, 95])
    return float(np.median(ratios)), float(low), float(high)


@click.command()
@click.option("--data", type=click.Path(exists=True, path_type=Path), required=True, help="Folder of recordings.")
@click.option("--candidate", default="base", show_default=True, help="Weights that are tried.")
@click.option("--boards", type=int, default=2, show_default=True, help="That speak.")
@click.option("--many", type=int, default=10, show_default=True, help="That speak when the service has much to do.")
@click.option("--clips", type=int, default=40, show_default=True, help="That they say, evenly spread.")
@click.option("--rounds", type=int, default=3, show_default=True, help="Of four turns, with few boards.")
@click.option("--seconds", type=int, default=22, show_default=True, help="Of a turn; of one with many, half of it.")
def main(data: Path, candidate: str, boards: int, many: int, clips: int, rounds: int, seconds: int) -> None:
    """Measure waits with a candidate in the shadow, and without."""
    way = WAYS["whisper"]
    spoken = speech(way.files(data), clips)
    print(f"\n{os.cpu_count()} cores; endpoint to final, p50 / p95 in milliseconds\n\n| boards | shadow | waits |")
    print("|---|---|---|", flush=True)
    with tempfile.TemporaryDirectory() as folder, path.service(Path(folder)) as service:
        settings = msgspec.structs.replace(CloudSettings(), storage=Storage(state_dir=Path(folder)))
        warm(service, way, spoken, WARM_S)
        tried = Tried(service, settings, candidate)
        tried.shadow(wanted=True)
        tried.shadow(wanted=False)
        few = pairs_of(tried, spoken, boards, rounds, seconds)
        crowded = pairs_of(tried, spoken, many, 1, seconds / 2)
    few_share, crowded_share = heard_share(few), heard_share(crowded)
    told = f"{few_share:.0%} and {crowded_share:.0%} of what was answered"
    report(
        [
            _slower(boards, few),
            _slower(many, crowded)._replace(mark="-", good=True),
            Figure(f"heard in the shadow, {boards} and {many} boards", "fewer", told, crowded_share <= few_share),
        ]
    )


def heard_share(pairs: Sequence[Pair]) -> float:
    """By the candidate, of what was answered while it was there."""
    return sum(pair.with_it.heard for pair in pairs) / sum(pair.with_it.answered for pair in pairs)


def _slower(boards: int, pairs: Sequence[Pair]) -> Figure:
    at, low, high = ratio(pairs)
    without, with_it = ([wait for pair in pairs for wait in pair[which].waits_ms] for which in (0, 1))
    is_shown = heard_share(pairs) >= HEARD_MIN
    return Figure(
        f"{boards} boards: p95 with the shadow, beside that without, median of {len(pairs)} pairs",
        f"≤ {SLOWER_MAX}",
        f"{at:.2f} ({low:.2f} to {high:.2f}); {p50_p95(without)} → {p50_p95(with_it)} ms"
        + ("" if is_shown else "; the shadow heard too little: nothing is shown"),
        at <= SLOWER_MAX and is_shown,
    )


if __name__ == "__main__":
    main()
