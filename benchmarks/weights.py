"""Whisper's weights beside each other: word errors, processor time, memory.

    scripts/bench weights --data DIR [--clips N] [NAME]...

Clips of `sentences`, each whole, as frames of the wire. NAME is tiny.en or base; both if none is given.
"""

import resource
import subprocess
import sys
import time
from pathlib import Path

import click
import msgspec
import numpy as np

from benchmarks import corpus
from benchmarks.accuracy import error_rate, spread
from cloud.decoders import Task
from cloud.decoders.known_weights import KNOWN
from cloud.decoders.weights import usable
from cloud.settings import CloudSettings
from edge.speech.log_mel import log_mel
from protos.feature_spec import DEFAULT_SPEC


class Row(msgspec.Struct):
    """What weights are like."""

    word_errors: float
    load_s: float
    cpu_s: float
    """A clip."""
    sound_s: float
    """Of a clip."""
    memory_mib: float
    """Of the process, at its most."""


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(list(KNOWN)))
@click.option("--data", type=click.Path(exists=True, path_type=Path), required=True, help="Folder of recordings.")
@click.option("--clips", type=int, default=50, show_default=True, help="So many, evenly spread.")
@click.option("--here", is_flag=True, hidden=True)
def main(names: tuple[str, ...], data: Path, clips: int, here: bool) -> None:
    """Measure weights."""
    if here:
        print(msgspec.json.encode(measure(names[0], data, clips)).decode())
        return
    print(f"\n| {clips} clips | word errors | CPU s a clip | real-time factor | loaded after | memory |")
    print("|---|---|---|---|---|---|")
    for name in names or KNOWN:
        # In a process of its own, for its memory.
        options = ["--data", str(data), "--clips", str(clips), "--here", name]
        command = [sys.executable, "-m", "benchmarks.weights", *options]
        row = msgspec.json.decode(subprocess.run(command, check=True, capture_output=True).stdout, type=Row)
        print(
            f"| {name} | {row.word_errors:.3f} | {row.cpu_s:.2f} | {row.cpu_s / row.sound_s:.3f} | "
            f"{row.load_s:.1f} s | {row.memory_mib:.0f} MiB |",
            flush=True,
        )


def measure(name: str, data: Path, count: int) -> Row:
    from cloud.decoders.whisper import Whisper

    chosen = spread(corpus.sentences(data), count)
    frames = []
    for clip in chosen:
        samples = np.clip(np.rint(corpus.read(clip.file) * 32768), -32768, 32767).astype(np.int16)
        frames.append(DEFAULT_SPEC.quantise(log_mel(samples, DEFAULT_SPEC)))
    began_s = time.perf_counter()
    engine = Whisper(str(usable(name, CloudSettings().storage.weights_dir)))
    load_s = time.perf_counter() - began_s
    cpu_s = time.process_time()
    heard = []
    for number, levels in enumerate(frames):
        decoding = engine.begin(Task("bench", str(number), DEFAULT_SPEC, ""))
        decoding.feed(levels)
        heard.append(decoding.finish().transcript)
    cpu_s = time.process_time() - cpu_s
    return Row(
        word_errors=error_rate([clip.text for clip in chosen], heard),
        load_s=load_s,
        cpu_s=cpu_s / len(chosen),
        sound_s=sum(map(len, frames)) * DEFAULT_SPEC.frame_ms / 1000 / len(chosen),
        memory_mib=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    )


if __name__ == "__main__":
    main()
