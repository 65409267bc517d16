"""Whisper by CTranslate2, int8 on the CPU: the final transcript of open speech.

Radford et al. 2022, "Robust Speech Recognition via Large-Scale Weak Supervision". Only frames come in: they become
what Whisper was trained on, are padded, encoded, and decoded greedily without timestamps and without earlier text.

Whisper was trained to listen to 30 s, and the encoder takes most of the time. Here it listens to the utterance and a
few seconds of padding, and to the whole window only where the first reading is not sure.
"""

import hashlib
import math
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

import ctranslate2
import numpy as np
import numpy.typing as npt
import tokenizers

from cloud.decoders import Alternative, Hypothesis, Name, Sentence, Task
from cloud.decoders.whisper_decoder import load_decoder
from cloud.decoders.whisper_guards import Reading, doubts, is_settled
from cloud.decoders.whisper_names import NameReader
from cloud.decoders.whisper_sentences import TEXT_END, SentenceReader, ends, token_id
from cloud.understanding.written import spoken_words
from common.errors import EngineError
from protos.feature_spec import DEFAULT_SPEC, Levels, LogMel

WINDOW_FRAMES = 3000
"""The whole window, 30 s."""

STRETCH_FRAMES = 800
CUT_FRAMES = 500
QUIET_FRAMES = 10
"""Longer speech is read in stretches, cut at the quietest tenth of a second of a stretch's last 5 s. In one window of
20 to 28 s Whisper passes over whole sentences where another voice goes on: 0.130 word errors in three minutes of such
speech; in stretches of 20 s 0.167, of 15 s 0.134, of 10 s 0.089, of 8 s 0.093. In six minutes, of 10 s 0.124, of 8 s
0.103, of 6 s 0.114."""

PADDING_S = 8.0
"""Word errors of 938 words in 100 clips, and seconds of CPU a clip: whole window 78, 0.75; 15 s 80, 0.35; 8 s 82, 0.24;
6 s 121; 4 s 209. faster-whisper on the same clips as audio: 83, 0.87."""

PADDING_LOG10 = -4.0
"""What stands after the utterance; Whisper sees 0. Silence (8 below the loudest) is as good in the whole window, and
worse in a shorter one: 96 word errors with 8 s."""

FIRST_FRAMES = 100
"""The window of what is read before anybody speaks, to know that this machine can: 50 ms of CPU, loading takes 600."""


SENTENCE_FRAMES_MAX = 1500
"""Longer speech is no sentence of a domain."""

FITS_MIN, LIKELY_MIN = -0.8, -2.5
"""A sentence of the domain is as good as the free reading if each of its words is so little less likely, and no less
likely in itself, natural logarithms: then no longer window is needed."""
WORTH_MIN, WORDS_MORE, WORDS_MIN = -3.0, 4, 10
"""A sentence whose words are so much less likely than the free reading is nobody's intent (confidence.py: 0.05 at
most), nor is one of so many words more; it is not followed to its end."""

CERTAIN_MIN = -0.5
"""A free reading of such likelihood, by the token, that is a sentence of the domain is that sentence: no other is
looked for."""

ENGLISH = "<|en|>"


class Heard(NamedTuple):
    """What a stretch of frames says."""

    reading: Reading
    sentences: tuple[Sentence, ...] = ()
    free_score: float = 0.0
    """Log-probability of what was read freely where the sentences were."""
    names: tuple[Name, ...] = ()


NAMED_MAX = 3
"""Readings with a name of a large catalogue in them that are alternatives."""

Known = dict[bytes, Heard]
"""What is known of an utterance's stretches, by their frames and domain."""

KNOWN_MAX = 64
"""Utterances whose readings are kept, the newest ones."""


