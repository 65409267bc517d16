"""Spoils the network between a board and its service, while a second service on a clean path answers besides.

    scripts/chaos network

All of it in a network namespace of its own, without root. The board speaks in real time; the fault begins after its
first utterances and ends before its last ones.
"""

import contextlib
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import click

from benchmarks.figures import progress
from benchmarks.idle import memory_mib
from benchmarks.namespaces import in_namespace, run, why_no_namespace
from benchmarks.network_faults import CLOUD_HOST, FAULTS, NAME, PROGRAMS, Bench, write_hosts
from benchmarks.victims import Board, Line, Service, end_in_order
from edge.settings import Cloud, Device, EdgeSettings, House, Spool

NAMESPACES = "-rnm"

BEFORE = 2
"""Utterances that are answered before the fault begins."""
UTTERANCE_S = 3.2
"""With the pause that follows, about."""

NOTICED_S_MAX = 5.0
FINAL_S_MAX = 3.0
"""From the endpoint: `house.final_s_max` until the second service is asked at the latest, and its answer."""
GROWTH_MIB_MAX = 16.0


class Outcome(NamedTuple):
    """What came of a fault. Seconds."""

    noticed_s: float | None
    """From the first speech in the fault until the board knew; None: it never gave the service up."""
    back_s: float | None
    """From the end of the fault until it knew."""
    paths: Counter[str]
    """By whom, of what ended in the fault."""
    latest_s: float
    """From the endpoint to the final, of the same."""
    lost: int
    twice: int
    growth_mib: float
    drained: bool

    @property
    def good(self) -> bool:
        in_time = all((waited_s or 0.0) <= NOTICED_S_MAX for waited_s in (self.noticed_s, self.back_s))
        whole = not self.lost and not self.twice and self.drained
        return in_time and whole and self.latest_s <= FINAL_S_MAX and self.growth_mib <= GROWTH_MIB_MAX


def try_out(name: str, lasts_s: float, utterances: int) -> Outcome:
    """One fault, from the start of both services to the end of the playlist."""
    write_hosts(CLOUD_HOST)
    with tempfile.TemporaryDirectory(prefix="chaos", dir="/var/tmp") as made:
        folder = Path(made)
        house = Service(folder / "house")
        service = Service(folder / "service", host=CLOUD_HOST)
        settings = EdgeSettings(
            device=Device(id="chaos", state_dir=folder / "board"),
            cloud=Cloud(address=f"{NAME}:{service.address.rpartition(':')[2]}"),
            house=House(address=house.address),
            spool=Spool(replay_jitter_s_max=1.0),
        )
        board = Board(folder, settings, utterances=utterances, speed=1.0)
        with house, service, board:
            return _try_out(FAULTS[name], Bench(service, board, lasts_s))


def _try_out(fault: Callable[[Bench], contextlib.AbstractContextManager[None]], bench: Bench) -> Outcome:
    board = bench.board
    board.wait_for(lambda: sum(line["is_final"] for line in board.lines("told")) >= BEFORE)
    assert board.process is not None
    memory_before = memory_mib(board.process.pid)
    began_s = time.monotonic()
    with fault(bench):
        time.sleep(bench.lasts_s)
        ended_s = time.monotonic()
    over_s = time.monotonic()
    growth_mib = memory_mib(board.process.pid) - memory_before
    drained = board.join() == 0
    finals = Counter(event.utterance_id for event in board.events() if event.is_final)
    heard = {line["id"] for line in board.lines("heard")}
    told = {line["id"]: line for line in board.lines("told") if line["is_final"]}
    within = [line for line in board.lines("ended") if began_s <= line["at_s"] <= ended_s and line["id"] in told]
    return Outcome(
        noticed_s=_noticed_s(board.lines(), began_s, over_s),
        back_s=_back_s(board.lines("state"), over_s),
        paths=Counter(told[line["id"]]["path"] or told[line["id"]]["kind"] for line in within),
        latest_s=max((told[line["id"]]["at_s"] - line["at_s"] for line in within), default=0.0),
        lost=len(heard - finals.keys()) + len(heard - bench.service.rows().keys()),
        twice=sum(count > 1 for count in finals.values()),
        growth_mib=growth_mib,
        drained=drained,
    )


def _noticed_s(lines: list[Line], began_s: float, over_s: float) -> float | None:
    """From the first speech in the fault: nobody looks whether a service is there while nobody speaks."""
    down = [line["at_s"] for line in lines if line["what"] == "state" and line["of"] == "cloud" and line["trouble"]]
    down = [at_s for at_s in down if began_s <= at_s <= over_s]
    heard = [line["at_s"] for line in lines if line["what"] == "heard"]
    spoken_s = max(began_s, max((at_s for at_s in heard if at_s <= began_s + 1.0), default=began_s))
    return down[0] - min(spoken_s, down[0]) if down else None


def _back_s(states: list[Line], over_s: float) -> float | None:
    cloud = [line for line in states if line["of"] == "cloud"]
    down = [line for line in cloud if line["at_s"] <= over_s][-1]["trouble"]
    later = [line["at_s"] for line in cloud if line["at_s"] > over_s and not line["trouble"]]
    return later[0] - over_s if down and later else float("inf") if down else None


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"


@click.command()
@click.option("--fault", "names", multiple=True, type=click.Choice(list(FAULTS)), help="All if none.")
@click.option("--lasts", type=float, default=30.0, show_default=True, help="Seconds that a fault lasts.")
@click.option("--after", type=float, default=20.0, show_default=True, help="Seconds that it speaks on, at least.")
@click.option("--inside", is_flag=True, hidden=True)
def main(names: tuple[str, ...], lasts: float, after: float, inside: bool) -> None:
    """Spoil the network in several ways."""
    if reason := why_no_namespace(NAMESPACES, *PROGRAMS):
        raise click.UsageError(reason)
    if not inside:
        in_namespace(NAMESPACES, "benchmarks.chaos_network", ["--inside", *sys.argv[1:]])
    with tempfile.NamedTemporaryFile() as hosts:
        shutil.copyfile("/etc/hosts", hosts.name)
        run("ip", "link", "set", "lo", "up")
        run("mount", "--bind", hosts.name, "/etc/hosts")
        print("\n| fault | noticed, s | back, s | answered by | latest final, s | lost | twice | memory, MiB | |")
        print("|---|---|---|---|---|---|---|---|---|", flush=True)
        end_in_order()
        missed = 0
        for name in names or FAULTS:
            progress(name)
            outcome = try_out(name, lasts, BEFORE + round((lasts + after) / UTTERANCE_S))
            missed += not outcome.good
            print_row(name, outcome)
        print(
            f"\nAt most {NOTICED_S_MAX:g} s, {NOTICED_S_MAX:g} s, {FINAL_S_MAX:g} s, 0, 0, {GROWTH_MIB_MAX:g} MiB more."
        )
    sys.exit(1 if missed else 0)


def print_row(name: str, outcome: Outcome) -> None:
    paths = ", ".join(f"{path} {count}" for path, count in outcome.paths.most_common())
    times = f"{_seconds(outcome.noticed_s)} | {_seconds(outcome.back_s)} | {paths} | {outcome.latest_s:.1f}"
    losses = (
        f"{outcome.lost}{'' if outcome.drained else ', not all sent'} | {outcome.twice} | {outcome.growth_mib:+.1f}"
    )
    print(f"\r| {name} | {times} | {losses} | {'' if outcome.good else '**missed**'} |", flush=True)


if __name__ == "__main__":
    main()
