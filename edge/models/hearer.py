"""python -m edge.models.hearer DIR: what a model hears in utterances.

A process of its own, so that a model which brings the interpreter down brings down nobody who listens, and so that the
daemon need not hold an interpreter for it.

Utterances come on standard input, what was heard goes to standard output, both as msgpack. Exit status 2, with a
sentence on standard error, if the model cannot be used.
"""

import os

# Before numpy, as in __main__.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import sys
import time
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np

from common.errors import ModelError
from edge.local.model import Model
from edge.local.spotter import Spotter, heard_in, speech_ms_max
from edge.models.clips import clips
from edge.models.utterances import UNUSABLE, HeardOf, Utterance, Utterances
from protos.feature_spec import DEFAULT_SPEC

NICE = 19


def told_of(folder: Path, asked: Utterances) -> list[HeardOf]:
    """As the board's own model would hear each of them. ModelError if it cannot be used."""
    spec = replace(DEFAULT_SPEC, levels=asked.levels)
    spotter = Spotter(model := Model(folder, spec))
    longest_ms = speech_ms_max(model.card, spec)

    def hear(text: str, said: Utterance) -> HeardOf:
        if said.speech_ms > longest_ms:
            return HeardOf(None, 0, text)
        began_s = time.monotonic()
        spotted = heard_in(spotter, [np.frombuffer(said.frames, np.int8).reshape(-1, spec.bands)])
        return HeardOf(spotted.label if spotted else None, round(1000 * (time.monotonic() - began_s)), text)

    if asked.utterances:
        return [hear("", said) for said in asked.utterances]
    return [hear(clip.text, clip.said) for clip in clips(spec)]


def main() -> None:
    os.nice(NICE)
    asked = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=Utterances)
    try:
        heard = told_of(Path(sys.argv[1]), asked)
    except ModelError as error:
        print(error, file=sys.stderr)
        sys.exit(UNUSABLE)
    sys.stdout.buffer.write(msgspec.msgpack.encode(heard))


if __name__ == "__main__":
    main()
