"""Is drift found, soon, rarely for nothing, and named: streams of real recordings with planted changes.

    scripts/drift-lab --data DIR --work DIR [--half tuning] [--plot FILE]

Boards learn their usual from their first weeks, then something changes, at once or over 300 utterances. What others do
about drift looks at the same streams. --work keeps what was heard of each recording in each condition; the first run
takes an hour of CPU. All choices were made on --half tuning; figures are of the other half.
"""

import copy
from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import click
import numpy as np

from benchmarks import drift_heard, drift_places, drift_sounds
from benchmarks.drift_peers import Floats, peers
from benchmarks.drift_sounds import Half
from benchmarks.drift_streams import KINDS, SLOW_UTTERANCES, Course, Kind, Pools, Stream
from cloud.drift.causes import spelling, words
from cloud.drift.features import FEATURES, row_of
from cloud.drift.finding import Finding
from cloud.drift.watch import Watch
from models import plot as plots

BEGINS = 600
"""Number of the utterance with which a change begins; by then the usual is learnt, and watched for a while."""
SOON = 50
AFTER: dict[Course, int] = {"sudden": 100, "slow": SLOW_UTTERANCES + 50}
LONG = 2_900
"""Utterances of an undrifted stream."""
OURS = "parrotlet"


class Run(NamedTuple):
    """What became of one stream."""

    kind: Kind
    course: Course
    delays: dict[str, int | None]
    """Utterances from the change until each method told it; None: not within AFTER."""
    named: str
    """The cause that was told first; empty: none."""
    sentence: str


class Quiet(NamedTuple):
    """Undrifted streams."""

    watched: int
    alarms: Counter[str]
    causes: Counter[str]


