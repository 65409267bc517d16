"""Engines behind one interface, all fed with the same int8 frames.

An engine is loaded once in a worker process and then decodes many utterances; what it makes of the 80 bands
(its own matrix, mean, window) is its own business. Each engine is one file of this folder.

A further engine is a module that may lie anywhere on the path, named in decoding.more_engines. It has

    def load(options: cloud.workers.worker.WorkerOptions) -> Engine

which is called in a process of its own and may take its time: the worker is ready when it returns. What cannot be used
here is an EngineError, a sentence that says what to type; the service then goes on without it. Utterances come one at
a time, in the levels of `Task.spec`, whose `dequantise` makes log10 mel powers of them. A RuntimeError or ValueError
fails one utterance; a death or a long silence costs a worker, which is replaced, and the utterance is decoded again.
tests/loudness_engine.py is the shortest there is.
"""

from typing import Protocol

import msgspec

from protos.feature_spec import FeatureSpec, Levels


class Word(msgspec.Struct, frozen=True):
    """A word in time, milliseconds from the start of the utterance."""

    text: str
    start_ms: int
    end_ms: int
    confidence: float | None = None


class Alternative(msgspec.Struct, frozen=True):
    """Another reading."""

    transcript: str
    confidence: float | None
    engine: str


class Sentence(msgspec.Struct, frozen=True):
    """One of the domain's sentences, as an engine heard it."""

    text: str
    """Its words, lower case, with single spaces."""
    score: float
    """Greater is better; compare within one hypothesis, and with its `free_score`."""
    words: tuple[Word, ...] = ()
    """In time, where the engine knows."""


class Name(msgspec.Struct, frozen=True):
    """A name of the domain's catalogue, as an engine heard it."""

    text: str
    """As the catalogue writes it."""
    said: str
    """All that was said, with the name in it."""
    score: float
    """Greater is better, a natural logarithm; compare within one hypothesis."""


class Hypothesis(msgspec.Struct, frozen=True):
    """What one engine makes of an utterance."""

    engine: str
    """"pocketsphinx" or "whisper"."""
    model: str
    """Name and version of its weights."""
    transcript: str
    """Empty: the engine heard no words."""
    confidence: float | None = None
    """0 to 1; None: this engine cannot say."""
    words: tuple[Word, ...] = ()
    alternatives: tuple[Alternative, ...] = ()
    doubts: tuple[str, ...] = ()
    """Names of the engine's own guards that object, such as "repetition"; empty: none does."""
    sentences: tuple[Sentence, ...] = ()
    """What it would be if it is one of the domain's sentences, the best first."""
    free_score: float | None = None
    """Score of `transcript` where that was read freely; None: the engine cannot say."""
    names: tuple[Name, ...] = ()
    """Which names of a large catalogue may have been said, the likeliest first, each once."""


class Task(msgspec.Struct, frozen=True):
    """What an engine is told of an utterance before its first frame."""

    device_id: str
    utterance_id: str
    """Unique for its board."""
    spec: FeatureSpec
    bundle: str = ""
    """File of the domain's bundle, absolute; empty: open speech only."""


class Decoding(Protocol):
    """One utterance in an engine. Several may be open at a time; calls come from one thread."""

    def feed(self, levels: Levels) -> str | None:
        """Takes the next frames, (frames, bands); the words so far if the engine has partials, else None."""

    def finish(self) -> Hypothesis:
        """Everything has been fed: the hypothesis. The decoding is used up."""

    def close(self) -> None:
        """Frees it, finished or not. May be called twice."""


class Engine(Protocol):
    """A loaded engine."""

    name: str
    model: str

    def begin(self, task: Task) -> Decoding:
        """A new utterance."""
