"""The utterance log and the operator's page at 500 boards and 200,000 utterances: writes a second, bytes an utterance,
how long a query, a page, forgetting and retention take, and what writes wait for meanwhile.

scripts/bench operating [--boards N] [--utterances N] [--work DIR]
"""

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import quote

import click
import numpy as np

from benchmarks import path
from benchmarks.figures import Figure, progress, report
from benchmarks.made_log import DAY_US, DAYS, FEATURES_SHARE, SAID, bytes_of, drawn_levels, made_boards, make_log
from benchmarks.made_operator import made_operator, made_settings, now_us, signed_in
from benchmarks.made_said import make_said
from benchmarks.victims import free_port
from cloud.alerts import alerts
from cloud.alerts.alerts import FILE_NAME as ALERTS
from cloud.log.answer_log import FILE_NAME, Key, Occasion, Span, SqliteAnswerLog
from cloud.log.answer_store import AnswerStore
from cloud.log.reader import LogReader, read_only
from cloud.log.wanted import Wanted
from cloud.operating.operators import FILE_NAME as OPERATORS
from cloud.operating.operators import Operators
from cloud.utterance import Utterance
from common.record import Record
from protos import speech_pb2
from protos.feature_spec import DEFAULT_SPEC

WRITES, AT_ONCE = 3000, 32
SPOKEN_MS = 2000
WRITES_MARK, PAGE_S_MARK = 300, 1.0
WAIT_S_MARK = 0.5
"""Longest that an answer may wait for the log while it forgets; nobody says what is too long but who waits for it."""
TRIES = 20
ASKED = 20
ASKS = f"""
import sys, urllib.request
for _ in range({ASKED}):
    asked = urllib.request.Request(sys.argv[1], headers={{"cookie": f"parrotlet-operator={{sys.argv[2]}}"}})
    urllib.request.urlopen(asked).read()
"""


