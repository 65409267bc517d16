"""What a board costs that hears nobody: processor, memory and lost sound, through a virtual microphone.

    scripts/bench idle

The room is pink noise at -60 dBFS. Beside the daemon, in the same run, one that has a service and asks it for models,
one that waits for a wake word, and PulseAudio's own recorder, which only takes the sound. The marks are for the first
two.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import click
import numpy as np

from benchmarks import path
from benchmarks.instructions import LENGTH_S, QUIET_DBFS, pink_noise
from benchmarks.virtual_microphone import VirtualMicrophone, plugged_in, why_not
from edge.sound.source import SAMPLE_RATE_HZ

WARM_S = 5.0
"""Start-up is not idling."""

CPU_PERCENT_MAX, MEMORY_MIB_MAX = 2.0, 80.0
"""The marks."""

TICKS_PER_S = os.sysconf("SC_CLK_TCK")


class Cost(NamedTuple):
    """Of a process, over the time that was measured."""

    cpu_percent: float
    """Of one core."""
    memory_mib: float
    """Resident, at the end."""


@click.command()
@click.option("--seconds", type=int, default=60, show_default=True, help="How long to measure.")
def main(seconds: int) -> None:
    """Measure the daemon while it listens to a quiet room."""
    if reason := why_not():
        raise click.ClickException(f"There is no virtual microphone here: {reason}.")
    with plugged_in() as microphone, tempfile.TemporaryDirectory() as folder:
        room = Path(folder) / "room.wav"
        write_room(room, seconds + 3 * WARM_S)
        print(f"\nListening to pink noise of {QUIET_DBFS:.0f} dBFS for {seconds} s\n")
        print("| program | CPU of one core, % | resident memory, MiB | overruns | utterances |")
        print("|---|---|---|---|---|")
        daemon, said = measure_daemon(microphone, room, Path(folder), seconds)
        heard = said["utterances"]["heard"]
        print_row("parrotlet-edge run", daemon, said["microphone"]["overruns"], heard)
        with path.service(Path(folder) / "service", decoding_whisper="false") as service:
            asking, said_asking = measure_daemon(microphone, room, Path(folder), seconds, cloud=service.address)
        overruns, heard_asking = said_asking["microphone"]["overruns"], said_asking["utterances"]["heard"]
        print_row("the same, with a service and `local.updates`", asking, overruns, heard_asking)
        if find_spec("pymicro_wakeword"):
            awaiting, woken = measure_daemon(microphone, room, Path(folder), seconds, activation="wake")
            overruns, heard_awaiting = woken["microphone"]["overruns"], woken["utterances"]["heard"]
            print_row("the same, waiting for a wake word", awaiting, overruns, heard_awaiting)
        print_row("parec (only records)", measure_recorder(microphone, room, seconds), "-", "-")
    costs = (daemon, asking)
    reached = all(one.cpu_percent <= CPU_PERCENT_MAX and one.memory_mib <= MEMORY_MIB_MAX for one in costs)
    reached = reached and not said["microphone"]["overruns"] and not heard
    marks = f"at most {CPU_PERCENT_MAX:g} %, {MEMORY_MIB_MAX:g} MiB, no overruns, no utterances"
    print(f"\n{marks}: {'reached' if reached else 'NOT reached'}")


def write_room(file: Path, seconds: float) -> None:
    """A WAV file of so many seconds of the quiet room."""
    with wave.open(str(file), "wb") as wav:
        wav.setparams((1, 2, SAMPLE_RATE_HZ, 0, "NONE", ""))
        wav.writeframes(np.tile(pink_noise(), int(seconds / LENGTH_S) + 1).astype("<i2").tobytes())


def measure_daemon(
    microphone: VirtualMicrophone,
    room: Path,
    runtime_dir: Path,
    seconds: int,
    *,
    cloud: str = "",
    activation: str = "always",
) -> tuple[Cost, dict[str, dict[str, int]]]:
    """Its cost, and what it says of itself afterwards."""
    program = [sys.executable, "-m", "edge"]
    directories = ["--runtime-dir", str(runtime_dir), "--state-dir", str(runtime_dir / "state")]
    run = [*program, "run", "--cloud", cloud, "--log-level", "error", "--activation", activation, *directories]
    with playing(microphone, room), running(microphone, run) as process:
        cost = measure(process.pid, seconds)
        ask = [*program, "status", "--json", "--runtime-dir", str(runtime_dir)]
        said = subprocess.run(ask, capture_output=True, check=True, timeout=30).stdout
        status: dict[str, dict[str, int]] = json.loads(said)
        return cost, status


def measure_recorder(microphone: VirtualMicrophone, room: Path, seconds: int) -> Cost:
    """The same of a program that writes the sound to nowhere."""
    record = ["parec", "--format=s16le", "--channels=1", f"--rate={SAMPLE_RATE_HZ}", "/dev/null"]
    with playing(microphone, room), running(microphone, record) as process:
        return measure(process.pid, seconds)


def measure(pid: int, seconds: int) -> Cost:
    """Waits until it is warm, then so long."""
    time.sleep(WARM_S)
    before_s, began_s = cpu_s(pid), time.monotonic()
    time.sleep(seconds)
    percent = 100 * (cpu_s(pid) - before_s) / (time.monotonic() - began_s)
    return Cost(percent, memory_mib(pid))


def cpu_s(pid: int) -> float:
    """Processor seconds of a process so far, its system calls included."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_S


def memory_mib(pid: int) -> float:
    """Resident memory of a process."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) / 1024


def print_row(name: str, cost: Cost, overruns: object, utterances: object) -> None:
    row = f"| {name} | {cost.cpu_percent:.2f} | {cost.memory_mib:.1f} | {overruns} | {utterances} |"
    print(row, flush=True)


@contextmanager
def playing(microphone: VirtualMicrophone, wav: Path) -> Iterator[None]:
    with running(microphone, ["paplay", str(wav)]):
        yield


@contextmanager
def running(microphone: VirtualMicrophone, command: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(command, env=microphone.environment) as process:
        try:
            yield process
        finally:
            process.terminate()


if __name__ == "__main__":
    main()
