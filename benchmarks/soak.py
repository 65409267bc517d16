"""Both sides for an hour at ten times what a household asks of them, the link cut again and again: does anything grow?

    scripts/soak
    scripts/soak --minutes 2

One real daemon hears sentences half of the time (a household: a twentieth), behind a link that is away for 20 s in
every two minutes; other boards speak all the time. Memory, open files and threads of the daemon, the service and its
workers are looked at every few seconds; after a warm-up of a fifth, lines through the memory tell its slope, over all
and over each half, so that what flattens can be told from what does not. At the end nobody speaks, the link stays, and
what waits in the spool must be gone within a bound.
"""

import asyncio
import os
import subprocess
import sys
import tempfile
import time
import wave
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

import click
import numpy as np

from benchmarks import path
from benchmarks.boards import Clip, Crowd, clip_of
from benchmarks.cut_link import OUTAGE_SHARE, away_now_and_then, looped
from benchmarks.growth import LOOK_S, SLOPE_MIB_MAX, Grown, grew, watch
from benchmarks.instructions import pink_noise
from edge.sound.audio_file import AudioFile
from edge.sound.source import SAMPLE_RATE_HZ, Samples
from edge.spool.spool import FILE_NAME
from edge.spool.store import Quota, SpoolStore, State

SPEECH = Path(__file__).parent.parent / "tests" / "speech"

SPEECH_SHARE = 0.5

DRAIN_S_MAX = 60.0
"""How long what waits at the end may take to be sent."""


class Told(NamedTuple):
    """What came of what was said to the daemon."""

    kinds: Counter[str]
    """Of events, see edge/spool/event.py."""
    waited: int
    """Utterances in the spool when the last was said."""
    waiting: int
    """When the link had been there for as long as that takes."""


@click.command()
@click.option("--minutes", default=60.0, show_default=True, help="How long.")
@click.option("--boards", default=3, show_default=True, help="Other boards that speak all the time.")
def main(minutes: float, boards: int) -> None:
    """Run both sides for a long time and tell what grew."""
    grown, told = soak(minutes, boards)
    print("\n| process | resident, MiB | slope, MiB an hour | first half | second half | files more | threads more |")
    print("|---|---|---|---|---|---|---|")
    for name, one in grown.items():
        slopes = " | ".join(f"{slope:+.2f}" for slope in (one.slope_mib, *one.halves_mib))
        print(f"| {name} | {one.memory_mib:.1f} | {slopes} | {one.files:+d} | {one.threads:+d} |")
    counts = ", ".join(f"{count} {kind}" for kind, count in told.kinds.items())
    print(f"\nThe daemon told: {counts}; in its spool: {told.waited} when the last was said, then {told.waiting}.")
    reached = all(one.reached for one in grown.values()) and told.waiting == 0
    marks = f"slope < {SLOPE_MIB_MAX:g} MiB an hour, nothing more, none waits"
    print(f"Marks: {marks}: {'reached' if reached else 'NOT reached'}")
    sys.exit(not reached)


def soak(minutes: float, boards: int) -> tuple[dict[str, Grown], Told]:
    """What grew, by process, and what was said and answered."""
    period_s = min(120.0, 20 * minutes)
    with tempfile.TemporaryDirectory() as folder, path.service(Path(folder) / "cloud") as service:
        wav = Path(folder) / "household.wav"
        write_household(wav, minutes)
        with (
            away_now_and_then(service.address, period_s, int(60 * minutes / period_s)) as address,
            speaking(service.address, boards, minutes),
        ):
            state = Path(folder) / "edge"
            options = ["--cloud", address, "--log-level", "error", "--runtime-dir", folder, "--state-dir", str(state)]
            command = [sys.executable, "-m", "edge", "run", "--input", str(wav), *options]
            # Of a minute's short outages, too, some are longer than the board's patience.
            patience_s = min(8.0, period_s * OUTAGE_SHARE / 2.5)
            environment = os.environ | {"PARROTLET_EDGE_CLOUD_REACH_S_MAX": f"{patience_s:.1f}"}
            with subprocess.Popen(command, stdout=subprocess.DEVNULL, env=environment) as daemon:
                try:
                    looks = watch({"daemon": daemon.pid, "service": service.process.pid} | _workers(service), minutes)
                    told = drained(state / FILE_NAME)
                finally:
                    daemon.terminate()
                    daemon.wait(20)
        return {name: grew(of) for name, of in looks.items()}, told


def drained(file: Path) -> Told:
    """Waits, within a bound, until nothing waits in the spool any more."""
    with closing(SpoolStore(file, Quota(1 << 30, 100_000))) as store:
        waited = waiting = _unsent(store)
        until_s = time.monotonic() + DRAIN_S_MAX
        while waiting and time.monotonic() < until_s:
            time.sleep(LOOK_S)
            waiting = _unsent(store)
        return Told(Counter(event.kind for _, event in store.events()), waited, waiting)


def write_household(wav: Path, minutes: float) -> None:
    """Spoken sentences and as much of a quiet room, in turn; then the room alone, until the spool has drained."""
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
        out.writeframes(np.resize(room, int(DRAIN_S_MAX * SAMPLE_RATE_HZ)).astype("<i2").tobytes())


@contextmanager
def speaking(address: str, boards: int, minutes: float) -> Iterator[None]:
    """Other boards, all the time."""
    draw = np.random.default_rng(1)
    clips: list[Clip] = [clip for file in sorted(SPEECH.glob("*.flac")) if (clip := clip_of(file, draw)) is not None]
    crowd = Crowd(address, "home", clips)

    async def run() -> None:
        await crowd.speak(boards, 0.0, 60 * minutes, lambda: None)

    with looped(asyncio.new_event_loop(), run()):
        yield


def _samples(file: Path) -> Samples:
    return np.concatenate([block.samples for block in AudioFile(str(file)).blocks()])


def _unsent(store: SpoolStore) -> int:
    return len(store.kept(State.SPEAKING, State.WAITING))


def _workers(service: path.Service) -> dict[str, int]:
    return {f"worker {number}": pid for number, pid in enumerate(service.workers(), 1)}


if __name__ == "__main__":
    main()
