"""pocketsphinx: words while the person still speaks, and the sentences of a domain.

Huggins-Daines et al. 2006, "Pocketsphinx: A Free, Real-Time Continuous Speech Recognition System for Hand-Held
Devices". Its weights come with its package. It gets cepstra made from the frames, never sound.
"""

from collections import Counter, OrderedDict
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pocketsphinx

from cloud.building.bundle import read_bundle
from cloud.decoders import Hypothesis, Sentence, Task, Word
from cloud.decoders.cepstral_mean import BoardMeans, CepstralMean
from cloud.decoders.speech_gain import SpeechGain
from cloud.decoders.sphinx_features import CEPSTRA, Cepstra, Floats, SphinxFeatures
from cloud.decoders.sphinx_guards import doubts
from cloud.decoders.sphinx_model import language_model
from cloud.decoders.sphinx_phrases import phrase_name
from cloud.decoders.sphinx_reading import Reading, transcript
from cloud.pronouncing.phones import names
from cloud.understanding.word_graph import WordGraph
from common.errors import DomainError, EngineError
from protos.feature_spec import FeatureSpec, Levels

KINDS_MAX = 16
"""Kinds of decoders that are kept: a domain that was changed leaves its old kind behind."""


class Kind(NamedTuple):
    """What a decoder listens for."""

    bundle: str
    """Of the domain; empty: none."""
    sentences: bool = False
    """Its sentences and nothing else; else open speech, with the domain's phrases among the words."""


SHOWN_SCORE_MIN = -28.0
"""Least score of a sentence of the domain that is shown while it is spoken: nine in ten orders had it in the end, and
hardly anything else."""

SEARCH = "search"

OPEN_SPEECH_BEAM = {"maxhmmpf": 3000, "maxwpf": 10}
"""Most states and most word ends that open speech keeps a frame. Unbounded (30,000 and all), a third of 100 sentences
had 0.487 word error rate and 0.46 s of CPU a second; with these 0.490 and 0.14; with 2,000 states 0.510 and 0.17. The
dearest twentieth of 100 ms took 28 ms instead of 154."""


class PocketSphinx:
    """The general model and the sentences of domains, loaded. Used from one thread.

    EngineError if the model cannot be loaded; DomainError if a bundle cannot.
    """

    name = "pocketsphinx"

    def __init__(self, *, bundles: Sequence[str] = (), alone: bool = False, idle_max: int = 4) -> None:
        """`alone`: no other engine hears the utterances, so that open speech is worth a second pass at its end.
        `idle_max`: decoders of a kind that are kept for the next utterance."""
        self._idle_max = idle_max
        self._second_pass = alone
        self.model = f"en-us {version('pocketsphinx')}"
        self.means = BoardMeans()
        self._idle: OrderedDict[Kind, list[pocketsphinx.Decoder]] = OrderedDict()
        for kind in dict.fromkeys(kind for bundle in bundles or ("",) for kind in kinds(bundle)):
            self._keep(kind, load(kind, second_pass=alone))

    def begin(self, task: Task) -> "SphinxDecoding":
        """A new utterance: as open speech, as one of the domain's sentences, or as both."""
        return SphinxDecoding(self, task)

    def read(self, kind: Kind, mean: CepstralMean) -> Reading:
        """Begins a reading by an idle decoder; where none is idle by a new one, 60 MB and 0.3 s."""
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
        # Each moves its own; they hear the same.
        self._means = [engine.means.start(task.device_id, task.utterance_id) for _ in kinds(task.bundle)]
        self._readings = {
            kind: engine.read(kind, mean) for kind, mean in zip(kinds(task.bundle), self._means, strict=True)
        }
        self._features = features(task.spec)
        self._gain = SpeechGain()
        self._fed: list[Cepstra] = []

    def feed(self, levels: Levels) -> str:
        self._read(self._gain.push(self._features.log_filters(levels)))
        return transcript(self._shown())

    def finish(self) -> Hypothesis:
        self._read(self._gain.flush())
        for reading in self._readings.values():
            reading.end()
        words = [word for kind, reading in self._readings.items() if not kind.sentences for word in reading.words()]
        cepstra = np.concatenate([np.empty((0, CEPSTRA), np.float32), *self._fed])
        sentences = tuple(
            Sentence(transcript(reading.words()), reading.score(), tuple(reading.words()))
            for kind, reading in self._readings.items()
            if kind.sentences and reading.words()
        )
        objections = doubts(cepstra) if words or sentences else ("no_speech",)
        self.close()
        if not objections:
            self._engine.means.remember(self._task.device_id, self._task.utterance_id, self._means[0])
        return Hypothesis(
            self._engine.name,
            self._engine.model,
            transcript(words),
            words=tuple(words),
            doubts=objections,
            sentences=sentences,
        )

    def close(self) -> None:
        for reading in self._readings.values():
            reading.close()

    def _shown(self) -> list[Word]:
        """The words so far: those of a sentence of the domain where they fit well, else those of open speech."""
        first, *others = self._readings.values()
        for sentences in others:
            if sentences.score() >= SHOWN_SCORE_MIN and (words := sentences.words()):
                return words
        return first.words()

    def _read(self, log_filters: Floats) -> None:
        cepstra = self._features.cepstra(log_filters)
        self._fed.append(cepstra)
        for reading in self._readings.values():
            reading.feed(cepstra)


