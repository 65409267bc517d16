"""How often does one change ring: streams of the drift lab, through the book of alerts.

    .venv/bin/python -m benchmarks.drift_lab_alerts --data DIR --work DIR [--half tuning]

Beside it a book that has an alert for each cause. --work: as for scripts/drift-lab, which keeps there what was heard.
"""

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import click

from benchmarks import drift_heard, drift_places, drift_sounds
from benchmarks.drift_lab_tables import AFTER, BEGINS
from benchmarks.drift_sounds import Half
from benchmarks.drift_streams import KINDS, Course, Kind, Pools, Stream
from cloud.alerts.alerts import USUAL, AlertBook, end, recover, report
from cloud.drift.causes import spelling, words
from cloud.drift.finding import Finding
from cloud.drift.watch import Watch

GOES_ON = 200
"""Utterances that a change is looked at for longer than the lab looks for it."""
RULES = {"an alert a cause": "", "an alert a change": USUAL}


class Rung(NamedTuple):
    """What became of one change."""

    course: Course
    began: int
    changed: int
    over: int
    is_first_right: bool
    is_last_right: bool


@click.command()
@click.option("--data", type=click.Path(exists=True, path_type=Path), required=True, help="Folder of recordings.")
@click.option("--work", type=click.Path(exists=True, path_type=Path), required=True, help="Has what was heard.")
@click.option("--half", type=click.Choice(["test", "tuning"]), default="tuning", show_default=True)
@click.option("--streams", default=3, show_default=True, help="Of each kind and place.")
def main(data: Path, work: Path, half: Half, streams: int) -> None:
    """Alerts, updates and ends to a change, none of which ends."""
    rung: dict[str, list[Rung]] = {rule: [] for rule in RULES}
    for place in drift_places.places(data, half, work):
        if not any(place.name in kind.places for kind in KINDS):
            continue
        pools = drift_heard.listen(place, half, data, work, drift_sounds.conditions(_plants(place.name)))
        for kind in [kind for kind in KINDS if place.name in kind.places]:
            for course in kind.courses:
                for seed in range(streams):
                    found = list(_found(place.name, pools, kind, course, 70_000 + seed))
                    for rule, line in RULES.items():
                        rung[rule].append(_rung(found, line, kind, course))
    _print(rung)


def _plants(place: str) -> tuple[str, ...]:
    return () if place == "menu" else drift_sounds.PLANTS


def _found(place: str, pools: Pools, kind: Kind, course: Course, seed: int) -> Iterator[Finding]:
    """What is found since the change begins."""
    stream = Stream(place, pools, seed, kind if kind.name == "intent" else None, begins=BEGINS)
    watch = Watch(pronounces=spelling.said)
    list(_show(watch, stream, BEGINS))
    yield from _show(watch, stream.fork(kind, course, BEGINS), AFTER[course] + GOES_ON)


def _show(watch: Watch, stream: Stream, utterances: int) -> Iterator[Finding]:
    for said in islice(stream, utterances):
        unknown = words.unknown_in(said.heard.transcript, stream.knows_word) if said.facts.unknown_share else []
        yield from watch.saw(said.facts, unknown_words=unknown)


def _rung(found: Sequence[Finding], line: str, kind: Kind, course: Course) -> Rung:
    book, now_us = AlertBook(), 0
    for one in found:
        now_us = max(now_us, one.at_unix_us or 0)
        end(book, now_us)
        its = "" if one.is_word else line
        if one.kind == "changed":
            report(book, one.cause.name, one.stream, one.cause.sentence, now_us, line=its)
        else:
            recover(book, one.cause.name, one.stream, now_us, line=its)
    events = [told.event for told in book.waiting]
    return Rung(
        course,
        events.count("began"),
        events.count("changed"),
        events.count("over"),
        bool(book.alerts) and book.alerts[0].first_cause == kind.cause,
        bool(book.alerts) and book.alerts[-1].cause == kind.cause,
    )


def _print(rung: dict[str, list[Rung]]) -> None:
    print("| changes | rule | rang once | alerts each | updates each | ends each | first cause right | last |")
    print("|---|---|---|---|---|---|---|---|")
    for course in ("slow", "sudden"):
        for rule, every in rung.items():
            its = [one for one in every if one.course == course and one.began]
            once = sum(one.began == 1 for one in its)
            sums = (
                sum(one.began for one in its),
                sum(one.changed for one in its),
                sum(one.over for one in its),
                sum(one.is_first_right for one in its),
                sum(one.is_last_right for one in its),
            )
            cells = (f"{len(its)} {course}", rule, f"{once}", *(f"{each / max(1, len(its)):.2f}" for each in sums))
            print("".join(f"| {cell} " for cell in cells) + "|")


if __name__ == "__main__":
    main()
