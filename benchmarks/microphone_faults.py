"""What befalls a microphone, and how soon the board hears again once the cause has ended.

    scripts/bench microphone_faults

A real daemon on a sound server of its own, whose silence is digital zero. What a sound server hides, overruns, a wrong
rate and a card that another program holds, is in tests/test_capture.py and tests/test_sound_holders.py. Frozen as a
whole, the daemon is killed by the watchdog: scripts/booted.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import click
import numpy as np
import soundfile

from benchmarks.running_board import WATCHDOG_S, running_board
from benchmarks.virtual_microphone import VirtualMicrophone, plugged_in, why_not
from edge.sound.source import SAMPLE_RATE_HZ
from edge.sound.zeros import ZEROS_S_MIN

HEARS_AGAIN_S_MAX = 5.0
NO_SERVICE = ""


class Bench(NamedTuple):
    """What a fault is tried on."""

    microphone: VirtualMicrophone
    folder: Path
    lasts_s: float
    """How long a fault lasts."""
    noise: Path


class Outcome(NamedTuple):
    """What came of a fault."""

    told: str
    again_s: float
    """From the end of the cause until it hears."""


def unplugged(bench: Bench) -> Outcome:
    """The sound server is killed, and started again."""
    with running_board(bench.microphone, bench.folder, NO_SERVICE) as board:
        board.hears()
        bench.microphone.unplug()
        board.wait_for(lambda status: status["microphone"]["state"] == "absent")
        time.sleep(bench.lasts_s)
        healthy = board.ask("status")["healthy"]
        bench.microphone.start()
        return Outcome(f"absent, {'healthy' if healthy else 'NOT HEALTHY'}", board.hears())


def zeros(bench: Bench) -> Outcome:
    """A switch on the microphone that sends zeros."""
    with running_board(bench.microphone, bench.folder, NO_SERVICE) as board:
        board.hears()
        told_s = board.wait_for(lambda status: bool(status["microphone"]["all_zeros"]))
        time.sleep(max(0.0, bench.lasts_s - ZEROS_S_MIN))
        fed = bool(board.fed_at_s)
        status = board.ask("status")
        assert (status["healthy"], status["microphone"]["state"], fed) == (True, "open", True), status
        lines = sum("nothing but zeros" in line for line in board.log)
        began_s = time.monotonic()
        bench.microphone.play(bench.noise)
        board.wait_for(lambda status: not status["microphone"]["all_zeros"])
        again_s = time.monotonic() - began_s
        return Outcome(f"told after {told_s:.1f} s, in {lines} line of the log; healthy and fed", again_s)


def wedged(bench: Bench) -> Outcome:
    """The sound server hangs, and whoever asks it anything with it."""
    with running_board(bench.microphone, bench.folder, NO_SERVICE) as board:
        board.hears()
        bench.microphone.hang()
        began_s = time.monotonic()
        status = board.process.wait(2 * WATCHDOG_S)
        over_s = time.monotonic() - began_s
        told = next((line.strip() for line in board.log if "must be started again" in line), "nothing told")
    bench.microphone.unplug()
    bench.microphone.start()
    with running_board(bench.microphone, bench.folder, NO_SERVICE) as board:
        again_s = board.hears()
        return Outcome(f'ended after {over_s:.0f} s with status {status}, and started again: "{told}"', again_s)


def muted(bench: Bench) -> Outcome:
    """Not a fault: the watchdog is fed as ever."""
    with running_board(bench.microphone, bench.folder, NO_SERVICE) as board:
        board.hears()
        board.ask("mute")
        board.wait_for(lambda status: status["microphone"]["state"] == "muted")
        began_s = time.monotonic()
        time.sleep(bench.lasts_s)
        gaps = np.diff([began_s, *(at for at in board.fed_at_s if at > began_s), time.monotonic()])
        board.ask("unmute")
        again_s = board.hears()
        return Outcome(f"longest pause between two feeds {gaps.max():.0f} s of {WATCHDOG_S:.0f}", again_s)


FAULTS: dict[str, Callable[[Bench], Outcome]] = {
    "unplugged": unplugged,
    "all zeros": zeros,
    "wedged sound server": wedged,
    "muted": muted,
}


@click.command()
@click.option("--fault", "names", multiple=True, type=click.Choice(list(FAULTS)), help="All if none.")
@click.option("--lasts", type=float, default=60.0, show_default=True, help="Seconds that a fault lasts.")
def main(names: tuple[str, ...], lasts: float) -> None:
    """Take the microphone away in several ways, and measure how soon the board hears again."""
    if reason := why_not():
        raise click.UsageError(reason)
    late = 0
    print("\n| fault | what the board says and does | hears again after, s |\n|---|---|---|", flush=True)
    for name in names or FAULTS:
        if sys.stderr.isatty():
            print(f"\r\033[K{name}", end="\r", file=sys.stderr, flush=True)
        with tempfile.TemporaryDirectory(prefix="board") as folder, plugged_in() as microphone:
            noise = Path(folder) / "noise.wav"
            hiss = np.random.default_rng(1).standard_normal(SAMPLE_RATE_HZ // 2) * 300
            soundfile.write(noise, hiss.astype(np.int16), SAMPLE_RATE_HZ)
            outcome = FAULTS[name](Bench(microphone, Path(folder), lasts, noise))
        late += outcome.again_s > HEARS_AGAIN_S_MAX
        print(f"| {name} | {outcome.told} | {outcome.again_s:.1f} |", flush=True)
    sys.exit(1 if late else 0)


if __name__ == "__main__":
    main()
