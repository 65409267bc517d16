"""Fills the disks of a board and of its service, and makes them read-only.

    scripts/chaos disk

Each disk is a small file system in memory, in a mount namespace, without root. The board speaks faster than real time.
"""

import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import click

from benchmarks.figures import Figure, none, progress, report
from benchmarks.namespaces import in_namespace, why_no_namespace
from benchmarks.small_disk import Disk
from benchmarks.victims import WAIT_S, Board, Line, Service, end_in_order, is_sound
from edge.settings import Cloud, Device, EdgeSettings, Spool

NAMESPACES = "-rm"
PROGRAMS = ("mount",)

SPEED = 5.0
BEFORE = 2
"""Utterances that are answered before the fault begins."""
RECOVERED_S_MAX = 5.0


class Outcome(NamedTuple):
    """What came of a fault."""

    answered: int
    """Utterances that were answered at once while it lasted."""
    unanswered: int
    lost: int
    """Without a final in the end."""
    twice: int
    sentence: str
    """What the board or the service said."""
    recovered_s: float
    damaged: int

    def figures(self, name: str) -> Iterator[Figure]:
        yield Figure(
            f"{name}: answered at once", "all", f"{self.answered}", bool(self.answered) and not self.unanswered
        )
        yield none(f"{name}: lost", self.lost)
        yield none(f"{name}: answered twice", self.twice)
        yield none(f"{name}: databases damaged", self.damaged)
        within = self.recovered_s <= RECOVERED_S_MAX
        yield Figure(f"{name}: recovered by itself, s", f"{RECOVERED_S_MAX:g}", f"{self.recovered_s:.1f}", within)
        yield Figure(f"{name}: said", "a sentence", self.sentence, self.sentence.endswith("."))


def of_the_board(during: int, *, read_only: bool) -> Outcome:
    """The spool's disk; where it becomes read-only, the board is started again."""
    with tempfile.TemporaryDirectory(prefix="chaos", dir="/var/tmp") as made, ExitStack() as stack:
        folder = Path(made)
        disk = stack.enter_context(Disk(folder / "board", 2048))
        service = stack.enter_context(Service(folder / "service"))
        board = stack.enter_context(_board(folder, service, BEFORE + during + 6))
        _answered(board, BEFORE)
        if read_only:
            board.kill()
        with disk.read_only() if read_only else disk.full():
            if read_only:
                board.start()
            board.wait_for(lambda: bool(_trouble(board)))
            began_s, sentence = time.monotonic(), _trouble(board)
            _ended(board, during)
            ended_s = time.monotonic()
        recovered_s = board.wait_for(lambda: not _trouble(board))
        return _outcome(board, service, (began_s, ended_s), sentence, recovered_s)


def of_the_service(during: int) -> Outcome:
    """The utterance log's disk."""
    with tempfile.TemporaryDirectory(prefix="chaos", dir="/var/tmp") as made, ExitStack() as stack:
        folder = Path(made)
        disk = stack.enter_context(Disk(folder / "service", 4096))
        service = stack.enter_context(Service(folder / "service"))
        board = stack.enter_context(_board(folder, service, BEFORE + during + 6))
        _answered(board, BEFORE)
        with disk.full():
            began_s = time.monotonic()
            _ended(board, during)
            ended_s = time.monotonic()
            rows = len(service.rows())
        recovered_s = board.wait_for(lambda: len(service.rows()) > rows)
        said = [line for line in service.log.splitlines() if "answers.db" in line or "disk" in line]
        return _outcome(board, service, (began_s, ended_s), said[0] if said else "nothing", recovered_s)


def of_a_service_that_starts() -> Figure:
    """On a disk that is read-only."""
    with tempfile.TemporaryDirectory(prefix="chaos", dir="/var/tmp") as made, Disk(Path(made) / "s", 4096) as disk:
        service = Service(Path(made) / "s")
        with service:
            service.stop(signal.SIGTERM)
            with disk.read_only():
                try:
                    service.start()
                    said = service.log.strip() or "it starts, and says nothing"
                except RuntimeError as error:
                    said = str(error).splitlines()[-1]
    return Figure("service's disk read-only: said", "a sentence", said, said.endswith("."))


