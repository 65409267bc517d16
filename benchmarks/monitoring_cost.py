"""What it costs a board and a service to be watched: metrics, signal facts, utterance log, drift.

    scripts/bench monitoring_cost

Pairs: two daemons hear the same sound at the same time, one whose port is asked once in 15 s and one without a port;
two services are told the same utterances in turns, one that watches and is asked, and one that does not. It is
processor time of processes, not the clock's; which of the two begins changes with each pair. As what is sought is less
than what others on the machine make it vary by, the parts are measured one by one as well, many times over in one
process, and put beside what those who are not watched took: these are the figures with marks.
"""

import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
import wave
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

import click
import numpy as np

from benchmarks import monitoring_parts, path
from benchmarks.figures import Figure, progress, report
from benchmarks.instructions import LENGTH_S, SPOKEN, asking, looped, pink_noise
from edge.sound.audio_file import AudioFile
from edge.sound.source import SAMPLE_RATE_HZ, Samples

BOARD_MAX, SERVICE_MAX = 0.01, 0.02
"""The marks: of the board's processor time, and of the service's."""

SCRAPE_S = 15.0
READY_S_MAX, WARM_S = 60.0, 6.0
FOLLOWED_S = 22.0
"""After that the drift watch has seen what was said."""
IDLE_S = 60.0
SPOKEN_S = 6
"""Told to a service at a time; more may be too much for what is left of a busy machine."""
RESAMPLES = 2000


class Pair(NamedTuple):
    """Processor seconds of two that did the same."""

    plain: float
    watched: float


def cpu_s(pid: int) -> float:
    """Processor time of a process so far, to the nanosecond."""
    return time.clock_gettime((~pid << 3) | 2)


def household(seconds: float) -> Samples:
    """A quiet room in which a sentence is said once in 15 s."""
    room = np.tile(pink_noise(), int(seconds / LENGTH_S) + 1)[: round(seconds * SAMPLE_RATE_HZ)].copy()
    said = np.concatenate([block.samples for block in AudioFile(str(SPOKEN)).blocks()])
    for start in range(SAMPLE_RATE_HZ, len(room) - len(said), round(SCRAPE_S * SAMPLE_RATE_HZ)):
        room[start : start + len(said)] += said
    return room


def of_boards(folder: Path, pairs: int, seconds: float) -> tuple[list[Pair], float]:
    """Daemons that hear a household, each pair at the same time; and what a look at one takes."""
    wav = folder / "household.wav"
    with wave.open(str(wav), "wb") as file:
        file.setparams((1, 2, SAMPLE_RATE_HZ, 0, "NONE", ""))
        file.writeframes(household(seconds + READY_S_MAX).astype("<i2").tobytes())
    found, looks = [], []
    for number in range(pairs):
        with ExitStack() as stack:
            port, boards = free_port(), dict[bool, int]()
            for watched in (False, True) if number % 2 else (True, False):
                listen = f"127.0.0.1:{port}" if watched else ""
                boards[watched] = stack.enter_context(playing_board(folder / f"{number}-{watched}", wav, listen))
            wait_for(folder / f"{number}-{watched}" / "edge.sock" for watched in boards)
            time.sleep(WARM_S)
            # What the first one loads is of the start.
            scrape(f"127.0.0.1:{port}")
            before = {watched: cpu_s(pid) for watched, pid in boards.items()}
            for _ in range(round(seconds / SCRAPE_S)):
                time.sleep(SCRAPE_S)
                looks.append(look_s(boards[True], f"127.0.0.1:{port}"))
            took = {watched: cpu_s(pid) - before[watched] for watched, pid in boards.items()}
        found.append(Pair(took[False], took[True]))
        progress(f"boards: {number + 1} of {pairs} pairs")
    return found, statistics.median(looks)


def look_s(pid: int, address: str) -> float:
    """What a look at /metrics takes of a process. Of looks one after the other each would take half as much: after a
    while nothing of it is in the processor's caches any more."""
    before_s = cpu_s(pid)
    scrape(address)
    return cpu_s(pid) - before_s


@contextmanager
def playing_board(folder: Path, wav: Path, listen: str) -> Iterator[int]:
    """A daemon that hears a file in real time and asks no service; its process id."""
    folder.mkdir()
    own = {"DEVICE_STATE_DIR": str(folder), "DEVICE_RUNTIME_DIR": str(folder), "MONITORING_LISTEN": listen}
    environment = os.environ | {f"PARROTLET_EDGE_{name}": value for name, value in own.items()}
    command = [sys.executable, "-m", "edge", "run", "--cloud", "", "--input", str(wav)]
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            yield process.pid
        finally:
            process.terminate()


def wait_for(sockets: Iterable[Path]) -> None:
    """Until daemons have started."""
    until_s = time.monotonic() + READY_S_MAX
    for each in sockets:
        while not each.exists():
            if time.monotonic() > until_s:
                raise click.ClickException(f"A daemon did not start within {READY_S_MAX:.0f} s.")
            time.sleep(0.1)


class Waited(NamedTuple):
    """What a watched service takes where nothing is to be answered."""

    look_s: float
    """A look at /metrics."""
    waits_s: float
    """More than a plain one, of a second."""


