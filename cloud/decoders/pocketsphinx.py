"""pocketsphinx: words while the person still speaks, and closed domains under a grammar.

Huggins-Daines et al. 2006, "Pocketsphinx: A Free, Real-Time Continuous Speech Recognition System for Hand-Held
Devices". Its weights come with its package. It gets cepstra made from the frames, never sound.
"""

import re
from collections import OrderedDict
from collections.abc import Sequence
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pocketsphinx

from cloud.decoders import Hypothesis, Task, Word
from cloud.decoders.cepstral_mean import FIXED_FRAMES, BoardMeans, CepstralMean
from cloud.decoders.sphinx_features import CEPSTRA, Cepstra, SphinxFeatures
from common.errors import DomainError, EngineError
from protos.feature_spec import FeatureSpec, Levels

PIECE_FRAMES = 5
"""What pocketsphinx is given at a time: with 8 and more its general model finds no words, 20 crash the process."""

SECOND_READING_FRAMES_MAX = 1000
"""Longer utterances are not read again: their running mean was their own for most of the time."""

IDLE_MAX = 4
"""Decoders of a kind that are kept for the next utterance."""

KINDS_MAX = 16
"""Kinds of decoders that are kept: a grammar that was changed leaves its old kind behind."""

FRAME_MS = 10

GRAMMAR = "grammar.jsgf"
DICTIONARY = "dictionary.txt"

NO_WORD = frozenset("<[+(")
"""What names of silence, noises and a grammar's empty steps begin with."""

_VARIANT = re.compile(r"\(\d+\)$")
# Comments, names of rules, tags and weights; see "JSpeech Grammar Format", W3C note of 2000.
_NOT_SPOKEN = re.compile(r"//[^\n]*|/\*.*?\*/|<[^>]*>|\{[^}]*\}|/[\d.]+/|\bpublic\b", re.DOTALL)
_SPOKEN = re.compile(r"[^\W_][\w'-]*")


class Kind(NamedTuple):
    """What a decoder is loaded for."""

    folder: str = ""
    grammar: str | None = None
    """Text of the folder's grammar.jsgf; None: open speech."""
    dictionary: str = ""
    """Text of its dictionary.txt: a word and its phones a line, as in CMUdict."""


OPEN_SPEECH = Kind()


class PocketSphinx:
    """The general model and the grammars of domains, loaded. Used from one thread.

    EngineError if the model cannot be loaded; DomainError if a grammar or dictionary cannot.
    """

    name = "pocketsphinx"

    def __init__(self, *, domain_folders: Sequence[str] = ()) -> None:
        self.model = f"en-us {version('pocketsphinx')}"
        self.means = BoardMeans()
        self._idle: OrderedDict[Kind, list[pocketsphinx.Decoder]] = OrderedDict()
        for kind in {OPEN_SPEECH, *map(kind_of, domain_folders)}:
            self.give_back(kind, load(kind))

    def begin(self, task: Task) -> "SphinxDecoding":
        """A new utterance, under the grammar of its domain if that has one."""
        return SphinxDecoding(self, task)

    def take(self, kind: Kind) -> pocketsphinx.Decoder:
        """A decoder between utterances; where none is idle a new one, 90 MB and 0.3 s, for a grammar a third of it."""
        idle = self._idle.get(kind)
        return idle.pop() if idle else load(kind)

    def give_back(self, kind: Kind, decoder: pocketsphinx.Decoder) -> None:
        """Keeps a decoder whose utterance has ended."""
        idle = self._idle.setdefault(kind, [])
        self._idle.move_to_end(kind)
        if len(idle) < IDLE_MAX:
            idle.append(decoder)
        if len(self._idle) > KINDS_MAX:
            self._idle.popitem(last=False)


class SphinxDecoding:
    """One utterance. Open speech that nobody else hears is read again at the end, with the mean of all of it."""

    def __init__(self, engine: PocketSphinx, task: Task) -> None:
        self._engine = engine
        self._task = task
        self._kind = kind_of(task.domain_folder)
        self._mean = engine.means.start(task.device_id)
        self._reading = Reading(engine, self._kind, self._mean)
        self._fed: list[Cepstra] = []

    def feed(self, levels: Levels) -> str:
        cepstra = features(self._task.spec).cepstra(levels)
        self._fed.append(cepstra)
        self._reading.feed(cepstra)
        return transcript(self._reading.words())

    def finish(self) -> Hypothesis:
        self._reading.end()
        words = self._reading.words()
        self.close()
        if words:
            self._engine.means.remember(self._task.device_id, self._mean)
        by_grammar = self._kind.grammar is not None
        if self._task.alone and not by_grammar:
            words = self._second_reading() or words
        return Hypothesis(
            self._engine.name, self._engine.model, transcript(words), words=tuple(words), by_grammar=by_grammar
        )

    def close(self) -> None:
        self._reading.close()

    def _second_reading(self) -> list[Word]:
        """Words with the utterance's own mean; none if it is too long to be worth it."""
        cepstra = np.concatenate([np.empty((0, CEPSTRA), np.float32), *self._fed])
        if not 0 < len(cepstra) <= SECOND_READING_FRAMES_MAX:
            return []
        reading = Reading(self._engine, OPEN_SPEECH, CepstralMean(cepstra.mean(axis=0), FIXED_FRAMES))
        try:
            reading.feed(cepstra)
            reading.end()
            return reading.words()
        finally:
            reading.close()


