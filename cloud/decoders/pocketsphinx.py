"""pocketsphinx: words while the person still speaks, and closed domains under a grammar.

Huggins-Daines et al. 2006, "Pocketsphinx: A Free, Real-Time Continuous Speech Recognition System for Hand-Held
Devices". Its weights come with its package. It gets cepstra made from the frames, never sound.
"""

import ctypes
import os
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from importlib.metadata import version
from typing import Any

import numpy as np
import pocketsphinx

from cloud.decoders import Hypothesis, Task
from cloud.decoders.cepstral_mean import BoardMeans, CepstralMean
from cloud.decoders.speech_gain import SpeechGain
from cloud.decoders.sphinx_features import CEPSTRA, Cepstra, Floats, SphinxFeatures
from cloud.decoders.sphinx_guards import doubts
from cloud.decoders.sphinx_kind import DICTIONARY, GRAMMAR, OPEN_SPEECH, Kind, grammar_words, kind_of
from cloud.decoders.sphinx_reading import Reading, transcript
from common.errors import DomainError, EngineError
from protos.feature_spec import FeatureSpec, Levels

KINDS_MAX = 16
"""Kinds of decoders that are kept: a grammar that was changed leaves its old kind behind."""


OPEN_SPEECH_BEAM = {"maxhmmpf": 3000, "maxwpf": 10}
"""Most states and most word ends that open speech keeps a frame. Unbounded (30,000 and all), a third of 100 sentences
had 0.487 word error rate and 0.46 s of CPU a second; with these 0.490 and 0.14; with 2,000 states 0.510 and 0.17. The
dearest twentieth of 100 ms took 28 ms instead of 154."""


class PocketSphinx:
    """The general model and the grammars of domains, loaded. Used from one thread.

    EngineError if the model cannot be loaded; DomainError if a grammar or dictionary cannot.
    """

    name = "pocketsphinx"

    def __init__(self, *, domain_folders: Sequence[str] = (), alone: bool = False, idle_max: int = 4) -> None:
        """`alone`: no other engine hears the utterances, so that open speech is worth a second pass at its end.
        `idle_max`: decoders of a kind that are kept for the next utterance."""
        self._idle_max = idle_max
        self._second_pass = alone
        self.model = f"en-us {version('pocketsphinx')}"
        self.means = BoardMeans()
        self._idle: OrderedDict[Kind, list[pocketsphinx.Decoder]] = OrderedDict()
        for kind in {OPEN_SPEECH, *map(kind_of, domain_folders)}:
            self._keep(kind, load(kind, second_pass=alone))

    def begin(self, task: Task) -> "SphinxDecoding":
        """A new utterance, under the grammar of its domain if that has one."""
        return SphinxDecoding(self, task)

    def read(self, kind: Kind, mean: CepstralMean) -> Reading:
        """Begins a reading by an idle decoder; where none is idle by a new one, 90 MB and 0.3 s, for a grammar a third
        of it."""
        idle = self._idle.get(kind)
        decoder = idle.pop() if idle else load(kind, second_pass=self._second_pass)
        return Reading(decoder, mean, lambda used: self._keep(kind, used))

    def _keep(self, kind: Kind, decoder: pocketsphinx.Decoder) -> None:
        """Keeps a decoder whose utterance has ended."""
        idle = self._idle.setdefault(kind, [])
        self._idle.move_to_end(kind)
        if len(idle) < self._idle_max:
            idle.append(decoder)
        if len(self._idle) > KINDS_MAX:
            self._idle.popitem(last=False)