class Whisper:
    """A loaded Whisper model, for one language or several. EngineError if the folder `weights` holds none
    that knows the language, or what it holds cannot be computed here: the library makes its kernels when it first
    reads."""

    name = "whisper"

    def __init__(
        self,
        weights: str,
        *,
        bundles: Sequence[str] = (),
        device: str = "cpu",
        compute_type: str = "int8",
        threads: int = 1,
        languages: Sequence[str] = ("en",),
        padding_s: float = PADDING_S,
    ) -> None:
        """`device` and `compute_type` are CTranslate2's; `languages` are first parts of BCP 47 tags, of several the
        one that is heard. `bundles`: of domains whose sentences will be listened for."""
        folder = self._folder = Path(weights)
        self.model = folder.name
        self._padding_frames = round(100 * padding_s)
        try:
            self._whisper = ctranslate2.models.Whisper(
                weights, device=device, compute_type=compute_type, inter_threads=1, intra_threads=threads
            )
            self._tokens = tokenizers.Tokenizer.from_buffer((folder / "tokenizer.json").read_bytes())
        except (RuntimeError, ValueError, OSError) as error:
            raise EngineError(
                f"{folder} holds no Whisper weights that can be loaded on {device} as {compute_type}: "
                f"{str(error).rstrip('.')}."
            ) from error
        self._prompts = {f"<|{language}|>": self._prompt_in(language) for language in languages}
        self._prompt = next(iter(self._prompts.values()))
        self._text_end = token_id(self._tokens, TEXT_END)
        self._known: OrderedDict[tuple[str, str], Known] = OrderedDict()
        self._sentences = SentenceReader(folder, self._tokens)
        self._names = NameReader(folder, self._tokens, self._prompt, ends(self._tokens))
        for bundle in bundles:
            self._sentences.prepare(bundle)
            self._names.listening(bundle)
        self._read_first()

    def _prompt_in(self, language: str) -> list[int]:
        """EngineError if these weights do not know it."""
        tokens = prompt(self._whisper.is_multilingual, language)
        ids = [number for token in tokens if (number := self._tokens.token_to_id(token)) is not None]
        if len(ids) < len(tokens) or (language != "en" and not self._whisper.is_multilingual):
            raise EngineError(f"Whisper ({self.model}) does not know the language {language}.")
        return ids

    def _prompt_for(self, encoded: ctranslate2.StorageView) -> list[int]:
        """In the likeliest of its languages: a step of the decoder, where the encoder takes most."""
        if len(self._prompts) == 1:
            return self._prompt
        likely = self._whisper.detect_language(encoded)[0]
        return next(self._prompts[token] for token, _ in likely if token in self._prompts)

    def begin(self, task: Task) -> "WhisperDecoding":
        return WhisperDecoding(self, task, self._known_of(task))

    def _read_first(self) -> None:
        """Reads a second of silence. EngineError if that cannot be done."""
        spec = DEFAULT_SPEC
        silence = spec.dequantise(np.zeros((FIRST_FRAMES, spec.bands), np.int8))
        try:
            encoded = self._encode(silence, FIRST_FRAMES)
            reading = self._read(encoded, FIRST_FRAMES, self._prompt_for(encoded))
        except (RuntimeError, ValueError) as error:
            raise EngineError(f"Whisper ({self.model}) is loaded, and cannot read on this machine: {error}.") from error
        if not (math.isfinite(reading.log_probability) and math.isfinite(reading.no_speech)):
            raise EngineError(
                f"Whisper ({self.model}) is loaded, and what it reads are no numbers: its weights are bad."
            )

    def _known_of(self, task: Task) -> Known:
        """What was read of that utterance before, at a pause that was none."""
        key = (task.device_id, task.utterance_id)
        known = self._known.setdefault(key, {})
        self._known.move_to_end(key)
        if len(self._known) > KNOWN_MAX:
            self._known.popitem(last=False)
        return known

    def encoded(self, log_mel: LogMel) -> npt.NDArray[np.float32]:
        """What the encoder makes of (frames, 80) log10 powers, WINDOW_FRAMES of them at most: (positions, width), two
        frames a position, without those of the padding."""
        window_frames = min(len(log_mel) + self._padding_frames, WINDOW_FRAMES)
        encoded: npt.NDArray[np.float32] = np.array(self._encode(log_mel, window_frames), np.float32)[0]
        return encoded[: positions_of(log_mel)]

    def read(self, log_mel: LogMel, bundle: str = "") -> Heard:
        """What (frames, 80) log10 powers say, WINDOW_FRAMES of them at most; as sentences of a domain, too."""
        window_frames = min(len(log_mel) + self._padding_frames, WINDOW_FRAMES)
        encoded = self._encode(log_mel, window_frames)
        prompt_ids = self._prompt_for(encoded)
        reading = self._read(encoded, len(log_mel), prompt_ids)
        free_score = reading.log_probability * (reading.tokens + 1)
        sentences: tuple[Sentence, ...] = ()
        names: tuple[Name, ...] = ()
        # The sentences of domains are English: of German they would be made as well.
        english = bool(bundle) and prompt_ids == self._prompts.get(ENGLISH)
        # What is nearly certain is no other sentence.
        words = spoken_words(reading.text)
        written = english and _is_certain(reading) and self._sentences.knows(words, bundle)
        if written:
            sentences = (Sentence(" ".join(words), free_score),)
        elif english:
            positions = np.array(encoded, np.float32)[0]
            memory = cache(lambda: load_decoder(self._folder).memory(positions))
            worth = free_score + WORTH_MIN * max(len(reading.words.split()) + WORDS_MORE, WORDS_MIN)
            sentences = self._sentences.read(memory, bundle, prompt_ids, worth)
        fits = written or (bool(sentences) and _fits(sentences[0], free_score))
        if english and reading.words and not fits:
            names = self._names.read(memory, positions[: positions_of(log_mel)], reading.text, bundle)
        if not (fits or is_settled(reading) or window_frames == WINDOW_FRAMES):
            whole = self._encode(log_mel, WINDOW_FRAMES)
            reading = self._read(whole, len(log_mel), self._prompt_for(whole))
        return Heard(reading, sentences, free_score, names)

    def _encode(self, log_mel: LogMel, window_frames: int) -> ctranslate2.StorageView:
        return self._whisper.encode(ctranslate2.StorageView.from_array(encoder_input(log_mel, window_frames)))

    def _read(self, encoded: ctranslate2.StorageView, frames: int, prompt_ids: list[int]) -> Reading:
        """Freely, what so many frames say."""
        # Nobody says more in the time; words that go round and round would.
        tokens_max = 8 + frames // 14
        result = self._whisper.generate(
            encoded,
            [prompt_ids],
            beam_size=1,
            no_repeat_ngram_size=3,
            max_length=len(prompt_ids) + tokens_max,
            return_scores=True,
            return_no_speech_prob=True,
        )[0]
        tokens = result.sequences_ids[0]
        return Reading(
            text=self._tokens.decode([token for token in tokens if token < self._text_end]).strip(),
            tokens=len(tokens),
            tokens_max=tokens_max,
            # The score is the mean of the text's tokens and does not count the end of text, which was decided too.
            log_probability=result.scores[0] * len(tokens) / (len(tokens) + 1),
            no_speech=result.no_speech_prob,
        )


