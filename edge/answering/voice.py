"""Speaks a text by a program that is installed: espeak-ng, or piper.

The text goes to its standard input, bounded and plain, never through a shell; its sound comes back as it is made. Its
first sound has a time limit and the whole a length; whatever it hangs in, it is killed.
"""

import json
import os
import select
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import numpy as np

from common.errors import LoudspeakerError
from edge.answering.chimes import RATE_HZ
from edge.answering.speech_text import speakable
from edge.settings import Answer as AnswerSettings
from edge.sound.resampler import Resampler
from edge.sound.source import Samples

PAUSE_S_MAX = 15.0
"""How long a program may say nothing: piper reads its model first, which takes a small board seconds."""

SPOKEN_S_MAX = 60.0
"""Of one text."""

_PIECE_BYTES = 1 << 14
_WAV_HEADER_BYTES = 44
_WAV_RATE = slice(24, 28)

Program = subprocess.Popen[bytes]


class Voice(Protocol):
    """Speaks in one thread; `stop` is for any and never waits."""

    def speak(self, text: str) -> Iterator[Samples]:
        """The sound of it, piece by piece, 16 bit at 48 kHz. LoudspeakerError, a sentence, if it cannot be spoken."""

    def stop(self) -> None:
        """Ends what is being spoken."""


class SpeakingProgram:
    """A Voice. A program for each text: a board that is silent holds none."""

    def __init__(
        self, command: tuple[str, ...], volume_db: float, rate_hz: int | None = None, pause_s_max: float = PAUSE_S_MAX
    ) -> None:
        """What the command writes is PCM of `rate_hz`, mono, signed 16 bit; None: with the header of a WAV file."""
        self._command = command
        self._volume = 10 ** (volume_db / 20)
        self._rate_hz = rate_hz
        self._pause_s_max = pause_s_max
        self._program: Program | None = None
        self._stopped = False
        # Held while a program comes or goes: none is killed that is another's already.
        self._lock = threading.Lock()

    def speak(self, text: str) -> Iterator[Samples]:
        program = self._started()
        with self._lock:
            self._program, self._stopped = program, False
        try:
            assert program.stdin is not None
            # It fits into the pipe whole: nothing waits here.
            with suppress(BrokenPipeError):
                program.stdin.write(speakable(text).encode() + b"\n")
            program.stdin.close()
            for samples in _at_48_khz(self._pieces(program), self._rate_hz):
                yield np.rint(samples * self._volume).astype(np.int16)
        finally:
            with self._lock:
                self._program = None
            _end(program)

    def stop(self) -> None:
        with self._lock:
            if self._program is not None:
                self._stopped = True
                self._program.kill()

    def _started(self) -> Program:
        try:
            return subprocess.Popen(
                self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0
            )
        except OSError as error:
            raise LoudspeakerError(f"{self._command[0]} cannot be started: {error.strerror or error}.") from error

    def _pieces(self, program: Program) -> Iterator[bytes]:
        """What it writes."""
        assert program.stdout is not None
        written = 0
        while select.select([program.stdout], [], [], self._pause_s_max)[0]:
            piece = os.read(program.stdout.fileno(), _PIECE_BYTES)
            written += len(piece)
            if not piece or written > SPOKEN_S_MAX * RATE_HZ * 2:
                # By the kernel, too, where piper is more than the unit's memory.
                if not written and program.wait(1.0) and not self._stopped:
                    raise LoudspeakerError(f"{self._command[0]} says nothing; it ended with {program.returncode}.")
                return
            yield piece
        raise LoudspeakerError(f"{self._command[0]} has said nothing for {self._pause_s_max:g} s; it was ended.")


def open_voice(settings: AnswerSettings) -> Voice:
    """That which is set. LoudspeakerError, a sentence, if it is not here."""
    if settings.voice == "piper":
        model = Path(settings.voice_name)
        command: tuple[str, ...] = (_found("piper"), "--model", str(model), "--output-raw")
        return SpeakingProgram(command, settings.volume_db, _rate_hz(model))
    command = (_found("espeak-ng"), "--stdin", "--stdout", "-v", settings.voice_name or "en")
    return SpeakingProgram(command, settings.volume_db)


def _found(program: str) -> str:
    # What pip has installed lies beside the interpreter.
    path = shutil.which(program) or shutil.which(program, path=str(Path(sys.executable).parent))
    if path is None:
        raise LoudspeakerError(f"answer.voice is {program}, which is not installed; install it, or set it to off.")
    return path


def _rate_hz(model: Path) -> int:
    try:
        rate_hz = json.loads(Path(f"{model}.json").read_text(encoding="utf-8"))["audio"]["sample_rate"]
        return int(rate_hz)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise LoudspeakerError(
            f"answer.voice_name is {str(model)!r}, which is no voice of piper: FILE.onnx with FILE.onnx.json beside it."
        ) from error


def _at_48_khz(pieces: Iterator[bytes], rate_hz: int | None) -> Iterator[Samples]:
    rest = b""
    if rate_hz is None:
        while len(rest) < _WAV_HEADER_BYTES:
            piece = next(pieces, b"")
            if not piece:
                return
            rest += piece
        rate_hz, rest = int.from_bytes(rest[_WAV_RATE], "little"), rest[_WAV_HEADER_BYTES:]
    resampler = Resampler(rate_hz, RATE_HZ)
    for piece in pieces:
        rest += piece
        whole = len(rest) & ~1
        yield resampler.push(np.frombuffer(rest[:whole], "<i2").astype(np.int16, copy=False))
        rest = rest[whole:]
    yield resampler.flush()


def _end(program: Program) -> None:
    program.kill()
    assert program.stdout is not None
    program.stdout.close()
    with suppress(subprocess.TimeoutExpired):
        program.wait(1.0)
