"""What a candidate in the shadow costs those who are answered: waits with it and without, in turns.

    scripts/bench shadow --data DIR

Boards speak in real time to one service. By turns (without, with, with, without) a candidate is in its shadow, weights
that are twice as dear as those that serve, so that a machine which others use as well is the same for both. Each turn
begins when the candidate's workers are ready, or gone. Then many more boards speak than the service bears with ease:
the shadow must hear fewer utterances then, and people wait no longer than without it.
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
from benchmarks.capacity import WARM_S, WAYS, speech, warm
from benchmarks.figures import Figure, p50_p95, report
from cloud.changing.gate import Rules
from cloud.changing.operations import WHISPER_SUBJECT, Operations
from cloud.changing.shadow_store import FILE_NAME, ShadowStore
from cloud.settings import CloudSettings, Storage

SLOWER_MAX = 1.05
"""The mark: the 95th percentile with the shadow, beside that without."""

TURNS = (False, True, True, False)
READY_S_MAX = 120.0
RESAMPLES = 2000
SEED = 1


class Heard(NamedTuple):
    """What came of the turns with a shadow, or without one."""

    waits_ms: list[float]
    answered: int
    heard: int
    """By the candidate."""


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


def turns(tried: Tried, clips: list[Clip], boards: int, rounds: int, seconds: float) -> dict[bool, Heard]:
    """By turns without and with a shadow."""
    found = {wanted: Heard([], 0, 0) for wanted in (False, True)}
    for wanted in TURNS * rounds:
        tried.shadow(wanted=wanted)
        before = tried.heard()
        crowd = Crowd(tried.service.address, WAYS["whisper"].domain, clips)
        said: Counted = asyncio.run(crowd.speak(boards, WARM_S, seconds, lambda: None))
        one = found[wanted]
        found[wanted] = Heard(
            one.waits_ms + said.waits_ms, one.answered + len(crowd.outcomes), one.heard + tried.heard() - before
        )
        print(f"| {boards} | {'with' if wanted else 'without'} | {p50_p95(said.waits_ms)} |", flush=True)
    tried.shadow(wanted=False)
    return found


def ratio(found: dict[bool, Heard]) -> tuple[float, float, float]:
    """Of the 95th percentiles, with to without; and where it lies with 90 %, by resampling."""
    draw = np.random.default_rng(SEED)

    def p95(waits_ms: Sequence[float], *, again: bool) -> float:
        waits = np.array(waits_ms)
        return float(np.percentile(draw.choice(waits, len(waits)) if again else waits, 95))

    def one(*, again: bool) -> float:
        return p95(found[True].waits_ms, again=again) / p95(found[False].waits_ms, again=again)

    low, high = np.percentile([one(again=True) for _ in range(RESAMPLES)], [5, 95])
    return one(again=False), float(low), float(high)


@click.command()
@click.option("--data", type=click.Path(exists=True, path_type=Path), required=True, help="Folder of recordings.")
@click.option("--candidate", default="base", show_default=True, help="Weights that are tried.")
@click.option("--boards", type=int, default=2, show_default=True, help="That speak.")
@click.option("--many", type=int, default=10, show_default=True, help="That speak when the service has much to do.")
@click.option("--clips", type=int, default=40, show_default=True, help="That they say, evenly spread.")
@click.option("--rounds", type=int, default=3, show_default=True, help="Of four turns, with few boards.")
@click.option("--seconds", type=int, default=40, show_default=True, help="Of a turn.")
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
        few = turns(tried, spoken, boards, rounds, seconds)
        crowded = turns(tried, spoken, many, 1, seconds)
    report([_slower(boards, few), *_heard(boards, few), _slower(many, crowded), *_heard(many, crowded)])


def _slower(boards: int, found: dict[bool, Heard]) -> Figure:
    at, low, high = ratio(found)
    return Figure(
        f"{boards} boards: p95 with the shadow, beside that without",
        f"≤ {SLOWER_MAX}",
        f"{at:.2f} ({low:.2f} to {high:.2f}); {p50_p95(found[False].waits_ms)} → {p50_p95(found[True].waits_ms)} ms",
        at <= SLOWER_MAX,
    )


def _heard(boards: int, found: dict[bool, Heard]) -> list[Figure]:
    with_it = found[True]
    return [
        Figure(f"{boards} boards: heard in the shadow", "-", f"{with_it.heard} of {with_it.answered} answered", True)
    ]


if __name__ == "__main__":
    main()
