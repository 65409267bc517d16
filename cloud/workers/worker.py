"""A worker process: holds one engine, decodes many utterances, speaks on its standard input and output.

Started by cloud.workers.pool as `python -m cloud.workers.worker ENGINE OPTIONS`. It ends when its input ends, so that
no worker outlives its service.
"""

import os

# Before numpy: several BLAS threads on a busy machine take a hundred times as long as one.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import importlib
import signal
import sys
import time
from collections.abc import Callable
from typing import BinaryIO

import msgspec
import numpy as np

from cloud.decoders import Decoding, Engine
from cloud.workers.worker_line import (
    Begin,
    Done,
    Drop,
    Failed,
    Feed,
    Finish,
    FromWorker,
    Progress,
    Ready,
    Unusable,
    pack,
    read_to_worker,
)
from common.errors import EngineError, ParrotletError


class WorkerOptions(msgspec.Struct, frozen=True):
    """What a worker needs to load its engine."""

    engine: str
    """pocketsphinx, whisper, or a module of somebody else's that has a function `load`."""
    weights: str | None = None
    """Folder of weights, for engines whose package brings none."""
    bundles: tuple[str, ...] = ()
    """Of domains that will be asked for: what they need is loaded before the worker is ready."""
    decoders_max: int = 4
    """Decoders of a kind that are kept for the next utterance: as many as there may be utterances at a time."""
    nice: int = 0
    """How much it steps back for other processes, as the command `nice` has it."""
    alone: bool = False
    """No other engine hears the utterances: a final is worth more time."""
    device: str = "cpu"
    compute_type: str = "int8"
    threads: int = 1
    """How weights are used; see cloud/settings.py."""
    languages: tuple[str, ...] = ("en",)
    """Spoken; first parts of BCP 47 tags."""


def load_engine(options: WorkerOptions) -> Engine:
    """The engine, warm. Imports only what that engine needs."""
    match options.engine:
        case "pocketsphinx":
            from cloud.decoders.pocketsphinx import PocketSphinx

            return PocketSphinx(bundles=options.bundles, alone=options.alone, idle_max=options.decoders_max)
        case "whisper":
            from cloud.decoders.whisper import Whisper

            if options.weights is None:
                raise ValueError("whisper needs a folder of weights")
            return Whisper(
                options.weights,
                bundles=options.bundles,
                device=options.device,
                compute_type=options.compute_type,
                threads=options.threads,
                languages=options.languages,
            )
        case module:
            return _of_module(module, options)


def _of_module(module: str, options: WorkerOptions) -> Engine:
    """By the function `load` of a module that somebody else wrote. EngineError if there is none."""
    try:
        load = importlib.import_module(module).load
    except (ImportError, AttributeError, ValueError) as error:
        raise EngineError(f"There is no engine {module}, a module with a function load: {error}.") from error
    engine: Engine = load(options)
    return engine


def serve(
    engine: Engine, requests: BinaryIO, replies: BinaryIO, clock: Callable[[], float] = time.perf_counter
) -> None:
    """Answers messages in the order they come, until they end."""

    def reply(message: FromWorker) -> None:
        replies.write(pack(message))
        replies.flush()

    decodings: dict[int, Decoding] = {}
    bands: dict[int, int] = {}
    reply(Ready(engine.name, engine.model))
    while (message := read_to_worker(requests)) is not None:
        began_s = clock()
        try:
            match message:
                case Begin(job, task):
                    decodings[job] = engine.begin(task)
                    bands[job] = task.spec.bands
                case Feed(job, levels) if job in decodings:
                    frames = np.frombuffer(levels, np.int8).reshape(-1, bands[job])
                    text = decodings[job].feed(frames)
                    reply(Progress(job, len(frames), text, clock() - began_s))
                case Finish(job) if job in decodings:
                    hypothesis = decodings[job].finish()
                    reply(Done(job, hypothesis, clock() - began_s))
                    decodings.pop(job).close()
                case Drop(job) if job in decodings:
                    decodings.pop(job).close()
                case _:
                    # A job that failed before: what was still on its way to it is of no use.
                    pass
        except (RuntimeError, ValueError) as error:
            # What engines raise on frames that they cannot take: that utterance fails, the worker goes on.
            if (broken := decodings.pop(message.job, None)) is not None:
                broken.close()
            reply(Failed(message.job, f"{engine.name}: {error}"))


def main() -> None:
    """Standard output carries messages only: whatever a library prints goes to standard error."""
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    # A Ctrl-C in the service's terminal reaches its workers too, but it is the service that ends them.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    options = msgspec.json.decode(sys.argv[1], type=WorkerOptions)
    os.nice(options.nice)
    try:
        engine = load_engine(options)
    except ParrotletError as error:
        replies.write(pack(Unusable(str(error))))
        sys.exit(1)
    serve(engine, sys.stdin.buffer, replies)


if __name__ == "__main__":
    main()
