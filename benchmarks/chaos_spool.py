"""What the spool writes to the disk, and how long whoever speaks is ever held up by it.

    scripts/chaos spool

Bytes are what the kernel sends to the block device for this process (write_bytes of proc(5)), so the folder must be on
one. Time is told to the spool, not waited for, while bytes are counted; the stall is measured in real time, with a
shim (LD_PRELOAD) under which each fsync takes half a second.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from benchmarks.chaos_board import Playlist
from benchmarks.figures import Figure, none, progress, report
from benchmarks.victims import WAIT_S
from edge.asking.answer import Alternative, Answer, Result
from edge.settings import Spool as Settings
from edge.speech.hearing import hear
from edge.speech.utterance import UtteranceEnd, UtteranceFrames, UtteranceHead
from edge.spool import kept_frames
from edge.spool.event import Kind
from edge.spool.replay import IDLE_LOOK_S
from edge.spool.spool import FILE_NAME, Spool
from edge.spool.store import Piece
from protos.feature_spec import DEFAULT_SPEC

SHIM = Path(__file__).with_name("slow_disk.c")

MEGABYTES_MAX = 10.0
STALL_MS_MAX = 20.0
"""The interpreter hands the processor on every 5 ms; a machine that others use is late now and then."""

SPEECH_S, PAUSE_S = 5.0, 0.4
PIECE_S = 0.1
LOOK_S = IDLE_LOOK_S
TRIED = ((True, None, 0), (True, None, 2), (True, None, 3), (True, 1000, 0), (False, None, 0), (False, 1000, 0))
"""Whether it is answered at once, the commit interval if not the default, and how often the spool is looked into: by
what sends and what forgets, twice with one service and three times with two."""
SPEAKING_S = 0.005
"""Between two pieces, where stalls are looked for: many fall into each commit."""
ANSWER = Answer(
    "cloud",
    transcript="set a timer for ten minutes",
    confidence=0.9,
    alternatives=(Alternative("set a time for ten minutes", 0.1, "pocketsphinx"),),
    results=(Result("timer-10", "Timer, 10 minutes", "Starts a timer.", 3.5, None, "timer.start"),),
    engine="whisper",
    model="tiny.en",
)


class Said:
    """An utterance that is said again and again, coded as it is kept."""

    def __init__(self) -> None:
        heard = list(hear(Playlist(0, 1, 0)))
        head, end = heard[0], heard[-1]
        assert isinstance(head, UtteranceHead)
        assert isinstance(end, UtteranceEnd)
        self.head, self.end = head, end
        encoder = kept_frames.encoder(DEFAULT_SPEC)
        coded = [encoder.encode(heard_.levels) for heard_ in heard if isinstance(heard_, UtteranceFrames)]
        self.pieces = (coded * (round(SPEECH_S / PIECE_S) // len(coded) + 1))[: round(SPEECH_S / PIECE_S)]
        """Of 100 ms each."""


@contextmanager
def spool_in(folder: Path, commit_ms: int, now_s: list[float] | None = None) -> Iterator[Spool]:
    settings = Settings(commit_ms=commit_ms)
    clock = time.monotonic if now_s is None else lambda: now_s[0]
    coding = kept_frames.coding(DEFAULT_SPEC)
    file = folder / FILE_NAME
    with Spool(file, settings, boot_id="boot", coding=coding, hop_ms=DEFAULT_SPEC.frame_ms, clock=clock) as spool:
        yield spool


def written_megabytes(folder: Path, utterances: int, commit_ms: int, *, answered: bool, looks: int = 0) -> float:
    """By so many utterances, each answered right after its end, or kept until all have been said. What looks into the
    spool, so often in LOOK_S, has what has gathered written before its time."""
    said, now_s = Said(), [0.0]
    with spool_in(folder, commit_ms, now_s) as spool:
        spool.ask(lambda store: None).result(WAIT_S)
        before, committed_s, looked, entries = _write_bytes(), now_s[0], 0, []

        def passes(seconds: float) -> None:
            nonlocal committed_s, looked
            now_s[0] += seconds
            looked, looked_before = int(now_s[0] * looks / LOOK_S), looked
            if now_s[0] - committed_s >= commit_ms / 1000 or looked > looked_before:
                spool.ask(lambda store: None).result(WAIT_S)
                committed_s = now_s[0]

        for _ in range(utterances):
            entry = spool.begin(said.head)
            for number, data in enumerate(said.pieces):
                spool.append(entry, Piece(10 * number, 10, data))
                passes(PIECE_S)
            spool.finish(entry, said.end)
            passes(PAUSE_S)
            entries.append(entry)
            if answered:
                spool.tell(entry, Kind.FINAL, answer=ANSWER)
                spool.acknowledge(entries.pop())
                spool.ask(lambda store: None).result(WAIT_S)
                committed_s = now_s[0]
        for entry in entries:
            spool.tell(entry, Kind.LATE, answer=ANSWER)
            spool.acknowledge(entry)
            passes(SPEECH_S)
        spool.ask(lambda store: None).result(WAIT_S)
    return (_write_bytes() - before) / 1e6


def stalls(folder: Path, seconds: float) -> tuple[float, float, int]:
    """The longest call of who speaks, the longest commit, milliseconds; and how many commits there were, while a
    commit is always under way."""
    said, calls_s, commits_s = Said(), [0.0], [0.0]

    @contextmanager
    def timed(into: list[float]) -> Iterator[None]:
        began_s = time.perf_counter()
        yield
        into.append(time.perf_counter() - began_s)

    with spool_in(folder, 0) as spool:
        until_s = time.monotonic() + seconds
        while time.monotonic() < until_s:
            with timed(commits_s):
                committed = spool.ask(lambda store: None)
                with timed(calls_s):
                    entry = spool.begin(said.head)
                for number, data in enumerate(said.pieces):
                    with timed(calls_s):
                        spool.append(entry, Piece(10 * number, 10, data))
                    time.sleep(SPEAKING_S)
                with timed(calls_s):
                    spool.finish(entry, said.end)
                    spool.tell(entry, Kind.FINAL, answer=ANSWER)
                    spool.acknowledge(entry)
                    spool.release(entry)
                committed.result(WAIT_S)
    return 1000 * max(calls_s), 1000 * max(commits_s), len(commits_s) - 1


def stalls_on_a_slow_disk(folder: Path, seconds: float, fsync_ms: int) -> tuple[float, float, int]:
    """The same in a program of its own."""
    shim = folder / "slow_disk.so"
    subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-o", shim, SHIM, "-ldl"], check=True, timeout=WAIT_S)
    environment = os.environ | {"LD_PRELOAD": str(shim), "SLOW_DISK_MS": str(fsync_ms)}
    command = [sys.executable, "-m", "benchmarks.chaos_spool", "--stalls-in", str(folder), "--seconds", str(seconds)]
    ran = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, timeout=seconds + 2 * WAIT_S)
    longest_ms, commit_ms, commits = json.loads(ran.stdout)
    return longest_ms, commit_ms, commits


def _write_bytes() -> int:
    lines = Path("/proc/self/io").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("write_bytes"))


@click.command()
@click.option("--utterances", type=int, default=200, show_default=True, help="Of 5 s each.")
@click.option("--seconds", type=float, default=20.0, show_default=True, help="How long stalls are looked for.")
@click.option(
    "--folder", type=click.Path(path_type=Path), default="/var/tmp", show_default=True, help="On a real disk."
)
@click.option("--stalls-in", type=click.Path(path_type=Path), hidden=True)
def main(utterances: int, seconds: float, folder: Path, stalls_in: Path | None) -> None:
    """Count what is written, and hold up the disk."""
    if stalls_in is not None:
        print(json.dumps(stalls(stalls_in, seconds)))
        return
    default_ms, rows = Settings().commit_ms, []
    for answered, commit_ms, looks in TRIED:
        commit_ms = commit_ms or default_ms
        progress(f"{utterances} utterances, a commit every {commit_ms} ms")
        with tempfile.TemporaryDirectory(prefix="chaos", dir=folder) as made:
            megabytes = written_megabytes(Path(made), utterances, commit_ms, answered=answered, looks=looks)
        what = "answered at once" if answered else "sent after an outage"
        what += f", {looks} looks in {LOOK_S:g} s" if looks else ""
        mark = f"{MEGABYTES_MAX:g}" if answered and commit_ms == default_ms and not looks else "-"
        name = f"MB written, {utterances} utterances {what}, a power cut may cost {commit_ms / 1000:g} s of speech"
        rows.append(Figure(name, mark, f"{megabytes:.1f}", mark == "-" or megabytes <= MEGABYTES_MAX))
    progress("a disk that takes 500 ms for an fsync")
    with tempfile.TemporaryDirectory(prefix="chaos", dir=folder) as made:
        longest_ms, commit_ms_max, commits = stalls_on_a_slow_disk(Path(made), seconds, 500)
    name = f"longest that who speaks was held up, ms, in {commits} commits of up to {commit_ms_max:.0f} ms"
    rows.append(Figure(name, f"{STALL_MS_MAX:g}", f"{longest_ms:.2f}", longest_ms <= STALL_MS_MAX))
    rows.append(none("commits that were quicker than the shim's fsync", int(commit_ms_max < 500)))
    report(rows)


if __name__ == "__main__":
    main()
