"""The engines of the service without a service: frames in, words out."""

from collections.abc import Sequence

import numpy as np

from benchmarks.domains import bundle
from cloud.decoders import Engine, Task
from cloud.decoders.pocketsphinx import PocketSphinx
from cloud.decoders.weights import usable
from cloud.decoders.whisper import Whisper
from cloud.settings import CloudSettings
from edge.sound.source import Samples
from edge.speech.log_mel import LogMel
from protos.feature_spec import FeatureSpec, Levels

FED_FRAMES = 10

Messages = list[Samples]
"""The sound of an utterance, 100 ms at a time, as a board hears it."""


class Listeners:
    """Whisper, pocketsphinx without and with a grammar; each is loaded when it is first asked."""

    def __init__(self) -> None:
        self._engines: dict[str, Engine] = {}

    def words(self, name: str, spec: FeatureSpec, utterances: Sequence[Levels]) -> str:
        """What an engine ("whisper", "pocketsphinx", "grammar") makes of the utterances of a clip."""
        coffee = bundle("coffee") if name == "grammar" else ""
        found = []
        for number, levels in enumerate(utterances):
            # A board of its own each time: no mean is carried on from clip to clip.
            decoding = self._engine(name).begin(Task(f"board-{number}", "", spec, coffee))
            for start in range(0, len(levels), FED_FRAMES):
                decoding.feed(levels[start : start + FED_FRAMES])
            hypothesis = decoding.finish()
            # What pocketsphinx doubts is counted as heard: the choice between engines is not measured here.
            silent = name == "whisper" and "no_speech" in hypothesis.doubts
            sentence = hypothesis.sentences[0].text if hypothesis.sentences else ""
            found.append("" if silent else hypothesis.transcript or sentence)
        return " ".join(found)

    def _engine(self, name: str) -> Engine:
        if name not in self._engines:
            self._engines[name] = _load(name)
        return self._engines[name]


def levels_of(spec: FeatureSpec, messages: Messages) -> list[Levels]:
    """What a board sends of that sound."""
    log_mel = LogMel(spec)
    return [levels for samples in messages if len(levels := spec.quantise(log_mel.push(samples)))]


def whole(spec: FeatureSpec, messages: Messages) -> Levels:
    """The same in one piece."""
    return np.concatenate([np.empty((0, spec.bands), np.int8), *levels_of(spec, messages)])


def _load(name: str) -> Engine:
    if name == "whisper":
        return Whisper(str(usable("tiny.en", CloudSettings().storage.weights_dir)))
    if name == "pocketsphinx":
        return PocketSphinx(alone=True)
    return PocketSphinx(bundles=[bundle("coffee")])
