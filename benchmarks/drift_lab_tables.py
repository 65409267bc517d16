"""The tables and the plot of drift_lab."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np

from benchmarks.drift_lab_bound import MARK, Bound
from benchmarks.drift_lab_concept import AFTER as CONCEPT_AFTER
from benchmarks.drift_lab_concept import CONCEPTS, Found
from benchmarks.drift_streams import KINDS, SLOW_UTTERANCES, Course
from models import plot as plots

BEGINS = 600
"""Number of the utterance with which a change begins; by then the usual is learnt, and watched for a while."""
SOON = 50
AFTER: dict[Course, int] = {"sudden": 100, "slow": SLOW_UTTERANCES + 50}
OURS = "parrotlet"
HEAD = ("change", "streams", "found", "median delay", "cause right", "by the end", "labels", "best possible")


class Run(msgspec.Struct, frozen=True):
    """What became of one stream."""

    place: str
    kind: str
    cause: str
    """The right one."""
    course: Course
    delays: dict[str, int | None]
    """Utterances from the change until each method told it; None: not within AFTER."""
    named: str
    """The cause that was told first; empty: none."""
    settled: str
    """The one that was told last: of what comes slowly more is known then."""
    sentence: str


class Quiet(msgspec.Struct, frozen=True):
    """Undrifted streams."""

    watched: int
    alarms: dict[str, int]
    causes: dict[str, int]


def print_changes(runs: Sequence[Run], concepts: Sequence[Found], best: Sequence[Bound]) -> None:
    """A table of sudden changes, then of slow ones; and what was named otherwise."""
    for course in ("sudden", "slow"):
        print_table(course, [run for run in runs if run.course == course], concepts, best)
    if concepts:
        told = np.mean([one.is_told for one in concepts])
        data = [one for one in concepts if one.kind not in CONCEPTS]
        false = sum(one.place is not None for one in data)
        print(
            f"\nConcept told from data drift: {told:.3f} of {len(concepts)} streams; of {len(data)} in which only what"
        )
        print(
            f"comes in changed, {false} were told as concepts. Best possible: what the best test finds within {SOON},"
        )
        print(f"in brackets how many utterances it takes to find {MARK}.", flush=True)


def print_table(course: Course, here: Sequence[Run], concepts: Sequence[Found], best: Sequence[Bound]) -> None:
    """A row a kind; those of what comes in together as well."""
    is_slow = course == "slow"
    others = [method for method in here[0].delays if method != OURS] if here else []
    within = f"{AFTER['slow']} (of what is right: {CONCEPT_AFTER})" if is_slow else f"{SOON}"
    print(f"\n{course} changes, found within {within} utterances\n")
    print_row([*HEAD, *others])
    print("|---" * (len(HEAD) + len(others)) + "|")
    by_kind: dict[str, list[Run]] = defaultdict(list)
    for run in here:
        by_kind[run.kind].append(run)
    for name, its in [*by_kind.items(), ("all of these", here)]:
        if its:
            print_row([name, *_cells(its, course), "", "", *_of_others(its, course, others)])
    bounds = {one.kind: f"{one.soon:.2f} ({one.utterances})" for one in best}
    for kind in CONCEPTS:
        found = [one for one in concepts if one.kind == kind and one.is_slow == is_slow]
        if found:
            bound = "" if is_slow else bounds.get(kind, "")
            print_row([kind, *_concept_cells(found, course), bound, *("" for _ in others)])
    wrong = Counter((run.kind, run.named) for run in here if run.named and run.named != run.cause)
    said = ", ".join(f"{kind}: {cause} {count}" for (kind, cause), count in wrong.most_common())
    print(f"\nNamed otherwise at first: {said}")


def print_row(cells: Sequence[str]) -> None:
    """Of a table."""
    print("".join(f"| {cell} " for cell in cells) + "|")


def _cells(its: Sequence[Run], course: Course) -> list[str]:
    limit = SOON if course == "sudden" else AFTER[course]
    found = [run for run in its if _soon(run, OURS, limit)]
    first = sum(run.named == run.cause for run in found) / max(1, len(found))
    last = sum(run.settled == run.cause for run in found) / max(1, len(found))
    median = np.median([run.delays[OURS] or AFTER[course] for run in its])
    return [f"{len(its)}", f"{len(found) / len(its):.3f}", f"{median:.0f}", f"{first:.2f}", f"{last:.2f}"]


def _of_others(its: Sequence[Run], course: Course, others: Sequence[str]) -> list[str]:
    """They were not shown what is slow."""
    if course == "slow":
        return ["" for _ in others]
    return [f"{np.mean([_soon(run, method, SOON) for run in its]):.2f}" for method in others]


def _concept_cells(its: Sequence[Found], course: Course) -> list[str]:
    places = [one.place for one in its if one.place is not None]
    within = [place for place in places if place < (SOON if course == "sudden" else CONCEPT_AFTER)]
    median = np.median([np.inf if one.place is None else one.place + 1 for one in its])
    right = sum(one.is_right for one in its if one.place is not None) / max(1, len(places))
    labels = np.median([one.labels for one in its if one.place is not None]) if places else 0
    return [f"{len(its)}", f"{len(within) / len(its):.3f}", f"{median:.0f}", f"{right:.2f}", "", f"{labels:.0f}"]


def _soon(run: Run, method: str, limit: int) -> bool:
    delay = run.delays[method]
    return delay is not None and delay <= limit


def print_quiet(quiet: Quiet, concepts: tuple[int, int]) -> None:
    """Utterances to a false alarm; `concepts`: utterances and false alarms of the watch of what is right."""
    print(f"\n{quiet.watched} utterances in which nothing changed\n")
    print("| method | false alarms | utterances to one |\n|---|---|---|")
    for method, alarms in quiet.alarms.items():
        print(f"| {method} | {alarms} | {quiet.watched / alarms if alarms else float('inf'):.0f} |")
    print(f"| {OURS}, of what is right, in {concepts[0]} | {concepts[1]} | |")
    print(f"\nNamed then: {quiet.causes}", flush=True)


def print_sentences(runs: Sequence[Run]) -> None:
    """One of each kind."""
    print("\nSaid, for example:\n")
    for kind in KINDS:
        said = next((run.sentence for run in runs if run.kind == kind.name and run.named == kind.cause), None)
        if said:
            print(f"* {kind.name}: {said}")


def draw(runs: Sequence[Run], file: Path) -> None:
    """Share of sudden changes that are found, by kind."""
    with plots.figure(file, x="utterances since the change", y="share found") as axes:
        for kind in KINDS:
            delays = [run.delays[OURS] for run in runs if run.kind == kind.name and run.course == "sudden"]
            if not delays:
                continue
            at = np.arange(AFTER["sudden"] + 1)
            shares = [np.mean([one is not None and one <= x for one in delays]) for x in at]
            # There are ten colours.
            axes.plot(at, shares, label=kind.name, linestyle="-" if len(axes.lines) < 10 else "--")
        axes.axvline(SOON, color="0.7")
        axes.legend(fontsize=8)
