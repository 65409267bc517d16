"""Engines behind one interface, all fed with the same int8 frames.

An engine is loaded once in a worker process and then decodes many utterances; what it makes of the 80 bands
(its own matrix, mean, window) is its own business. Each engine is one file of this folder.
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
    by_grammar: bool = False
    """Decoded under the domain's grammar: the words are one of its sentences, or none."""


class Task(msgspec.Struct, frozen=True):
    """What an engine is told of an utterance before its first frame."""

    device_id: str
    utterance_id: str
    """Unique for its board."""
    spec: FeatureSpec
    domain_folder: str
    """Absolute; may hold a grammar.jsgf and a dictionary.txt."""


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
