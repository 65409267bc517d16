"""Many phones on one board: what they cost it, and whether anything is lost.

    scripts/bench page_phones --data DIR [--phones N] [--speaking N]

A real daemon hears a virtual microphone beside a real service (pocketsphinx alone: it is the board that is measured).
Paired phones look on by TLS from a process of their own, and some of them speak recorded sentences in real time.
"""

import json
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import click
import msgspec
import numpy as np

from benchmarks import corpus, path
from benchmarks.figures import Figure, none, report
from benchmarks.idle import WARM_S, cpu_s, memory_mib, playing, write_room
from benchmarks.paired_phones import pair
from benchmarks.running_board import RunningBoard, running_board
from benchmarks.victims import changed_environment, free_port
from benchmarks.virtual_microphone import VirtualMicrophone, plugged_in, why_not
from edge.spool.event import Event
from edge.spool.spool import FILE_NAME

SETTLE_S_MAX = 60.0
PAUSE_S = 2.0
SENTENCES = 60


class Cost(NamedTuple):
    """Of the daemon, over a stretch of time."""

    what: str
    cpu_percent: float
    """Of one core."""
    memory_mib: float
    overruns: int
    """Of its own microphone, since its start."""


class Crowd:
    """Phones in a process of their own."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self._answered("looking")

    def do(self, word: str) -> None:
        """Comes back when it is so."""
        self._say(word)
        self._answered(word)

    def end(self) -> list[dict[str, Any]]:
        """What each of them has seen and said."""
        self._say("end")
        assert self._process.stdout is not None
        found: list[dict[str, Any]] = json.loads(self._process.stdout.readline())
        return found

    def _say(self, word: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{word}\n")
        self._process.stdin.flush()

    def _answered(self, word: str) -> None:
        assert self._process.stdout is not None
        if (said := self._process.stdout.readline().strip()) != word:
            raise RuntimeError(f"the phones say {said!r} and not {word}")


@contextmanager
def crowd(port: int, state: Path, phones: int, speaking: int, files: list[Path]) -> Iterator[Crowd]:
    """Paired with the board whose things are in `state`, and looking on."""
    cookies = state / "cookies.json"
    cookies.write_text(json.dumps([one._asdict() for one in pair(state, phones, tls=True)]))
    command = [sys.executable, "-m", "benchmarks.many_phones", "--port", str(port), "--cookies", str(cookies)]
    command += ["--speaking", str(speaking), *map(str, files)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Crowd(process)
        finally:
            process.kill()


def measure(board: RunningBoard, what: str, seconds: float) -> Cost:
    """When it is warm."""
    time.sleep(WARM_S)
    before_s, began_s = cpu_s(board.process.pid), time.monotonic()
    time.sleep(seconds)
    percent = 100 * (cpu_s(board.process.pid) - before_s) / (time.monotonic() - began_s)
    overruns = board.ask("status")["microphone"]["overruns"]
    cost = Cost(what, percent, memory_mib(board.process.pid), overruns)
    print(f"| {cost.what} | {cost.cpu_percent:.1f} | {cost.memory_mib:.1f} | {cost.overruns} |", flush=True)
    return cost


def settle(board: RunningBoard) -> None:
    """Until nobody is waited for."""
    board.wait_for(lambda status: not status["utterances"]["awaited"] and not status["spool"]["waiting"], SETTLE_S_MAX)


def events(spool_file: Path) -> list[tuple[int, Event]]:
    with closing(sqlite3.connect(spool_file)) as database:
        rows = database.execute("SELECT number, event FROM answers ORDER BY number").fetchall()
    return [(number, msgspec.json.decode(event, type=Event)) for number, event in rows]


def figures(costs: list[Cost], seen: list[dict[str, Any]], told: list[tuple[int, Event]]) -> list[Figure]:
    """What was lost."""
    numbers = {number for number, _ in told}
    finals = Counter(event.utterance_id for _, event in told if event.is_final)
    heard = {event.utterance_id for _, event in told}
    by = Counter(event.ear or "board" for _, event in told if event.is_final)
    speakers = [one for one in seen if one["said"]]
    answers = ", ".join(f"{by[one['phone']]} of {one['said']}" for one in speakers)
    late_ms = 1000 * max((one["late_s_max"] for one in speakers), default=0.0)
    return [
        none("overruns of the board's own microphone", max(cost.overruns for cost in costs)),
        none("answers that a phone did not see", sum(len(numbers - set(one["numbers"])) for one in seen)),
        none("answers that a phone saw twice", sum(len(one["numbers"]) - len(set(one["numbers"])) for one in seen)),
        none("phones that were let go and had to come again", sum(one["streams"] > 1 for one in seen)),
        none("utterances without a final, or with two", sum(finals[one] != 1 for one in heard)),
        none("complaints of the board about a phone's sound", sum(len(one["told"]) for one in speakers)),
        Figure("finals of each phone, of sentences it said", "-", answers, True),
        Figure("finals of the board's own microphone", "-", by["board"], True),
        Figure("a phone's sound behind real time at most, ms", "-", f"{late_ms:.0f}", True),
        Figure("events that a phone was sent", "-", int(np.median([sum(one["kinds"].values()) for one in seen])), True),
    ]


@click.command()
@click.option("--data", type=click.Path(exists=True, path_type=Path), required=True, help="Folder with sentences/.")
@click.option("--phones", default=50, show_default=True, help="Phones that look on.")
@click.option("--speaking", default=5, show_default=True, help="How many of them speak.")
@click.option("--seconds", default=40, show_default=True, help="How long each is measured.")
def main(data: Path, phones: int, speaking: int, seconds: int) -> None:
    """Measure a daemon with nobody, with phones that look on, and with phones that speak."""
    if reason := why_not():
        raise click.ClickException(f"There is no virtual microphone here: {reason}.")
    files = corpus.sentence_files(data)[:SENTENCES]
    print("| the daemon | CPU of one core, % | resident memory, MiB | overruns |\n|---|---|---|---|")
    with (
        tempfile.TemporaryDirectory() as folder,
        plugged_in() as microphone,
        path.service(Path(folder) / "service", decoding_whisper="false") as service,
    ):
        room, sentences = Path(folder) / "room.wav", Path(folder) / "sentences.wav"
        write_room(room, 6 * (seconds + 4 * WARM_S))
        pause = np.zeros(int(PAUSE_S * corpus.RATE_HZ), np.float32)
        corpus.write(sentences, np.concatenate([part for file in files for part in (corpus.read(file), pause)]))
        with playing(microphone, room):
            costs = [_alone(microphone, Path(folder), service.address, seconds)]
            found = _with_page(microphone, Path(folder), service.address, (phones, speaking), files, sentences, seconds)
    report(figures(costs + found[0], *found[1:]))


def _alone(microphone: VirtualMicrophone, folder: Path, service: str, seconds: int) -> Cost:
    state = folder / "alone"
    state.mkdir()
    with running_board(microphone, state, service) as board:
        board.hears()
        return measure(board, "without a page", seconds)


def _with_page(
    microphone: VirtualMicrophone,
    folder: Path,
    service: str,
    many: tuple[int, int],
    files: list[Path],
    sentences: Path,
    seconds: int,
) -> tuple[list[Cost], list[dict[str, Any]], list[tuple[int, Event]]]:
    state, port = folder / "board", free_port()
    state.mkdir()
    phones, speaking = many
    with (
        changed_environment({"PARROTLET_EDGE_PAGE_LISTEN": f"127.0.0.1:{port}"}),
        running_board(microphone, state, service) as board,
    ):
        board.hears()
        costs = [measure(board, "a page, and nobody looks on", seconds)]
        with crowd(port, state, phones, speaking, files) as looking:
            costs.append(measure(board, f"{phones} phones look on", seconds))
            looking.do("speak")
            costs.append(measure(board, f"{phones} look on, {speaking} of them speak", seconds))
            with playing(microphone, sentences):
                costs.append(measure(board, f"{phones} look on, {speaking} and the room speak", seconds))
                looking.do("hush")
            settle(board)
            time.sleep(PAUSE_S)
            settle(board)
            seen = looking.end()
        return costs, seen, events(state / FILE_NAME)


if __name__ == "__main__":
    main()