def of_services(folder: Path, pairs: int) -> tuple[list[Pair], int, Waited]:
    """Services that are told the same; how many utterances that were, each time; and what one takes otherwise."""
    spoken, found, utterances = looped(SPOKEN)[: SPOKEN_S * SAMPLE_RATE_HZ], [], 0
    looks: list[float] = []
    port = free_port()
    watching = {"monitoring_listen": f"127.0.0.1:{port}", "drift_watch": "true"}
    with (
        path.service(folder / "plain", drift_watch="false", decoding_whisper="false") as plain,
        path.service(folder / "watched", decoding_whisper="false", **watching) as watched,
        asking(plain.address) as ask_plain,
        asking(watched.address) as ask_watched,
    ):
        services, ask = {False: plain, True: watched}, {False: ask_plain, True: ask_watched}
        for each in services:
            ask[each](spoken)
        for number in range(pairs):
            before = {each: tree_s(service) for each, service in services.items()}
            for each in (False, True) if number % 2 else (True, False):
                utterances = int(ask[each](spoken).split()[0])
            time.sleep(FOLLOWED_S)
            looks.append(look_s(watched.process.pid, f"127.0.0.1:{port}"))
            took = {each: tree_s(service) - before[each] for each, service in services.items()}
            found.append(Pair(took[False], took[True]))
            progress(f"services: {number + 1} of {pairs} pairs")
        before = {each: tree_s(service) for each, service in services.items()}
        time.sleep(IDLE_S)
        idle = {each: (tree_s(service) - before[each]) / IDLE_S for each, service in services.items()}
    return found, utterances, Waited(statistics.median(looks), max(0.0, idle[True] - idle[False]))


def tree_s(service: path.Service) -> float:
    """Of a service and its workers."""
    return sum(map(cpu_s, (service.process.pid, *service.workers())))


def scrape(address: str) -> None:
    """As Prometheus does it."""
    with urllib.request.urlopen(f"http://{address}/metrics", timeout=30) as answer:
        assert answer.status == 200
        answer.read()


def free_port() -> int:
    """That nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def more(pairs: Sequence[Pair]) -> tuple[float, float, float]:
    """What the watched took more, as a share: the median of pairs, and where that lies with 90 %, by resampling."""
    shares = np.array([pair.watched / pair.plain - 1 for pair in pairs])
    draw = np.random.default_rng(1)
    medians = [float(np.median(draw.choice(shares, len(shares)))) for _ in range(RESAMPLES)]
    return float(np.median(shares)), *np.percentile(medians, [5, 95])


def parts_of(parts: Sequence[monitoring_parts.Part], whole_s: float, what: str, mark: float) -> Figure:
    """Prints the table of parts; their sum beside what the rest takes."""
    for part in parts:
        share = part.cpu_s * part.times / whole_s
        print(f"| {what} | {part.name} | {part.times:g} | {1e6 * part.cpu_s:.0f} | {share:.2%} |", flush=True)
    whole = sum(part.cpu_s * part.times for part in parts) / whole_s
    return Figure(f"{what}: all parts, of the rest", f"≤ {mark:.0%}", f"{whole:.2%}", whole <= mark)


@click.command()
@click.option("--pairs", type=int, default=8, show_default=True, help="Of each kind.")
@click.option("--seconds", type=float, default=60.0, show_default=True, help="That a pair of daemons hears.")
def main(pairs: int, seconds: float) -> None:
    """Measure what monitoring costs a board and a service."""
    with tempfile.TemporaryDirectory(prefix="watched") as name:
        folder = Path(name)
        boards, board_look_s = of_boards(folder, pairs, seconds)
        # Before anything here speaks to a service: what that leaves running would count.
        board_parts = monitoring_parts.of_board(board_look_s, SCRAPE_S)
        services, utterances, waited = of_services(folder, pairs)
        board_s = statistics.median(pair.plain for pair in boards) * SCRAPE_S / seconds
        service_s = statistics.median(pair.plain for pair in services)
        print(
            f"\nA board takes {1e3 * board_s:.0f} ms of a processor in {SCRAPE_S:g} s with a sentence in it, a service "
        )
        print(f"without Whisper {1e3 * service_s / utterances:.0f} ms for an utterance; asked once in {SCRAPE_S:g} s\n")
        print("| of | part | times | microseconds each | of the rest |\n|---|---|---|---|---|")
        figures = [
            parts_of(board_parts, board_s, "board, 15 s", BOARD_MAX),
            parts_of(
                monitoring_parts.of_service(folder, waited.look_s, SCRAPE_S, waited.waits_s),
                service_s / utterances,
                "service, an utterance in 15 s",
                SERVICE_MAX,
            ),
        ]
    for of, found in (("boards", boards), ("services", services)):
        at, low, high = more(found)
        # What others here make it vary by is more than the mark: it is the parts that are judged.
        told = f"{at:+.1%} ({low:+.1%} to {high:+.1%})"
        figures.append(Figure(f"{of}: watched over plain, {len(found)} pairs", "-", told, True))
    report(figures)


if __name__ == "__main__":
    main()