def positions_of(log_mel: LogMel) -> int:
    """So many of the encoder's positions are no padding."""
    return len(log_mel) // 2


def _is_certain(reading: Reading) -> bool:
    return is_settled(reading) and reading.log_probability >= CERTAIN_MIN


def _fits(sentence: Sentence, free_score: float) -> bool:
    words = len(sentence.text.split())
    return sentence.score >= LIKELY_MIN * words and sentence.score - free_score >= FITS_MIN * words


class WhisperDecoding:
    """One utterance. Has no partials: everything happens in `finish`.

    Its confidence stays unset: two constants fitted to the log-probability on half of 100 sentences were off by up to
    0.3 on the other half, which is not calibrated.
    """

    def __init__(self, engine: Whisper, task: Task, known: Known) -> None:
        self._engine = engine
        self._task = task
        self._known = known
        self._fed: list[Levels] = []

    def feed(self, levels: Levels) -> str | None:
        self._fed.append(levels.copy())
        return None

    def finish(self) -> Hypothesis:
        spec = self._task.spec
        log_mel = spec.dequantise(np.concatenate([np.empty((0, spec.bands), np.int8), *self._fed]))
        pieces = list(stretches(log_mel))
        bundle = self._task.bundle
        if len(pieces) == 1:
            whole = self._hear(pieces[0], bundle)
            return hypothesis(self._engine.model, [whole], whole)
        whole_if_short = self._hear(log_mel, bundle) if bundle and 0 < len(log_mel) <= SENTENCE_FRAMES_MAX else None
        return hypothesis(self._engine.model, [self._hear(piece, "") for piece in pieces], whole_if_short)

    def _hear(self, log_mel: LogMel, bundle: str) -> Heard:
        # The bytes are the key: what was read is read again only if it is the same.
        key = hashlib.sha256(log_mel.tobytes() + bundle.encode()).digest()
        if key not in self._known:
            self._known[key] = self._engine.read(log_mel, bundle)
        return self._known[key]

    def close(self) -> None:
        self._fed.clear()


