"""Moves the wall clock of a board and of its service while they run.

    scripts/chaos clock

By libfaketime (Debian's package faketime), so that every library in the processes sees it. The monotonic clock goes on:
no jump moves it. Whether the kernel calls the clock right is told by a file, as libfaketime does not change it.
"""

import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import click

from benchmarks.figures import Figure, none, progress, report
from benchmarks.victims import Board, Service, end_in_order
from edge.settings import Cloud, Device, EdgeSettings, Spool

SPEED = 3.0
ANSWER_S_MAX = 5.0
"""From the endpoint to the final, on a machine that others use: nothing stalls."""
TIME_S_MAX = 60.0
"""How far off a corrected time may be: the trial's own length."""

LIBRARIES = ("/usr/lib/*/faketime/libfaketimeMT.so.1", "/usr/local/lib/faketime/libfaketimeMT.so.1")
BOOT_OF_A_BOARD = -1_767_225_600
"""Seconds from the beginning of 2026 to that of 1970."""


class Outcome(NamedTuple):
    """What came of a jump."""

    utterances: int
    kinds: Counter[str]
    """Of what was told, one a final."""
    lost: int
    twice: int
    disordered: int
    """Utterances that the service answered before an earlier one."""
    slowest_s: float
    """From the endpoint to the final, or from the service's return to the late final of the last."""
    wrong_times: int
    """Events of late finals with a wrong time of speaking."""

    def figures(self, name: str, wanted: str) -> Iterator[Figure]:
        told = ", ".join(f"{count} {kind}" for kind, count in self.kinds.items())
        yield Figure(f"{name}: told", f"all {wanted}", told, self.kinds == {wanted: self.utterances})
        yield none(f"{name}: lost", self.lost)
        yield none(f"{name}: answered twice", self.twice)
        yield none(f"{name}: out of order", self.disordered)
        yield none(f"{name}: wrong times", self.wrong_times)
        slow = self.slowest_s > ANSWER_S_MAX and wanted == "final"
        yield Figure(
            f"{name}: slowest, s", f"{ANSWER_S_MAX:g}" if wanted == "final" else "-", f"{self.slowest_s:.1f}", not slow
        )


class Time:
    """The wall clock of what is started with `environment`."""

    def __init__(self, folder: Path) -> None:
        self._offset = folder / "offset"
        self.synchronised = folder / "synchronised"
        self.environment = {
            "LD_PRELOAD": library() or "",
            "FAKETIME_TIMESTAMP_FILE": str(self._offset),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "DONT_FAKE_MONOTONIC": "1",
        }
        self.jump(0)
        self.be_right(True)

    def jump(self, seconds: int) -> None:
        """So far from the real time, from now on."""
        new = self._offset.with_suffix(".new")
        new.write_text(f"{seconds:+d}")
        new.rename(self._offset)

    def be_right(self, is_right: bool) -> None:
        """What the kernel says of it."""
        if is_right:
            self.synchronised.touch()
        else:
            self.synchronised.unlink(missing_ok=True)


def library() -> str | None:
    """libfaketime's file, if it is installed."""
    return next((str(file) for pattern in LIBRARIES for file in Path("/").glob(pattern.lstrip("/"))), None)


def while_it_speaks(jump_s: int, utterances: int) -> Outcome:
    """The service is there all the time; the clock jumps after a third."""
    with tempfile.TemporaryDirectory(prefix="chaos", dir="/var/tmp") as made, ExitStack() as stack:
        folder = Path(made)
        now = Time(folder)
        service = stack.enter_context(Service(folder / "service", environment=now.environment))
        board = _board(folder, service, now, utterances)
        stack.callback(board.__exit__)
        board.start(now.environment)
        board.wait_for(lambda: board.count("told") > utterances // 3)
        now.jump(jump_s)
        board.join()
        ended = {line["id"]: line["at_s"] for line in board.lines("ended")}
        told = {line["id"]: line["at_s"] for line in board.lines("told") if line["is_final"]}
        return _outcome(board, service, max(told[name] - ended[name] for name in told))


def while_it_is_kept(before_s: int, after_s: int, utterances: int) -> Outcome:
    """The service is away while all is said; then the clock jumps, and the service comes."""
    with tempfile.TemporaryDirectory(prefix="chaos", dir="/var/tmp") as made, ExitStack() as stack:
        folder = Path(made)
        now = Time(folder)
        now.jump(before_s)
        now.be_right(before_s == 0)
        service = Service(folder / "service")
        board = _board(folder, service, now, utterances)
        stack.callback(board.__exit__)
        board.start(now.environment)
        board.wait_for(lambda: sum(line["kind"] == "kept" for line in board.lines("told")) >= utterances)
        now.jump(after_s)
        now.be_right(True)
        stack.enter_context(service)
        began_s = time.monotonic()
        board.join()
        finals = [event for event in board.events() if event.is_final]
        right_us = 1e6 * (time.time() + (after_s if before_s else before_s))
        off = sum(abs(event.spoken_at_unix_us - right_us) > 1e6 * TIME_S_MAX for event in finals)
        return _outcome(board, service, time.monotonic() - began_s, off)


def _board(folder: Path, service: Service, now: Time, utterances: int) -> Board:
    settings = EdgeSettings(
        cloud=Cloud(address=service.address, reach_s_max=1.0),
        device=Device(id="chaos", state_dir=folder / "board"),
        spool=Spool(replay_jitter_s_max=0.5),
    )
    options = ("--synchronised", str(now.synchronised))
    return Board(folder, settings, *options, utterances=utterances, speed=SPEED)


def _outcome(board: Board, service: Service, slowest_s: float, wrong_times: int = 0) -> Outcome:
    heard = [line["id"] for line in board.lines("heard")]
    finals = [event for event in board.events() if event.is_final]
    each = Counter(event.utterance_id for event in finals)
    rows = service.rows()
    order = [rows[name][0] for name in heard if name in rows]
    return Outcome(
        utterances=len(heard),
        kinds=Counter(event.kind.value for event in finals),
        lost=len(set(heard) - each.keys()) + len(set(heard) - rows.keys()),
        twice=sum(count > 1 for count in each.values()),
        disordered=sum(later < max(order[:number], default=0) for number, later in enumerate(order)),
        slowest_s=slowest_s,
        wrong_times=wrong_times,
    )


@click.command()
@click.option("--utterances", type=int, default=20, show_default=True, help="Said in each trial.")
def main(utterances: int) -> None:
    """Move the clock."""
    if library() is None:
        raise click.UsageError("libfaketime is not installed; on Debian: sudo apt-get install faketime")
    end_in_order()
    day = 86_400
    rows: list[Figure] = []
    for name, seconds in (("a day on", day), ("a day back", -day)):
        progress(name)
        rows += while_it_speaks(seconds, utterances).figures(f"{name} while it speaks", "final")
        rows += while_it_is_kept(0, seconds, utterances).figures(f"{name} in an outage", "late")
    progress("1970")
    rows += while_it_is_kept(BOOT_OF_A_BOARD, 0, utterances).figures("1970 at boot, right after an outage", "late")
    report(rows)


if __name__ == "__main__":
    main()
