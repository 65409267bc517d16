"""What a synthesiser is to the rest: voices, and sound for texts."""

import subprocess
import wave
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from common.errors import EngineError

SPOKEN_S_MAX = 60
"""So long a program may take for what it is given."""

Sound = npt.NDArray[np.int16]
"""Mono, at the rate of the voice."""


class Voice(NamedTuple):
    """Somebody, as a machine has them."""

    engine: str
    name: str
    licence: str | None
    own_pitch: bool
    """The engine itself speaks higher or lower; else speech is played faster that was spoken slower."""
    person: str | None = None
    """Who lent the voice, where several engines have it."""

    @property
    def full_name(self) -> str:
        return f"{self.engine}/{self.name}"

    @property
    def speaker(self) -> str:
        """The same person is one speaker, whatever engine speaks."""
        return self.person or self.full_name


class Manner(NamedTuple):
    """How it is said."""

    speed: float = 1.0
    """1.0 is the voice's own."""
    pitch_semitones: float = 0.0

    @property
    def pitch_ratio(self) -> float:
        return float(2 ** (self.pitch_semitones / 12))


class Spoken(NamedTuple):
    """A text as sound."""

    sound: Sound
    rate_hz: int


class Engine(Protocol):
    """Loads nothing before it is asked."""

    name: str
    usual: str
    """The voices that are taken when nobody names any, as a regular expression."""

    def voices(self) -> list[Voice]:
        """All it has for English. EngineError with what to install if it is not there."""

    def say(self, voice: Voice, manner: Manner, texts: Sequence[str]) -> Iterator[Spoken | str]:
        """For each text its sound, or why there is none; pitch is heeded where the voice has its own. May be called by
        several threads."""


def run(command: Sequence[str], words: str = "", *, install: str) -> str:
    """Runs a synthesiser, gives it words, and returns what it prints. EngineError if it is missing or fails."""
    try:
        done = subprocess.run(
            command, input=words, capture_output=True, text=True, errors="replace", timeout=SPOKEN_S_MAX, check=False
        )
    except FileNotFoundError as error:
        raise EngineError(f"{command[0]} is not there: sudo apt-get install {install}") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EngineError(f"{command[0]} could not be used: {error}.") from error
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise EngineError(f"{command[0]} failed: {said[-1] if said else f'status {done.returncode}'}.")
    return done.stdout


def read_wav(file: Path) -> Spoken | str:
    """What a program wrote, or why it is of no use."""
    try:
        with wave.open(str(file)) as wav:
            if (wav.getnchannels(), wav.getsampwidth()) != (1, 2):
                return "what was written is not mono of 16 bit"
            return Spoken(np.frombuffer(wav.readframes(wav.getnframes()), "<i2").astype(np.int16), wav.getframerate())
    except FileNotFoundError:
        return "nothing was spoken"
    except (OSError, EOFError, wave.Error) as error:
        return f"nothing was spoken ({error or type(error).__name__})"
