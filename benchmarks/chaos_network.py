"""Spoils the network between a board and its service, while a second service on a clean path answers besides.

    scripts/chaos network

All of it in a network namespace of its own, without root. The board speaks in real time; the fault begins after its
first utterances and ends before its last ones. A service that moves is found by mDNS, by the board itself, once it has
been away for `identity_watch.LOST_S`; how long that takes stands below the table.
"""

import contextlib
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import click

from benchmarks.figures import progress
from benchmarks.idle import memory_mib
from benchmarks.namespaces import in_namespace, run, why_no_namespace
from benchmarks.network_faults import (
    CLOUD_HOST,
    FAULTS,
    LAN_HOSTS,
    NAME,
    PROGRAMS,
    Bench,
    make_lan,
    service_moves,
    write_hosts,
)
from benchmarks.network_outcome import FINAL_S_MAX, GROWTH_MIB_MAX, NOTICED_S_MAX, Outcome, outcome
from benchmarks.tried_service import enrolled
from benchmarks.victims import Board, Service, end_in_order
from cloud.keys.pki_folder import create
from edge.keys.identity import IdentityFile
from edge.settings import Cloud, Device, EdgeSettings, House, Spool

NAMESPACES = "-rnm"

BEFORE = 2
"""Utterances that are answered before the fault begins."""
UTTERANCE_S = 3.2
"""With the pause that follows, about."""


def try_out(name: str, lasts_s: float, utterances: int) -> Outcome:
    """One fault, from the start of both services to the end of the playlist."""
    write_hosts(CLOUD_HOST)
    moves = FAULTS[name] is service_moves
    with tempfile.TemporaryDirectory(prefix="chaos", dir="/var/tmp") as made:
        folder = Path(made)
        house = Service(folder / "house")
        service = Service(folder / "service", host=LAN_HOSTS[0] if moves else CLOUD_HOST)
        settings = EdgeSettings(
            device=Device(id="chaos", state_dir=folder / "board"),
            cloud=Cloud() if moves else Cloud(address=f"{NAME}:{service.address.rpartition(':')[2]}"),
            house=House(address=house.address),
            spool=Spool(replay_jitter_s_max=1.0),
        )
        if moves:
            authority = create(folder / "service" / "pki", [])
            identity = enrolled(authority, settings.device.id, service.address)
            IdentityFile([]).write(settings.device.state_dir, identity)
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
    return outcome(bench, began_s, ended_s, over_s, growth_mib=growth_mib, drained=drained)


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
        make_lan()
        run("mount", "--bind", hosts.name, "/etc/hosts")
        print("\n| fault | noticed, s | back, s | answered by | latest final, s | lost | twice | memory, MiB | |")
        print("|---|---|---|---|---|---|---|---|---|", flush=True)
        end_in_order()
        outcomes = {}
        for name in names or FAULTS:
            progress(name)
            outcomes[name] = try_out(name, lasts, BEFORE + round((lasts + after) / UTTERANCE_S))
            print_row(name, outcomes[name])
        print(
            f"\nAt most {NOTICED_S_MAX:g} s, {NOTICED_S_MAX:g} s, {FINAL_S_MAX:g} s, 0, 0, {GROWTH_MIB_MAX:g} MiB more."
        )
        if "service moves" in outcomes:
            print(f"\nThe service that moved was away for {outcomes['service moves'].away_s:.1f} s.")
    sys.exit(0 if all(outcome.good for outcome in outcomes.values()) else 1)


def print_row(name: str, outcome: Outcome) -> None:
    paths = ", ".join(f"{path} {count}" for path, count in outcome.paths.most_common())
    times = f"{_seconds(outcome.noticed_s)} | {_seconds(outcome.back_s)} | {paths} | {outcome.latest_s:.1f}"
    losses = (
        f"{outcome.lost}{'' if outcome.drained else ', not all sent'} | {outcome.twice} | {outcome.growth_mib:+.1f}"
    )
    print(f"\r| {name} | {times} | {losses} | {'' if outcome.good else '**missed**'} |", flush=True)


if __name__ == "__main__":
    main()
