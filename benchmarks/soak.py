"""Both sides for an hour at ten times what a household asks of them, the link cut again and again: does anything grow?

    scripts/soak
    scripts/soak --minutes 2

One real daemon hears sentences half of the time (a household: a twentieth), behind a link that is away for 20 s in
every two minutes; other boards speak all the time. Memory, open files and threads of the daemon, the service and its
workers are looked at every few seconds; after a warm-up of a fifth, a line through the memory tells its slope.
"""

import asyncio
import subprocess
import sys
import tempfile
import time
import wave
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

import click
import numpy as np

from benchmarks import path
from benchmarks.boards import Clip, Crowd, clip_of
from benchmarks.cut_link import away_now_and_then, looped
from benchmarks.idle import memory_mib
from benchmarks.instructions import pink_noise
from edge.sound.audio_file import AudioFile
from edge.sound.source import SAMPLE_RATE_HZ, Samples
from edge.spool.spool import FILE_NAME
from edge.spool.store import Quota, SpoolStore

SPEECH = Path(__file__).parent.parent / "tests" / "speech"

SPEECH_SHARE = 0.5
LOOK_S = 2.0
WARM_UP_SHARE = 0.2

SLOPE_MIB_MAX = 1.0
"""An hour, the mark."""


class Look(NamedTuple):
    """At a process, once."""

    at_s: float
    memory_mib: float
    files: int
    threads: int


class Grown(NamedTuple):
    """What became of a process over the time."""

    memory_mib: float
    """At the end."""
    slope_mib: float
    """An hour."""
    files: int
    """More at the end than at the beginning, both the least of a quarter of the time: streams come and go."""
    threads: int

    @property
    def reached(self) -> bool:
        return self.slope_mib < SLOPE_MIB_MAX and max(self.files, self.threads) <= 0


@click.command()
@click.option("--minutes", default=60.0, show_default=True, help="How long.")
@click.option("--boards", default=3, show_default=True, help="Other boards that speak all the time.")
def main(minutes: float, boards: int) -> None:
    """Run both sides for a long time and tell what grew."""
    grown, told = soak(minutes, boards)
    print("\n| process | resident, MiB | slope, MiB an hour | files more | threads more |")
    print("|---|---|---|---|---|")
    for name, one in grown.items():
        print(f"| {name} | {one.memory_mib:.1f} | {one.slope_mib:+.2f} | {one.files:+d} | {one.threads:+d} |")
    print(f"\n{told}")
    reached = all(one.reached for one in grown.values())
    print(f"Mark: slope < {SLOPE_MIB_MAX:g} MiB an hour, nothing more: {'reached' if reached else 'NOT reached'}")
    sys.exit(not reached)


def soak(minutes: float, boards: int) -> tuple[dict[str, Grown], str]:
    """What grew, by process, and a sentence on what was said and answered."""
    with tempfile.TemporaryDirectory() as folder, path.service(Path(folder) / "cloud") as service:
        wav = Path(folder) / "household.wav"
        write_household(wav, minutes)
        with (
            away_now_and_then(service.address, min(120.0, 20 * minutes)) as address,
            speaking(service.address, boards, minutes) as crowd,
        ):
            state = Path(folder) / "edge"
            options = ["--cloud", address, "--log-level", "error", "--runtime-dir", folder, "--state-dir", str(state)]
            command = [sys.executable, "-m", "edge", "run", "--input", str(wav), *options]
            with subprocess.Popen(command, stdout=subprocess.DEVNULL) as daemon:
                try:
                    looks = watch({"daemon": daemon.pid, "service": service.process.pid} | _workers(service), minutes)
                finally:
                    daemon.terminate()
                    daemon.wait(20)
        told = f"{_told(state / FILE_NAME)} The other boards had {len(crowd.outcomes)} answers and refusals."
        return {name: grew(of) for name, of in looks.items()}, told


def watch(pids: dict[str, int], minutes: float) -> dict[str, list[Look]]:
    """Looks at each every few seconds."""
    looks: dict[str, list[Look]] = {name: [] for name in pids}
    began_s = time.monotonic()
    while (at_s := time.monotonic() - began_s) < 60 * minutes:
        for name, pid in pids.items():
            looks[name].append(look(pid, at_s))
        if sys.stderr.isatty():
            memory = ", ".join(f"{name} {of[-1].memory_mib:.1f}" for name, of in looks.items())
            print(f"\r{at_s / 60:5.1f} min  MiB: {memory}", end="", file=sys.stderr, flush=True)
        time.sleep(min(LOOK_S, minutes))
    return looks


def look(pid: int, at_s: float) -> Look:
    process = Path(f"/proc/{pid}")
    files, threads = (len(list((process / part).iterdir())) for part in ("fd", "task"))
    return Look(at_s, memory_mib(pid), files, threads)


def grew(looks: Sequence[Look]) -> Grown:
    """From after the warm-up to the end."""
    warm = looks[int(WARM_UP_SHARE * len(looks)) :]
    hours = np.array([one.at_s for one in warm]) / 3600
    slope = float(np.polyfit(hours, [one.memory_mib for one in warm], 1)[0])
    quarter = max(1, len(warm) // 4)
    first, last = warm[:quarter], warm[-quarter:]
    files = min(one.files for one in last) - min(one.files for one in first)
    threads = min(one.threads for one in last) - min(one.threads for one in first)
    return Grown(warm[-1].memory_mib, slope, files, threads)


def write_household(wav: Path, minutes: float) -> None:
    """Spoken sentences and as much of a quiet room, in turn."""
    room = pink_noise()
    sentences = [_samples(file) for file in sorted(SPEECH.glob("*.flac"))]
    length, number = int(60 * minutes * SAMPLE_RATE_HZ), 0
    with wave.open(str(wav), "wb") as out:
        out.setparams((1, 2, SAMPLE_RATE_HZ, 0, "NONE", ""))
        while length > 0:
            said = sentences[number % len(sentences)]
            pause = np.resize(room, round(len(said) * (1 / SPEECH_SHARE - 1)))
            for part in (said + np.resize(room, len(said)), pause):
                out.writeframes(part.astype("<i2").tobytes())
                length -= len(part)
            number += 1


@contextmanager
def speaking(address: str, boards: int, minutes: float) -> Iterator[Crowd]:
    """Other boards, all the time."""
    draw = np.random.default_rng(1)
    clips: list[Clip] = [clip for file in sorted(SPEECH.glob("*.flac")) if (clip := clip_of(file, draw)) is not None]
    crowd = Crowd(address, "home", clips)

    async def run() -> None:
        await crowd.speak(boards, 0.0, 60 * minutes, lambda: None)

    with looped(asyncio.new_event_loop(), run()):
        yield crowd


def _samples(file: Path) -> Samples:
    return np.concatenate([block.samples for block in AudioFile(str(file)).blocks()])


def _workers(service: path.Service) -> dict[str, int]:
    return {f"worker {number}": pid for number, pid in enumerate(service.workers(), 1)}


def _told(file: Path) -> str:
    """What the daemon's users were told."""
    with closing(SpoolStore(file, Quota(1 << 30, 100_000))) as store:
        kinds = [event.kind for _, event in store.events()]
        counts = ", ".join(f"{kinds.count(kind)} {kind}" for kind in dict.fromkeys(kinds))
        return f"The daemon told: {counts}; {store.figures().waiting} utterances wait in its spool."


if __name__ == "__main__":
    main()
