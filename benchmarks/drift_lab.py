"""Is drift found, soon, rarely for nothing, and named: streams of real recordings with planted changes.

    scripts/drift-lab --data DIR --work DIR [--half tuning] [--plot FILE]

Boards learn their usual from their first weeks, then something changes, at once or over 300 utterances. What others do
about drift looks at the same streams. Changes of what is right (drift_lab_concept.py) are in the same tables, with what
the best of all tests would find of them. --work keeps what was heard of each recording in each condition, which takes
an hour of CPU, and what became of each stream: a run that was killed goes on where it was. All choices were made on
--half tuning; figures are of the other half.
"""

import copy
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import click
import numpy as np

from benchmarks import drift_heard, drift_lab_concept, drift_lab_tables, drift_places, drift_sounds, outcomes_heard
from benchmarks.drift_lab_bound import bounds
from benchmarks.drift_lab_concept import Pool
from benchmarks.drift_lab_kept import Kept
from benchmarks.drift_lab_tables import AFTER, BEGINS, OURS, SOON, Quiet, Run
from benchmarks.drift_peers import Floats, peers
from benchmarks.drift_sounds import Half
from benchmarks.drift_streams import KINDS, Course, Kind, Pools, Stream
from cloud.drift.causes import spelling, words
from cloud.drift.features import FEATURES, row_of
from cloud.drift.finding import Finding
from cloud.drift.watch import Watch

LONG = 2_900
"""Utterances of an undrifted stream."""


@click.command()
@click.option("--data", type=click.Path(exists=True, path_type=Path), required=True, help="Folder of recordings.")
@click.option("--work", type=click.Path(path_type=Path), required=True, help="Keeps what was heard and found.")
@click.option("--half", type=click.Choice(["test", "tuning"]), default="test", show_default=True)
@click.option(
    "--streams", default=24, show_default=True, help="Streams of each kind and place; half of them for slow changes."
)
@click.option("--undrifted", default=50_000, show_default=True, help="Utterances in which nothing changes.")
@click.option("--plot", type=click.Path(path_type=Path), help="Draw the share that is found over utterances.")
def main(data: Path, work: Path, half: Half, streams: int, undrifted: int, plot: Path | None) -> None:
    """Delays, false alarms and causes, beside KS per feature, evidently's rule and ADWIN."""
    work.mkdir(parents=True, exist_ok=True)
    kept = Kept(work, half)
    pools: dict[str, Pools] = {
        place.name: drift_heard.listen(
            place, half, data, work, drift_sounds.conditions(() if place.name == "menu" else drift_sounds.PLANTS)
        )
        for place in drift_places.places(data, half, work)
    }
    pool = Pool(outcomes_heard.listen("orders", half, data, work))
    runs = [run for place, its in pools.items() for run in changed(its, place, streams, kept)]
    concepts = drift_lab_concept.found(pool, kept)
    drift_lab_tables.print_changes(runs, concepts, bounds(pool, SOON))
    drift_lab_tables.print_quiet(still(pools, undrifted, kept), drift_lab_concept.calm(pool, undrifted, kept))
    drift_lab_tables.print_sentences(runs)
    if plot is not None:
        drift_lab_tables.draw(runs, plot)


def still(pools: dict[str, Pools], utterances: int, kept: Kept, length: int = LONG) -> Quiet:
    """So many watched utterances of undrifted streams of that length, of each kind of place in turn."""
    whole = Quiet(0, {}, {})
    places = list(pools)
    seed = 0
    while whole.watched < utterances:
        place = places[seed % len(places)]

        def make(place: str = place, seed: int = seed) -> Quiet:
            told = Told()
            told.show(Stream(place, pools[place], seed), length)
            alarms = {method: len(when) for method, when in told.alarms.items()}
            return Quiet(told.watched, alarms, dict(Counter(finding.cause.name for finding in told.findings)))

        one = kept.get(f"still {place} {seed} {length}", Quiet, make)
        whole = Quiet(
            whole.watched + one.watched,
            {method: whole.alarms.get(method, 0) + count for method, count in one.alarms.items()},
            dict(Counter(whole.causes) + Counter(one.causes)),
        )
        seed += 1
    return whole


def changed(pools: Pools, place: str, streams: int, kept: Kept, kinds: tuple[Kind, ...] = KINDS) -> Iterator[Run]:
    """Streams of each kind of change that a place may have; of slow ones, which take four times as long, half."""
    for seed in range(streams):
        # A stream and what was told of it until it changes are the same for all kinds.
        begun: Begun = {}
        for kind in (kind for kind in kinds if place in kind.places):
            for course in kind.courses:
                if course == "slow" and seed >= -(-streams // 2):
                    continue

                def make(kind: Kind = kind, course: Course = course, seed: int = seed, begun: Begun = begun) -> Run:
                    return _changed(pools, place, kind, course, seed, begun)

                yield kept.get(f"changed {place} {kind.name} {course} {seed}", Run, make)


def _changed(pools: Pools, place: str, kind: Kind, course: Course, seed: int, begun: "Begun") -> Run:
    stream, told = _until_it_begins(pools, place, kind, 10_000 + seed, begun)
    told.show(stream.fork(kind, course, BEGINS), AFTER[course], with_peers=course == "sudden")
    delays = {
        method: next((at - BEGINS + 1 for at in when if at >= BEGINS), None) for method, when in told.alarms.items()
    }
    found = zip(told.alarms[OURS], told.findings, strict=True)
    causes = [finding.cause for at, finding in found if at >= BEGINS]
    first, last = (causes[0], causes[-1]) if causes else (None, None)
    sentence = f"{first.sentence} {first.advice}" if first else ""
    named = (first.name, last.name) if first and last else ("", "")
    return Run(place, kind.name, kind.cause, course, delays, *named, sentence)


def _until_it_begins(pools: Pools, place: str, kind: Kind, seed: int, begun: "Begun") -> "tuple[Stream, Told]":
    """A stream, and what was told of it; the same for all kinds, but where what is new is missing before."""
    key = kind.name == "intent"
    if key not in begun:
        stream = Stream(place, pools, seed, kind if key else None, begins=BEGINS)
        told = Told()
        told.show(stream, BEGINS)
        begun[key] = stream, told
    stream, told = begun[key]
    return stream, copy.deepcopy(told)


class Told:
    """What all methods tell of a stream; the others learn from the same utterances as the board does."""

    def __init__(self) -> None:
        self.watched = 0
        self.findings: list[Finding] = []
        """Changes."""
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


Begun = dict[bool, tuple[Stream, Told]]
"""By whether what is new is missing."""


if __name__ == "__main__":
    main()
