"""What a loudspeaker is to the rest of the board; and the real one, a program of its own for each sound.

A program is started when something may be played soon, and waits; one that nobody wants after a while is ended. So a
board that says nothing holds nothing for it, and who is answered does not wait until a sound system is looked through.
"""

import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Protocol

from common.errors import LoudspeakerError
from edge.answering.playing import OPEN
from edge.sound.source import Samples

PATIENCE_S = 5.0
"""How long a device may take to open, and to take more sound; and how long its last sound may take to be heard."""

COMMAND = (sys.executable, "-m", "edge.answering.playing")

_SENTENCE_BYTES_MAX = 4096

Program = subprocess.Popen[bytes]


class Loudspeaker(Protocol):
    """`stop` is for any thread and never waits, the rest for one."""

    def prepare(self) -> None:
        """Something may be played soon."""

    def rest(self) -> None:
        """Nothing will be for a while."""

    def play(self, sound: Iterable[Samples], began: Callable[[], None]) -> None:
        """Comes back when all of it has been heard, or it was stopped.

        `sound` is 16 bit at 48 kHz; `began` is called just before the first of it may be heard, if any is.
        LoudspeakerError, a sentence, if it cannot be played.
        """

    def stop(self) -> None:
        """Ends what is being played, at once."""


class SpeakerProgram:
    """A Loudspeaker."""

    def __init__(self, device: str, command: tuple[str, ...] = COMMAND, patience_s: float = PATIENCE_S) -> None:
        """`device`: its name, a part of it, or its number; empty: the default."""
        self._command = (*command, device)
        self._patience_s = patience_s
        self._waiting: Program | None = None
        self._playing: Program | None = None
        # Held while a program comes or goes: none is killed that is another's already.
        self._lock = threading.Lock()

    def prepare(self) -> None:
        """Starts a program that waits, if none does. What hinders that is told when something is to be played."""
        if self._waiting is None or self._waiting.poll() is not None:
            self.rest()
            with suppress(OSError):
                self._waiting = self._started()

    def rest(self) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            _end(waiting)

    def play(self, sound: Iterable[Samples], began: Callable[[], None]) -> None:
        program = self._taken()
        with self._lock:
            self._playing = program
        try:
            self._send(program, sound, began)
        finally:
            with self._lock:
                self._playing = None
            _end(program)

    def stop(self) -> None:
        with self._lock:
            if self._playing is not None:
                self._playing.kill()

    def _taken(self) -> Program:
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            if waiting.poll() is None:
                return waiting
            _end(waiting)
        try:
            return self._started()
        except OSError as error:
            raise LoudspeakerError(f"What plays sound cannot be started: {error.strerror or error}.") from error

    def _started(self) -> Program:
        program = subprocess.Popen(
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0
        )
        assert program.stdin is not None
        os.set_blocking(program.stdin.fileno(), False)
        return program

    def _send(self, program: Program, sound: Iterable[Samples], began: Callable[[], None]) -> None:
        assert program.stdin is not None
        opened = False
        for samples in sound:
            if not opened:
                opened = self._write(program, b"\n") and self._is_open(program)
                if not opened:
                    return
                began()
            if not self._write(program, samples.astype("<i2", copy=False).tobytes()):
                return
        program.stdin.close()
        try:
            program.wait(self._patience_s)
        except subprocess.TimeoutExpired as error:
            raise _hung() from error

    def _is_open(self, program: Program) -> bool:
        """False if it was stopped meanwhile."""
        assert program.stdout is not None
        if not select.select([program.stdout], [], [], self._patience_s)[0]:
            raise _hung()
        said = os.read(program.stdout.fileno(), _SENTENCE_BYTES_MAX).decode(errors="replace").strip()
        if said != OPEN and not _was_killed(program):
            raise LoudspeakerError(f"The loudspeaker cannot be used: {said or 'what plays sound died'}")
        return said == OPEN

    def _write(self, program: Program, data: bytes) -> bool:
        """False if it is gone."""
        assert program.stdin is not None
        rest = memoryview(data)
        while rest:
            if not select.select([], [program.stdin], [], self._patience_s)[1]:
                raise _hung()
            try:
                rest = rest[os.write(program.stdin.fileno(), rest) :]
            except BrokenPipeError:
                if _was_killed(program):
                    return False
                raise LoudspeakerError("The loudspeaker went away while it played.") from None
        return True


def _hung() -> LoudspeakerError:
    return LoudspeakerError("The loudspeaker hangs; what it was playing was given up.")


def _was_killed(program: Program) -> bool:
    """By `stop`."""
    with suppress(subprocess.TimeoutExpired):
        program.wait(1.0)
    return program.returncode == -signal.SIGKILL


def _end(program: Program) -> None:
    """Whatever it is doing."""
    program.kill()
    assert program.stdin is not None
    assert program.stdout is not None
    program.stdin.close()
    program.stdout.close()
    with suppress(subprocess.TimeoutExpired):
        program.wait(1.0)