def no_room() -> list[Figure]:
    """The spool is as full as its owner lets it be, and the service is away: the oldest goes."""
    utterances = 330
    with tempfile.TemporaryDirectory(prefix="chaos", dir="/var/tmp") as made:
        folder = Path(made)
        settings = EdgeSettings(
            cloud=Cloud(address="127.0.0.1:9"),
            device=Device(id="chaos", state_dir=folder / "board"),
            spool=Spool(megabytes_max=1),
        )
        with Board(folder, settings, utterances=utterances, speed=0) as board:
            board.wait_for(lambda: board.count("ended") >= utterances, 4 * WAIT_S)
            board.wait_for(lambda: len(board.on_disk()) > 0)
            time.sleep(3 * settings.spool.commit_ms / 1000)
            board.kill()
            heard = [line["id"] for line in board.lines("heard")]
            dropped = [line["id"] for line in board.lines("told") if line["kind"] == "dropped"]
            counted = [line["trouble"] for line in board.lines("state") if line["of"] == "dropped"][-1]
            kept = set(board.kept())
            size = board.spool_file.stat().st_size
    return [
        Figure(
            "no room: dropped, counted and told",
            "> 0, equal",
            f"{len(dropped)}, {counted}",
            counted == str(len(dropped)) != "0",
        ),
        Figure("no room: the oldest went", "yes", "yes", set(dropped) == set(heard[: len(dropped)])),
        none("no room: neither kept nor told", len(set(heard) - set(dropped) - kept)),
        Figure("no room: size of the spool, kB", "1049", f"{size / 1000:.0f}", size <= 1 << 20),
    ]


def _board(folder: Path, service: Service, utterances: int) -> Board:
    settings = EdgeSettings(
        cloud=Cloud(address=service.address),
        device=Device(id="chaos", state_dir=folder / "board"),
        spool=Spool(commit_ms=300, replay_jitter_s_max=0.5),
    )
    return Board(folder, settings, utterances=utterances, speed=SPEED)


def _outcome(
    board: Board, service: Service, within_s: tuple[float, float], sentence: str, recovered_s: float
) -> Outcome:
    board.join()
    ended = {line["id"] for line in board.lines("ended") if within_s[0] <= line["at_s"] <= within_s[1]}
    told: dict[str, Line] = {}
    for line in board.lines("told"):
        told.setdefault(line["id"], line)
    answered = {name for name in ended if name in told and told[name]["kind"] == "final"}
    finals = Counter(event.utterance_id for event in board.events() if event.is_final)
    heard = {line["id"] for line in board.lines("heard")}
    return Outcome(
        answered=len(answered),
        unanswered=len(ended - answered),
        lost=len(heard - finals.keys()),
        twice=sum(count > 1 for count in finals.values()),
        sentence=sentence,
        recovered_s=recovered_s,
        damaged=sum(not is_sound(file) for file in (board.spool_file, service.log_file)),
    )


def _trouble(board: Board) -> str:
    states = [line["trouble"] for line in board.lines("state") if line["of"] == "disk"]
    return (states[-1] if states else None) or ""


def _answered(board: Board, count: int) -> None:
    board.wait_for(lambda: sum(line["is_final"] for line in board.lines("told")) >= count)


def _ended(board: Board, more: int) -> None:
    before = board.count("ended")
    board.wait_for(lambda: board.count("ended") >= before + more)


@click.command()
@click.option("--utterances", type=int, default=12, show_default=True, help="Said while a fault lasts.")
@click.option("--trial", "names", multiple=True, help="Beginning of the name of one; all if none.")
@click.option("--inside", is_flag=True, hidden=True)
def main(utterances: int, names: tuple[str, ...], inside: bool) -> None:
    """Fill disks, and make them read-only."""
    if reason := why_no_namespace(NAMESPACES, *PROGRAMS):
        raise click.UsageError(reason)
    if not inside:
        in_namespace(NAMESPACES, "benchmarks.chaos_disk", ["--inside", *sys.argv[1:]])
    trials: dict[str, Callable[[], Iterable[Figure]]] = {
        "spool's disk full": lambda: of_the_board(utterances, read_only=False).figures("spool's disk full"),
        "spool's disk read-only": lambda: of_the_board(utterances, read_only=True).figures("spool's disk read-only"),
        "service's disk full": lambda: of_the_service(utterances).figures("service's disk full"),
        "service's disk read-only": lambda: [of_a_service_that_starts()],
        "no room": no_room,
    }
    end_in_order()
    rows: list[Figure] = []
    for name, tried in trials.items():
        if not names or name.startswith(names):
            progress(name)
            rows += tried()
    report(rows)


if __name__ == "__main__":
    main()