@click.command()
@click.option("--boards", default=500, show_default=True)
@click.option("--utterances", default=200_000, show_default=True)
@click.option("--work", type=click.Path(path_type=Path), help="Folder where the log is made, and kept.")
def main(boards: int, utterances: int, work: Path | None) -> None:
    """Measure all of it."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = work or Path(scratch)
        file = folder / FILE_NAME
        if not file.exists():
            made = made_boards(boards)
            make_log(folder, made, utterances, now_us(), progress=lambda done: progress(f"{done} utterances"))
            make_said(folder, now_us())
            _stand(folder)
        AnswerStore(file).close()
        figures = [
            *(_size(file), *_queries(file), *_pages(folder), _lateness(folder)),
            *asyncio.run(_writes(file, utterances)),
        ]
    report(figures)


def _stand(folder: Path) -> None:
    """Alerts, as many as have plots."""
    places = (
        ("noise", "kitchen-1"),
        ("gain", "hall-2"),
        ("intents", "lab-3"),
        ("words", ""),
        ("version", "All boards"),
    )
    with Record(folder / ALERTS, alerts.AlertBook).change() as book:
        for cause, where in (*places, ("unknown", "attic-4"), ("concept-meaning-entry-flat-white", "")):
            alerts.report(book, cause, where, "It changed.", now_us(), since_unix_us=now_us() - 2 * DAY_US)


def _size(file: Path) -> Figure:
    size = bytes_of(file)
    with closing(read_only(file)) as database:
        ((rows, kept, mean),) = database.execute(
            "SELECT (SELECT COUNT(*) FROM answers), COUNT(*), AVG(LENGTH(kept)) FROM features"
        )
    return Figure(
        f"bytes an utterance, of {rows}",
        "stated",
        f"{(size - kept * mean) / rows:.0f}; frames of one, where they are kept ({FEATURES_SHARE:.0%}): {mean:.0f}",
        True,
    )


def _queries(file: Path) -> list[Figure]:
    with closing(LogReader(file)) as reader:
        newest = reader.newest(Wanted(), 1)[0].facts
        asked: dict[str, Callable[[], object]] = {
            "`log query`, the newest 20": lambda: reader.newest(Wanted(), 20),
            "`log query --device`": lambda: reader.newest(Wanted(device_id=newest.device_id), 20),
            "`log query --text`, which is nowhere": lambda: reader.newest(Wanted(text="zebra"), 20),
            "`log query --judged`": lambda: reader.newest(Wanted(judged=True), 20),
            "`log show`, by its id alone": lambda: reader.one(newest.utterance_id),
        }
        return [Figure(name, "< 1000 ms", _told(_timed(do)), max(_timed(do)) < 1) for name, do in asked.items()]


def _pages(folder: Path) -> list[Figure]:
    """Over HTTP, of a real service."""
    with closing(LogReader(folder / FILE_NAME)) as reader:
        facts = next(entry.facts for entry in reader.newest(Wanted(empty=False), 1))
    board, one = quote(facts.device_id), quote(facts.utterance_id)
    pages = {
        "fleet": "/",
        "fleet, all boards": "/?all",
        "board": f"/board?id={board}",
        "utterance": f"/utterance?board={board}&id={one}",
        "search, what fits": "/search?text=oat+milk",
        "search, nowhere": "/search?text=zebra",
        "search, judged": "/search?judged=yes",
        "models": "/models",
        "capacity": "/capacity",
        "drift, seven alerts": "/drift",
        "errors": "/errors",
        "labels": "/labels",
    }
    listen = f"127.0.0.1:{free_port()}"
    settings = {"decoding_whisper": "false", "decoding_workers": "1", "domains_serve": "home"}
    settings |= {"operating_listen": listen, "storage_answers_max": "1000000"}
    with path.service(folder, **settings) as service:
        operators = Operators(folder / OPERATORS)
        token = operators.sign_in(operators.invite("bench"), peer="here").token

        def get(page: str) -> int:
            with closing(HTTPConnection(listen, timeout=60)) as connection:
                connection.request("GET", page, headers={"cookie": f"parrotlet-operator={token}"})
                response = connection.getresponse()
                length = len(response.read())
            if response.status != 200:
                raise click.ClickException(f"{page} says {response.status}.")
            return length

        figures = []
        for name, page in pages.items():
            # Below the rate that one browser may ask at.
            began_s = _busy_s(service.process.pid)
            times = _timed(lambda page=page: get(page), TRIES, pause_s=0.06)  # type: ignore[misc]  # Of this turn.
            cpu_ms = 1000 * (_busy_s(service.process.pid) - began_s) / TRIES
            kilobytes = get(page) / 1000
            reached = f"{_told(times)}, {cpu_ms:.0f} ms of a processor; {kilobytes:.0f} kB"
            figures.append(Figure(f"page: {name}", "< 1000 ms", reached, max(times) < PAGE_S_MARK))
        return figures


def _busy_s(pid: int) -> float:
    """How long a process has kept processors busy, seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _lateness(folder: Path) -> Figure:
    """Of an event loop in the page's process, as the service's is: what who speaks waits for who looks."""
    with made_operator(made_settings(folder)) as (address, operators):
        quiet = asyncio.run(_late([sys.executable, "-c", "import time; time.sleep(3)"]))
        busy = asyncio.run(_late([sys.executable, "-c", ASKS, f"{address}/", signed_in(operators)[1]]))
    reached = f"{np.percentile(busy, 95):.1f} ms, {max(busy):.0f} at most; without: {np.percentile(quiet, 95):.1f}"
    return Figure(f"event loop late (p95), the fleet read {ASKED} times without a pause", "stated", reached, True)


async def _late(command: list[str]) -> list[float]:
    """How late a sleep of 5 ms ends while that runs, ms."""
    process = await asyncio.create_subprocess_exec(*command)
    ended, late = asyncio.create_task(process.wait()), []
    while not ended.done():
        began_s = time.monotonic()
        await asyncio.sleep(0.005)
        late.append(1000 * (time.monotonic() - began_s) - 5)
    return late


