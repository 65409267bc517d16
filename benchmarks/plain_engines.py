"""The engines without a service: processes that decode clips one after the other, as fast as they go.

`scripts/bench capacity` starts it, to compare.
"""

import os

# Before numpy, as in cloud/workers/worker.py.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np

from benchmarks.boards import MESSAGE_FRAMES, Clip
from cloud.decoders import Task
from cloud.workers.worker import WorkerOptions, load_engine
from protos.feature_spec import DEFAULT_SPEC


def cpu_share(
    options: WorkerOptions, domain_bundle: str, clips: Sequence[Clip], *, processes: int, file: Path
) -> float:
    """Processor seconds for a second of these clips, of so many processes side by side that decode them all.

    They hear up to where speech seems over, as a service's do; `file` is written for them."""
    np.savez(file, *[clip.levels[: clip.needed_frames] for clip in clips])
    arguments = [msgspec.json.encode(options).decode(), domain_bundle, str(file)]
    command = [sys.executable, "-m", "benchmarks.plain_engines", *arguments]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(processes)]
    cpu_s = [float(process.communicate()[0]) for process in running]
    return sum(cpu_s) / processes / sum(clip.duration_s for clip in clips)


def main() -> None:
    """Decodes all clips of a file; prints the processor seconds that it took."""
    options, domain_bundle, file = sys.argv[1:]
    engine = load_engine(msgspec.json.decode(options, type=WorkerOptions))
    with np.load(file) as clips:
        levels = list(clips.values())
    before_s = time.process_time()
    for number, each in enumerate(levels):
        decoding = engine.begin(Task(f"board-{number}", "utterance", DEFAULT_SPEC, domain_bundle))
        for start in range(0, len(each), MESSAGE_FRAMES):
            decoding.feed(each[start : start + MESSAGE_FRAMES])
        decoding.finish()
        decoding.close()
    print(time.process_time() - before_s)


if __name__ == "__main__":
    main()
