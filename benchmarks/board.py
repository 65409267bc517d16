"""What the board's part costs a small processor, and beside wyoming-satellite.

    scripts/bench board                              as root on Debian 12 x86-64; ten minutes the first time
    scripts/bench board --no-emulate --data DIR      only the second table, anywhere

The first table is counted in an emulated arm64 Debian (board_root.sh, board_run.sh, instructions.py). The second gives
processor seconds here, of the same sound from a pipe into a pipe, ours and wyoming-satellite's (satellite.py), each in
a process of its own; neither takes sound from a sound card, and both run as fast as they can.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

# Before numpy: as on the board, where edge/__main__.py does it.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import click
import numpy as np
import numpy.typing as npt

from benchmarks import household, path
from benchmarks.corpus import RATE_HZ
from benchmarks.instructions import LENGTH_S, SPOKEN, looped, pink_noise, send
from edge.sound.audio_file import StandardInput
from protos import speech_pb2

HERE = Path(__file__).parent
ROOT = HERE.parent / "build" / "board-arm64"
SATELLITE_VENV = HERE.parent / ".venv-satellite"
SATELLITE = "wyoming-satellite[silerovad]==1.0.0"

CPU = "cortex-a53"
TIMES_LESS_MIN = 5.0
"""The mark, of the hour."""


class Cost(NamedTuple):
    """Of a program that was given a recording."""

    cpu_s: float
    """Of its own process, start and models not counted."""
    sent_bytes: int
    onsets: int


@click.command()
@click.option("--root", type=click.Path(path_type=Path), default=ROOT, help="Emulated board; made if it is missing.")
@click.option("--emulate/--no-emulate", default=True, help="Count instructions in it.")
@click.option(
    "--data", type=click.Path(exists=True, path_type=Path), help="Folder of recordings, for the second table."
)
@click.option("--minutes", type=float, default=60, show_default=True, help="How much of them.")
@click.option("--listen", type=click.Path(exists=True, path_type=Path), hidden=True, help="Measure ours on a raw file.")
def main(root: Path, emulate: bool, data: Path | None, minutes: float, listen: Path | None) -> None:
    """Count a board's instructions; and, of `--data`, measure processor time beside wyoming-satellite."""
    if listen:
        print(json.dumps(hear_file(listen)._asdict()))
        return
    if emulate:
        count(root)
    if data:
        compare(data, minutes)


def count(root: Path) -> None:
    """Prints the first table."""
    made = subprocess.run([HERE / "board_root.sh", root], check=False)
    if made.returncode:
        raise SystemExit(made.returncode)
    with tempfile.TemporaryDirectory() as state, path.service(Path(state), decoding_whisper="false") as service:
        print(
            f"\nInstructions of the board's part, arm64 Debian 12, {CPU}, {LENGTH_S} s of sound from memory\n",
            flush=True,
        )
        ran = subprocess.run([HERE / "board_run.sh", root, CPU, "--cloud", service.address], check=False)
    if ran.returncode:
        raise click.ClickException(f"The emulated board stopped with {ran.returncode}; begin anew without {root}.")


def compare(data: Path, minutes: float) -> None:
    """Prints the second table."""
    home = household.make(data, minutes)
    sounds = {
        f"at home: speech {home.speech_share:.0%}, noises {home.noise_share:.0%} of {minutes:g} min": home.samples,
        "a quiet room, 10 min": np.tile(pink_noise(), 600 // LENGTH_S),
        "speech on end, 10 min": np.tile(looped(SPOKEN), 600 // LENGTH_S),
    }
    python = _satellite_python()
    print("\nCPU seconds here, from a pipe into a pipe; % of one core\n")
    print("| sound | ours | sent | utterances | wyoming-satellite | sent | onsets | times less |")
    print("|---|---|---|---|---|---|---|---|")
    ratios = []
    for name, samples in sounds.items():
        length_s = len(samples) / RATE_HZ
        ours = measure([sys.executable, "-m", "benchmarks.board", "--listen"], samples)
        theirs = measure([str(python), str(HERE / "satellite.py")], samples)
        ratios.append(theirs.cpu_s / ours.cpu_s)
        cells = (*_cells(ours, length_s), *_cells(theirs, length_s), f"{ratios[-1]:.1f}")
        print(f"| {name} | " + " | ".join(cells) + " |", flush=True)
    print(f"\nat home at least {TIMES_LESS_MIN:g} x less: {'' if ratios[0] >= TIMES_LESS_MIN else 'NOT '}reached")


def measure(command: list[str], samples: npt.NDArray[np.int16], repeats: int = 3) -> Cost:
    """The cheapest of some runs on this sound: what else runs here only ever adds."""
    with tempfile.NamedTemporaryFile(suffix=".raw") as file:
        file.write(samples.astype("<i2").tobytes())
        file.flush()
        return min(_costs([*command, file.name], repeats))


def hear_file(file: Path) -> Cost:
    """Ours, in this process."""
    with (
        subprocess.Popen(["cat", str(file)], stdout=subprocess.PIPE) as microphone,
        subprocess.Popen(["wc", "-c"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, bufsize=0) as sink,
    ):
        assert microphone.stdout is not None
        assert sink.stdin is not None
        began_s = time.process_time()
        source = StandardInput(descriptor=microphone.stdout.fileno())
        sent = send(source, speech_pb2.CODEC_DEFLATE, sink.stdin.write)
        return Cost(time.process_time() - began_s, sent.data_bytes, sent.utterances)


def _costs(command: list[str], repeats: int) -> Iterator[Cost]:
    for _ in range(repeats):
        said = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=1800)
        yield Cost(**json.loads(said.stdout))


def _cells(cost: Cost, length_s: float) -> tuple[str, str, str]:
    cpu = f"{cost.cpu_s:.2f} s, {100 * cost.cpu_s / length_s:.2f} %"
    return cpu, f"{cost.sent_bytes / 1e6:.2f} MB", str(cost.onsets)


def _satellite_python() -> Path:
    """Of a virtual environment with the peer in it, as its own metadata pins what it needs."""
    python = SATELLITE_VENV / "bin" / "python"
    if not python.exists():
        venv.create(SATELLITE_VENV, with_pip=True)
    install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", SATELLITE]
    if subprocess.run(install, check=False, stderr=subprocess.PIPE).returncode:
        raise click.ClickException(f"{SATELLITE} could not be installed in {SATELLITE_VENV}.")
    return python


if __name__ == "__main__":
    main()