class SphinxDecoding:
    """One utterance."""

    def __init__(self, engine: PocketSphinx, task: Task) -> None:
        self._engine = engine
        self._task = task
        self._kind = kind_of(task.domain_folder)
        self._mean = engine.means.start(task.device_id, task.utterance_id)
        self._reading = engine.read(self._kind, self._mean)
        self._features = features(task.spec)
        self._gain = SpeechGain()
        self._fed: list[Cepstra] = []

    def feed(self, levels: Levels) -> str:
        self._read(self._gain.push(self._features.log_filters(levels)))
        return transcript(self._reading.words())

    def finish(self) -> Hypothesis:
        self._read(self._gain.flush())
        self._reading.end()
        words, score = self._reading.words(), self._reading.score()
        self.close()
        by_grammar = self._kind.grammar is not None
        cepstra = np.concatenate([np.empty((0, CEPSTRA), np.float32), *self._fed])
        objections = doubts(cepstra, score, by_grammar=by_grammar) if words else ("no_speech",)
        if not objections:
            self._engine.means.remember(self._task.device_id, self._task.utterance_id, self._mean)
        return Hypothesis(
            self._engine.name,
            self._engine.model,
            transcript(words),
            words=tuple(words),
            doubts=objections,
            by_grammar=by_grammar,
        )

    def close(self) -> None:
        self._reading.close()

    def _read(self, log_filters: Floats) -> None:
        cepstra = self._features.cepstra(log_filters)
        self._fed.append(cepstra)
        self._reading.feed(cepstra)


@cache
def features(spec: FeatureSpec) -> SphinxFeatures:
    """What makes cepstra of frames of that kind."""
    return SphinxFeatures(spec)


def load(kind: Kind, *, second_pass: bool = False) -> pocketsphinx.Decoder:
    """A new decoder. EngineError if the general model is not there; DomainError, naming the file, if the grammar or
    dictionary cannot be used.

    `second_pass` (fwdflat), of open speech only: 0.6 s at the end, and 0.45 word error rate instead of 0.62. The third
    (bestpath) searches a lattice: 0.47 after open speech, and up to 16 s under a grammar.
    """
    open_speech = kind.grammar is None
    model: dict[str, Any] = OPEN_SPEECH_BEAM if open_speech else {"lm": None}
    try:
        decoder = pocketsphinx.Decoder(loglevel="FATAL", fwdflat=second_pass and open_speech, bestpath=False, **model)
    except RuntimeError as error:
        raise EngineError(f"pocketsphinx's model cannot be loaded: {error}.") from error
    if kind.grammar is not None:
        _add_words(decoder, kind)
        _add_grammar(decoder, kind, kind.grammar)
    return decoder


def _add_words(decoder: pocketsphinx.Decoder, kind: Kind) -> None:
    for number, line in enumerate(kind.dictionary.splitlines(), 1):
        word, _, phones = line.strip().partition(" ")
        if not word or word.startswith("#"):
            continue
        try:
            decoder.add_word(word, phones.strip(), False)
        except RuntimeError as error:
            raise DomainError(f"{kind.folder}/{DICTIONARY}:{number}: not a new word and its phones: {line}") from error


def _add_grammar(decoder: pocketsphinx.Decoder, kind: Kind, grammar: str) -> None:
    try:
        with _hushed():
            decoder.add_jsgf_string(GRAMMAR, grammar)
        decoder.activate_search(GRAMMAR)
    except (RuntimeError, ValueError) as error:
        unknown = [word for word in grammar_words(grammar) if decoder.lookup_word(word) is None]
        why = f"no pronunciation is known of {', '.join(unknown)}; add them to {DICTIONARY}" if unknown else str(error)
        raise DomainError(f"{kind.folder}/{GRAMMAR}: cannot be used: {why}.") from error


@contextmanager
def _hushed() -> Iterator[None]:
    """The parser of grammars prints what it cannot read, past all of Python, and through C's own buffer."""
    flush = ctypes.CDLL(None).fflush
    flush(None)
    kept = os.dup(1), os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        yield
    finally:
        flush(None)
        os.dup2(kept[0], 1)
        os.dup2(kept[1], 2)
        for descriptor in (*kept, nowhere):
            os.close(descriptor)