def hypothesis(model: str, heard: list[Heard], whole: Heard | None = None) -> Hypothesis:
    """What stretches that follow on say together; a silent one among others is passed over. `whole`: all of it, as the
    domain's sentences and names."""
    readings = [each.reading for each in heard]
    spoken = [reading for reading in readings if not {"no_speech", "ghost"}.intersection(doubts(reading))]
    counted = spoken or readings
    objections = dict.fromkeys(objection for reading in counted for objection in doubts(reading))
    text = " ".join(reading.text for reading in counted if reading.words)
    names = whole.names if whole else ()
    return Hypothesis(
        "whisper",
        model,
        text,
        alternatives=tuple(Alternative(name.said, None, "whisper") for name in names[:NAMED_MAX]),
        doubts=tuple(objections) if counted else ("no_speech",),
        sentences=whole.sentences if whole else (),
        free_score=whole.free_score if whole else None,
        names=names,
    )


def prompt(is_multilingual: bool, language: str = "en") -> list[str]:
    """What stands before the transcript: words of that language without timestamps."""
    task = [f"<|{language}|>", "<|transcribe|>"] if is_multilingual else []
    return ["<|startoftranscript|>", *task, "<|notimestamps|>"]


def encoder_input(log_mel: LogMel, window_frames: int) -> npt.NDArray[np.float32]:
    """(frames, bands) log10 powers as Whisper's encoder takes them, (1, bands, window_frames): at most 8 below the
    loudest, scaled, padded."""
    padded = np.full((window_frames, log_mel.shape[1]), PADDING_LOG10, np.float32)
    padded[: len(log_mel)] = np.maximum(log_mel, log_mel.max() - 8)
    return np.ascontiguousarray((padded.T[np.newaxis] + 4) / 4)


def stretches(log_mel: LogMel) -> Iterator[LogMel]:
    """(frames, bands) log10 powers in pieces that are read one by one; none of no frames. Where the first ones are cut
    does not depend on what follows."""
    while len(log_mel) > STRETCH_FRAMES:
        loudness = log_mel[STRETCH_FRAMES - CUT_FRAMES : STRETCH_FRAMES].mean(axis=1)
        quiet = np.convolve(loudness, np.ones(QUIET_FRAMES), "valid")
        cut = STRETCH_FRAMES - CUT_FRAMES + int(quiet.argmin()) + QUIET_FRAMES // 2
        yield log_mel[:cut]
        log_mel = log_mel[cut:]
    if len(log_mel):
        yield log_mel