async def _writes(file: Path, utterances: int) -> list[Figure]:
    with SqliteAnswerLog(file, answers_max=utterances + 1_000_000, days_max=36_500) as log:
        free, free_s, cpu_s = await _write(log, "w", WRITES)
        quiet = Figure(
            "writes a second, facts made, each on the disk before it is told",
            f">= {WRITES_MARK}",
            f"{WRITES / free_s:.0f}; one waits {_told(free)}, and takes {1000 * cpu_s / WRITES:.1f} ms of a processor",
            WRITES / free_s >= WRITES_MARK,
        )
        board = made_boards(500)[7].device_id
        writing = asyncio.create_task(_write(log, "f", WRITES // 3))
        await asyncio.sleep(0.2)
        began_s = time.monotonic()
        count = await log.forget(board, None, Span())
        took_s = time.monotonic() - began_s
        forgetting, *_ = await writing
    before = _count(file)
    with SqliteAnswerLog(file, answers_max=utterances + 1_000_000, days_max=DAYS - 1) as log:
        async with log.kept_up():
            retaining, *_ = await _write(log, "p", WRITES // 3)
    pruned = before + WRITES // 3 - _count(file)
    return [
        quiet,
        _waited(f"a board is forgotten, {count} utterances in {took_s:.2f} s", forgetting),
        _waited(f"a day is too old, {pruned} utterances", retaining),
    ]


def _count(file: Path) -> int:
    with closing(read_only(file)) as database:
        return int(database.execute("SELECT COUNT(*) FROM answers").fetchone()[0])


def _waited(name: str, waits: list[float]) -> Figure:
    mark = f"longest < {1000 * WAIT_S_MARK:.0f} ms"
    return Figure(f"a write while {name}", mark, _told(waits), max(waits) < WAIT_S_MARK)


async def _write(log: SqliteAnswerLog, name: str, count: int) -> tuple[list[float], float, float]:
    """How long each waited, seconds; all of them; and how long a processor was busy with it."""
    places = asyncio.Semaphore(AT_ONCE)
    spoken = [_spoken(f"{name}{number:06d}", f"board-{number % 50}") for number in range(count)]

    async def one(number: int) -> float:
        async with places:
            utterance, final = spoken[number]
            began_s = time.monotonic()
            at_us = now_us()
            key = Key(utterance.config.device_id, utterance.config.utterance_id)
            await log.put(key, final, Occasion(at_us, at_us, SPOKEN_MS, 20.0), utterance)
            return time.monotonic() - began_s

    began_s, cpu_s = time.monotonic(), time.process_time()
    waits = await asyncio.gather(*map(one, range(count)))
    return waits, time.monotonic() - began_s, time.process_time() - cpu_s


def _spoken(utterance_id: str, device_id: str) -> tuple[Utterance, speech_pb2.Final]:
    text, intent, slots, title = SAID[0]
    config = speech_pb2.UtteranceConfig(utterance_id=utterance_id, device_id=device_id, edge_version="0.1.0", attempt=1)
    one = Utterance(config, DEFAULT_SPEC)
    one.hear(drawn_levels(SPOKEN_MS))
    end = speech_pb2.UtteranceEnd(reason="END_REASON_ENDPOINT", speech_start_ms=300, speech_end_ms=1500, snr_db=20.0)
    one.close(end)
    final = speech_pb2.Final(transcript=text, confidence=0.8, intent=speech_pb2.Intent(name=intent or "", slots=slots))
    final.results.add(id="1", title=title, score=2.0)
    one.answer(final)
    return one, final


def _timed(do: Callable[[], object], tries: int = 5, pause_s: float = 0.0) -> list[float]:
    times = []
    for _ in range(tries):
        began_s = time.monotonic()
        do()
        times.append(time.monotonic() - began_s)
        time.sleep(pause_s)
    return times


def _told(times: list[float]) -> str:
    median, worst = 1000 * np.median(times), 1000 * max(times)
    return f"{median:.0f} ms, {worst:.0f} at most"


if __name__ == "__main__":
    main()