@cache
def features(spec: FeatureSpec) -> SphinxFeatures:
    """What makes cepstra of frames of that kind."""
    return SphinxFeatures(spec)


def kinds(bundle: str) -> list[Kind]:
    """The decoders that listen to an utterance of that domain, open speech first if it is heard."""
    if not bundle:
        return [Kind("")]
    known = read_bundle(Path(bundle))
    sentences = [Kind(bundle, sentences=True)] if known.graph is not None else []
    if sentences and not known.open_speech:
        return sentences
    return [Kind(bundle if known.phrases else ""), *sentences]


def load(kind: Kind, *, second_pass: bool = False) -> pocketsphinx.Decoder:
    """A new decoder. EngineError if the general model is not there; DomainError if a bundle cannot be used.

    `second_pass` (fwdflat), of open speech only: 0.6 s at the end, and 0.45 word error rate instead of 0.62. The third
    (bestpath) searches a lattice: 0.47 after open speech, and up to 16 s under a grammar.
    """
    beam: dict[str, Any] = {} if kind.sentences else OPEN_SPEECH_BEAM
    second_pass = second_pass and not kind.sentences
    try:
        decoder = pocketsphinx.Decoder(loglevel="FATAL", fwdflat=second_pass, bestpath=False, lm=None, **beam)
    except RuntimeError as error:
        raise EngineError(f"pocketsphinx's model cannot be loaded: {error}.") from error
    if kind.sentences:
        bundle = read_bundle(Path(kind.bundle))
        assert bundle.graph is not None
        _add_words(decoder, bundle.pronunciations, bundle.domain)
        _add_sentences(decoder, bundle.graph, bundle.domain)
    else:
        _add_open_speech(decoder, kind.bundle)
    return decoder


def _add_open_speech(decoder: pocketsphinx.Decoder, bundle: str) -> None:
    """The general model, and the domain's phrases among its words."""
    if bundle:
        known = read_bundle(Path(bundle))
        said = {phrase_name(phrase): (names(phones),) for phrase, phones in known.phrases.items()}
        _add_words(decoder, said, known.domain)
    try:
        decoder.add_lm(SEARCH, language_model(bundle))
        decoder.activate_search(SEARCH)
    except (RuntimeError, ValueError) as error:
        raise EngineError(f"pocketsphinx's model cannot be loaded: {error}.") from error


def _add_words(decoder: pocketsphinx.Decoder, said: Mapping[str, Sequence[str]], domain: str) -> None:
    """The words that the general dictionary lacks; and those of which the domain knows better."""
    word = ""
    try:
        for word, pronunciations in said.items():
            for number, phones in enumerate(pronunciations, 1):
                decoder.add_word(word if number == 1 else f"{word}({number})", phones, False)
    except RuntimeError as error:
        raise DomainError(f"{domain}: the pronunciations of {word} cannot be used: {error}.") from error


def _add_sentences(decoder: pocketsphinx.Decoder, sentences: WordGraph, domain: str) -> None:
    # A sentence is as likely as the choices that lead to it.
    choices = Counter(transition.source for transition in sentences.transitions)
    transitions = [
        (one.source, one.target, one.probability / choices[one.source], *([one.word] if one.word else []))
        for one in sentences.transitions
    ]
    try:
        grammar = decoder.create_fsg(SEARCH, sentences.start, sentences.end, transitions)
        decoder.add_fsg(SEARCH, grammar)
        decoder.activate_search(SEARCH)
    except (RuntimeError, ValueError) as error:
        unknown = sorted({one.word for one in sentences.transitions if one.word and not decoder.lookup_word(one.word)})
        why = f"no pronunciation is known of {', '.join(unknown[:10])}" if unknown else str(error)
        raise DomainError(f"{domain}: its sentences cannot be listened for: {why}.") from error