class Reading:
    """One utterance in one decoder, which it gives back when it is closed."""

    def __init__(self, engine: PocketSphinx, kind: Kind, mean: CepstralMean) -> None:
        self._engine = engine
        self._kind = kind
        self._mean = mean
        self._pending: Cepstra = np.empty((0, CEPSTRA), np.float32)
        self._ended = False
        self._decoder: pocketsphinx.Decoder | None = engine.take(kind)
        self._decoder.start_utt()

    def feed(self, cepstra: Cepstra) -> None:
        """Takes the next frames, any number of them."""
        pending = np.concatenate([self._pending, cepstra])
        whole = len(pending) - len(pending) % PIECE_FRAMES
        for start in range(0, whole, PIECE_FRAMES):
            self._process(pending[start : start + PIECE_FRAMES])
        self._pending = pending[whole:]

    def end(self) -> None:
        """Everything was fed."""
        if len(self._pending):
            self._process(self._pending)
        self._ended = True
        self._open_decoder.end_utt()

    def words(self) -> list[Word]:
        """The best words so far, without silence and noises; at the end none if they are no sentence of the grammar."""
        if self._open_decoder.hyp() is None:
            return []
        found = []
        for segment in self._open_decoder.seg() or ():
            if segment.word[0] not in NO_WORD:
                text = _VARIANT.sub("", segment.word)
                found.append(Word(text, segment.start_frame * FRAME_MS, (segment.end_frame + 1) * FRAME_MS))
        return found

    def close(self) -> None:
        """May be called twice."""
        decoder, self._decoder = self._decoder, None
        if decoder is not None:
            if not self._ended:
                decoder.end_utt()
            self._engine.give_back(self._kind, decoder)

    @property
    def _open_decoder(self) -> pocketsphinx.Decoder:
        assert self._decoder is not None, "the reading is closed"
        return self._decoder

    def _process(self, cepstra: Cepstra) -> None:
        self._mean.update(cepstra)
        # Said again before each piece, so that pocketsphinx never moves it by itself.
        self._open_decoder.set_cmn(",".join(f"{value:.3f}" for value in self._mean.value))
        self._open_decoder.process_cep(cepstra.tobytes(), False, False)


@cache
def features(spec: FeatureSpec) -> SphinxFeatures:
    """What makes cepstra of frames of that kind."""
    return SphinxFeatures(spec)


def transcript(words: Sequence[Word]) -> str:
    return " ".join(word.text for word in words)


def kind_of(folder: str) -> Kind:
    """What a domain's folder asks for: its grammar, as it is now, or open speech. DomainError if it cannot be read."""
    file = Path(folder) / GRAMMAR
    try:
        if not file.exists():
            return OPEN_SPEECH
        dictionary = Path(folder) / DICTIONARY
        return Kind(folder, file.read_text("utf-8"), dictionary.read_text("utf-8") if dictionary.exists() else "")
    except (OSError, UnicodeDecodeError) as error:
        raise DomainError(f"{folder}: its grammar cannot be read: {error}.") from error


def load(kind: Kind) -> pocketsphinx.Decoder:
    """A new decoder. EngineError if the general model is not there; DomainError, naming the file, if the grammar or
    dictionary cannot be used."""
    open_speech = kind.grammar is None
    # fwdflat and bestpath are second passes at the end: 0.2 s for open speech, and up to 16 s under a grammar.
    passes: dict[str, bool] = {"fwdflat": False, "bestpath": False}
    try:
        decoder = pocketsphinx.Decoder(loglevel="FATAL", **passes, **({} if open_speech else {"lm": None}))
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
        decoder.add_jsgf_string(GRAMMAR, grammar)
        decoder.activate_search(GRAMMAR)
    except (RuntimeError, ValueError) as error:
        unknown = [word for word in grammar_words(grammar) if decoder.lookup_word(word) is None]
        why = f"no pronunciation is known of {', '.join(unknown)}; add them to {DICTIONARY}" if unknown else str(error)
        raise DomainError(f"{kind.folder}/{GRAMMAR}: cannot be used: {why}.") from error


def grammar_words(grammar: str) -> list[str]:
    """The words of a JSGF grammar, each once, in order."""
    # The first two statements are the header and the grammar's own name.
    rules = _NOT_SPOKEN.sub(" ", grammar).split(";", 2)[-1]
    return list(dict.fromkeys(_SPOKEN.findall(rules)))
