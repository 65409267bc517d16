"""Whisper by CTranslate2, int8 on the CPU: the final transcript of open speech.

Radford et al. 2022, "Robust Speech Recognition via Large-Scale Weak Supervision". Only frames come in: they become
what Whisper was trained on, are padded, encoded, and decoded greedily without timestamps and without earlier text.

Whisper was trained to listen to 30 s, and the encoder takes most of the time. Here it listens to the utterance and a
few seconds of padding, and to the whole window only where the first reading is not sure.
"""

import hashlib
import math
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path

import ctranslate2
import numpy as np
import numpy.typing as npt
import tokenizers

from cloud.decoders import Hypothesis, Task
from cloud.decoders.whisper_guards import Reading, doubts, is_settled
from common.errors import EngineError
from protos.feature_spec import DEFAULT_SPEC, FeatureSpec, Levels, LogMel

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


Known = dict[bytes, Reading]
"""Readings of an utterance's stretches, by their frames."""

KNOWN_MAX = 64
"""Utterances whose readings are kept, the newest ones."""


class Whisper:
    """A loaded Whisper model, English only for now. EngineError if the folder `weights` holds none, or what it holds
    cannot be computed here: the library makes its kernels when it first reads."""

    name = "whisper"

    def __init__(self, weights: str, *, threads: int = 1, padding_s: float = PADDING_S) -> None:
        folder = Path(weights)
        self.model = folder.name
        self._padding_frames = round(100 * padding_s)
        try:
            self._whisper = ctranslate2.models.Whisper(
                weights, device="cpu", compute_type="int8", inter_threads=1, intra_threads=threads
            )
            self._tokens = tokenizers.Tokenizer.from_buffer((folder / "tokenizer.json").read_bytes())
        except (RuntimeError, ValueError, OSError) as error:
            raise EngineError(f"{folder} holds no Whisper weights that can be loaded: {error}.") from error
        self._prompt = [self._tokens.token_to_id(token) for token in prompt(self._whisper.is_multilingual)]
        self._text_end = self._tokens.token_to_id("<|endoftext|>")
        self._known: OrderedDict[tuple[str, str], Known] = OrderedDict()
        self._read_first()

    def begin(self, task: Task) -> "WhisperDecoding":
        return WhisperDecoding(self, task.spec, self._known_of(task))

    def _read_first(self) -> None:
        """Reads a second of silence. EngineError if that cannot be done."""
        spec = DEFAULT_SPEC
        silence = spec.dequantise(np.zeros((FIRST_FRAMES, spec.bands), np.int8))
        try:
            reading = self._read(silence, FIRST_FRAMES)
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

    def read(self, log_mel: LogMel) -> Reading:
        """What (frames, 80) log10 powers say, WINDOW_FRAMES of them at most."""
        window_frames = min(len(log_mel) + self._padding_frames, WINDOW_FRAMES)
        reading = self._read(log_mel, window_frames)
        if is_settled(reading) or window_frames == WINDOW_FRAMES:
            return reading
        return self._read(log_mel, WINDOW_FRAMES)

    def _read(self, log_mel: LogMel, window_frames: int) -> Reading:
        encoded = self._whisper.encode(ctranslate2.StorageView.from_array(encoder_input(log_mel, window_frames)))
        # Nobody says more in the time; words that go round and round would.
        tokens_max = 8 + len(log_mel) // 14
        result = self._whisper.generate(
            encoded,
            [self._prompt],
            beam_size=1,
            no_repeat_ngram_size=3,
            max_length=len(self._prompt) + tokens_max,
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


class WhisperDecoding:
    """One utterance. Has no partials: everything happens in `finish`.

    Its confidence stays unset: two constants fitted to the log-probability on half of 100 sentences were off by up to
    0.3 on the other half, which is not calibrated.
    """

    def __init__(self, engine: Whisper, spec: FeatureSpec, known: Known) -> None:
        self._engine = engine
        self._spec = spec
        self._known = known
        self._fed: list[Levels] = []

    def feed(self, levels: Levels) -> str | None:
        self._fed.append(levels.copy())
        return None

    def finish(self) -> Hypothesis:
        levels = np.concatenate([np.empty((0, self._spec.bands), np.int8), *self._fed])
        readings = []
        for stretch in stretches(self._spec.dequantise(levels)):
            # The bytes are the key: what was read is read again only if it is the same.
            key = hashlib.sha256(stretch.tobytes()).digest()
            if key not in self._known:
                self._known[key] = self._engine.read(stretch)
            readings.append(self._known[key])
        return hypothesis(self._engine.model, readings)

    def close(self) -> None:
        self._fed.clear()


def hypothesis(model: str, readings: list[Reading]) -> Hypothesis:
    """What readings of stretches that follow on say together; a silent one among others is passed over."""
    spoken = [reading for reading in readings if not {"no_speech", "ghost"}.intersection(doubts(reading))]
    counted = spoken or readings
    objections = dict.fromkeys(objection for reading in counted for objection in doubts(reading))
    text = " ".join(reading.text for reading in counted if reading.words)
    return Hypothesis("whisper", model, text, doubts=tuple(objections) if counted else ("no_speech",))


def prompt(is_multilingual: bool) -> list[str]:
    """What stands before the transcript: English words without timestamps."""
    task = ["<|en|>", "<|transcribe|>"] if is_multilingual else []
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