@click.command()
@click.option("--data", type=click.Path(exists=True, path_type=Path), required=True, help="Folder of recordings.")
@click.option("--work", type=click.Path(path_type=Path), required=True, help="Keeps what was heard.")
@click.option("--half", type=click.Choice(["test", "tuning"]), default="test", show_default=True)
@click.option(
    "--streams", default=40, show_default=True, help="Streams of each kind and place; half of them for slow changes."
)
@click.option("--undrifted", default=50_000, show_default=True, help="Utterances in which nothing changes.")
@click.option("--plot", type=click.Path(path_type=Path), help="Draw the share that is found over utterances.")
def main(data: Path, work: Path, half: Half, streams: int, undrifted: int, plot: Path | None) -> None:
    """Delays, false alarms and causes, beside KS per feature, evidently's rule and ADWIN."""
    work.mkdir(parents=True, exist_ok=True)
    pools: dict[str, Pools] = {
        place.name: drift_heard.listen(
            place, half, data, work, drift_sounds.conditions(half, () if place.name == "menu" else drift_sounds.PLANTS)
        )
        for place in drift_places.places(data, half, work)
    }
    quiet = still(pools, undrifted)
    print_quiet(quiet)
    runs: list[Run] = []
    for place, its in pools.items():
        shown: Shown = {}
        for kind in [kind for kind in KINDS if place in kind.places]:
            for course in kind.courses:
                if course == "sudden" or half == "test":
                    # A slow one takes four times as long.
                    count = streams if course == "sudden" else -(-streams // 2)
                    runs += changed(its, place, kind, course, count, shown)
    print_runs(runs, "sudden")
    if half == "test":
        print_runs(runs, "slow")
    print_sentences(runs)
    if plot is not None:
        draw(runs, plot)


def still(pools: dict[str, Pools], utterances: int, length: int = LONG) -> Quiet:
    """So many watched utterances of undrifted streams of that length, of each kind of place in turn."""
    watched, seed = 0, 0
    alarms: Counter[str] = Counter()
    causes: Counter[str] = Counter()
    places = list(pools)
    while watched < utterances:
        place = places[seed % len(places)]
        told = Told()
        told.show(Stream(place, pools[place], seed), length)
        watched += told.watched
        alarms.update({method: len(when) for method, when in told.alarms.items()})
        causes.update(finding.cause.name for finding in told.findings)
        seed += 1
    return Quiet(watched, alarms, causes)


def changed(
    pools: Pools, place: str, kind: Kind, course: Course, streams: int, shown: "Shown | None" = None
) -> list[Run]:
    """Streams of one kind of change; `shown` keeps what they have in common."""
    runs = []
    for seed in range(streams):
        stream, told = _until_it_begins(pools, place, kind, 10_000 + seed, {} if shown is None else shown)
        told.show(stream.fork(kind, course, BEGINS), AFTER[course], with_peers=course == "sudden")
        delays = {
            method: next((at - BEGINS + 1 for at in when if at >= BEGINS), None) for method, when in told.alarms.items()
        }
        found = zip(told.alarms[OURS], told.findings, strict=True)
        cause = next((finding.cause for at, finding in found if at >= BEGINS), None)
        sentence = f"{cause.sentence} {cause.advice}" if cause else ""
        runs.append(Run(kind, course, delays, cause.name if cause else "", sentence))
    return runs


def _until_it_begins(pools: Pools, place: str, kind: Kind, seed: int, shown: "Shown") -> "tuple[Stream, Told]":
    """A stream, and what was told of it; the same for all kinds, but where what is new is missing before."""
    key = place, seed, kind.name == "intent"
    if key not in shown:
        stream = Stream(place, pools, seed, kind if kind.name == "intent" else None, begins=BEGINS)
        told = Told()
        told.show(stream, BEGINS)
        shown[key] = stream, told
    stream, told = shown[key]
    return stream, copy.deepcopy(told)


class Told:
    """What all methods tell of a stream; the others learn from the same utterances as the board does."""

    def __init__(self) -> None:
        self.watched = 0
        self.findings: list[Finding] = []
        """Of ours."""
        self._watch = Watch(pronounces=spelling.said)
        self._peers = peers()
        self._lesson: list[Floats] = []
        self._number = 0
        self.alarms: dict[str, list[int]] = {name: [] for name in (OURS, *self._peers)}
        """Numbers of utterances."""

    def show(self, stream: Stream, utterances: int, *, with_peers: bool = True) -> None:
        """The next so many utterances."""
        for said in islice(stream, utterances):
            is_learning = self._is_learning(said.facts.device_id)
            unknown = words.unknown_in(said.heard.transcript, stream.knows_word) if said.facts.unknown_share else []
            told = self._watch.saw(said.facts, unknown_words=unknown)
            self.findings += [finding for finding in told if finding.kind == "changed"]
            self.alarms[OURS] += [self._number for finding in told if finding.kind == "changed"]
            learnt_now = is_learning and not self._is_learning(said.facts.device_id)
            if with_peers:
                self._show_peers(row_of(said.facts)[: len(FEATURES)], is_learning, learnt_now)
            self.watched += not is_learning
            self._number += 1

    def _is_learning(self, device_id: str) -> bool:
        return device_id not in self._watch.boards or self._watch.boards[device_id].watcher is None

    def _show_peers(self, row: Floats, is_learning: bool, learnt_now: bool) -> None:
        if is_learning:
            self._lesson.append(row)
            if learnt_now:
                for peer in self._peers.values():
                    peer.learn(np.array(self._lesson))
            return
        for name, peer in self._peers.items():
            if peer.push(row):
                self.alarms[name].append(self._number)


Shown = dict[tuple[str, int, bool], tuple[Stream, Told]]


def print_quiet(quiet: Quiet) -> None:
    """Utterances to a false alarm."""
    print(f"\n{quiet.watched} utterances in which nothing changed\n")
    print("| method | false alarms | utterances to one |\n|---|---|---|")
    for method, alarms in quiet.alarms.items():
        print(f"| {method} | {alarms} | {quiet.watched / alarms if alarms else float('inf'):.0f} |")
    print(f"\nNamed then: {dict(quiet.causes)}", flush=True)


def print_runs(runs: Sequence[Run], course: Course) -> None:
    """A row a kind; all together."""
    here = [run for run in runs if run.course == course]
    others = [method for method in here[0].delays if method != OURS] if course == "sudden" else []
    limit = SOON if course == "sudden" else AFTER[course]
    print(f"\n{course} changes, found within {limit}\n")
    print(
        "".join(f"| {name} " for name in ("change", "streams", "found", "median delay", "cause right", *others)) + "|"
    )
    print("|---" * (5 + len(others)) + "|")
    by_kind: dict[str, list[Run]] = defaultdict(list)
    for run in here:
        by_kind[run.kind.name].append(run)
    for name, its in [*by_kind.items(), ("all", here)]:
        found = [run for run in its if _soon(run, OURS, limit)]
        right = sum(run.named == run.kind.cause for run in found) / max(1, len(found))
        median = np.median([run.delays[OURS] or AFTER[course] for run in its])
        shares = [np.mean([_soon(run, method, limit) for run in its]) for method in others]
        cells = [name, f"{len(its)}", f"{len(found) / len(its):.3f}", f"{median:.0f}", f"{right:.2f}"]
        print("".join(f"| {cell} " for cell in (*cells, *(f"{share:.2f}" for share in shares))) + "|")
    wrong = Counter((run.kind.name, run.named) for run in here if run.named and run.named != run.kind.cause)
    print(f"\nNamed otherwise: {', '.join(f'{kind}: {cause} {count}' for (kind, cause), count in wrong.most_common())}")


def _soon(run: Run, method: str, limit: int) -> bool:
    delay = run.delays[method]
    return delay is not None and delay <= limit


def print_sentences(runs: Sequence[Run]) -> None:
    """One of each kind."""
    print("\nSaid, for example:\n")
    for kind in KINDS:
        said = next((run.sentence for run in runs if run.kind is kind and run.named == kind.cause), None)
        if said:
            print(f"* {kind.name}: {said}")


def draw(runs: Sequence[Run], file: Path) -> None:
    """Share of sudden changes that are found, by kind."""
    with plots.figure(file, x="utterances since the change", y="share found") as axes:
        for kind in KINDS:
            delays = [run.delays[OURS] for run in runs if run.kind is kind and run.course == "sudden"]
            if not delays:
                continue
            at = np.arange(AFTER["sudden"] + 1)
            axes.plot(at, [np.mean([one is not None and one <= x for one in delays]) for x in at], label=kind.name)
        axes.axvline(SOON, color="0.7")
        axes.legend(fontsize=8)


if __name__ == "__main__":
    main()
