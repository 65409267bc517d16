"""A program of this board as a sink: an argument list, never a shell; ended after its time with all that it started."""

import logging
import os
import re
import select
import signal
import time
from pathlib import Path
from typing import Any

import msgspec

from common.errors import ActionError, SettingsError
from common.plain_text import plain
from edge.actions.action import Action
from edge.actions.patterns import matches
from edge.actions.spawn import end_group, spawn
from edge.settings import Program as ProgramSettings

logger = logging.getLogger(__name__)

OUTPUT_BYTES_MAX = 4096
"""Of what it writes, so much is logged; the rest is read and thrown away, so that it need not wait."""

ARGUMENT_CHARACTERS_MAX = 4096

GRACE_S = 1.0
"""Between asking it to end and ending it."""

OWN = ("action", "intent", "transcript", "response", "utterance_id", "device_id")
"""Placeholders that are not a slot's."""

_PLACEHOLDER = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")


class Program:
    """`close` ends what runs."""

    def __init__(self, settings: ProgramSettings) -> None:
        self.name = settings.name
        self._settings = settings
        self._closing = os.eventfd(0, os.EFD_CLOEXEC)

    def close(self) -> None:
        os.eventfd_write(self._closing, 1)

    def wants(self, name: str) -> bool:
        return matches(name, self._settings.actions)

    def preview(self, action: Action) -> str:
        return f"run {' '.join(plain(repr(argument)) for argument in self._arguments(action))}"

    def run(self, action: Action, left_s: float) -> None:
        arguments = self._arguments(action)
        try:
            pid, output = spawn(arguments)
        except OSError as error:
            raise ActionError(f"{self.name}: {arguments[0]} cannot be started: {error.strerror}.") from error
        try:
            why_ended = self._follow(pid, output)
        finally:
            # What it left behind goes with it; its own id is nobody else's until it is waited for.
            end_group(pid, signal.SIGKILL)
            _, status = os.waitpid(pid, 0)
            os.close(output)
        if why_ended is not None:
            raise ActionError(f"{self.name}: {why_ended}")
        if (code := os.waitstatus_to_exitcode(status)) != 0:
            how = f"ended with status {code}" if code > 0 else f"was ended by signal {-code}"
            raise ActionError(f"{self.name}: {arguments[0]} {how}.")

    def _follow(self, pid: int, output: int) -> str | None:
        """Reads what it writes until it has ended; why it had to be, a sentence."""
        written = bytearray()
        process = os.pidfd_open(pid)
        try:
            ended = _wait(process, output, self._closing, self._settings.time_s_max, written)
            if ended is None:
                end_group(pid, signal.SIGTERM)
                _wait(process, output, None, GRACE_S, written)
                return f"was ended after {self._settings.time_s_max:g} s."
            if not ended:
                end_group(pid, signal.SIGTERM)
                _wait(process, output, None, GRACE_S, written)
                return "was ended, as the board stops."
            return None
        finally:
            os.close(process)
            _read(output, written)
            if written:
                logger.debug("%s wrote: %s", self.name, plain(written.decode(errors="replace")))

    def _arguments(self, action: Action) -> list[str]:
        """ActionError where what was said might be taken for an option, or cannot be an argument."""
        arguments: list[str] = []
        for part in self._settings.command:
            placeholder = _PLACEHOLDER.fullmatch(part)
            if placeholder is None:
                arguments.append(part)
                continue
            value = _value(action, placeholder[1])
            if "\0" in value or len(value) > ARGUMENT_CHARACTERS_MAX:
                raise ActionError(f"{self.name}: what is said for {part} cannot be an argument.")
            # Nobody who speaks shall give options.
            if value.startswith("-") and "--" not in arguments:
                raise ActionError(
                    f'{self.name}: what is said for {part} begins with "-" and might be taken for an option; '
                    'put "--" before it in the command, if the program knows that.'
                )
            arguments.append(value)
        return arguments


def check_command(settings: ProgramSettings) -> None:
    """SettingsError, a sentence, if it is not as a command must be."""
    called = f"The command of actions.programs {settings.name}"
    program = settings.command[0]
    if not program.startswith("/"):
        raise SettingsError(f"{called} must begin with a program's path, from /; it is {program!r}.")
    for part in settings.command[1:]:
        if _PLACEHOLDER.search(part) and not _PLACEHOLDER.fullmatch(part):
            raise SettingsError(f"{called}: {part!r} holds a placeholder, which must be a whole argument.")
        if "\0" in part:
            raise SettingsError(f"{called}: no argument holds a NUL.")


def is_missing(settings: ProgramSettings) -> bool:
    """Whether there is no such program that may be run here, now."""
    return not os.access(settings.command[0], os.X_OK) or Path(settings.command[0]).is_dir()


def _value(action: Action, name: str) -> str:
    """Nothing was said of it: an empty argument, so that those that follow stay where they are."""
    value: Any = action.name if name == "action" else getattr(action, name) if name in OWN else action.value(name)
    if value is None:
        return ""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _wait(process: int, output: int, closing: int | None, timeout_s: float, written: bytearray) -> bool | None:
    """True: the process has ended; False: the board stops; None: its time is over. What it writes is read meanwhile."""
    until_s = time.monotonic() + timeout_s
    poll = select.poll()
    for descriptor in (process, output, closing):
        if descriptor is not None:
            poll.register(descriptor, select.POLLIN)
    while (left_s := until_s - time.monotonic()) > 0:
        ready = [descriptor for descriptor, _ in poll.poll(left_s * 1000)]
        if output in ready and not _read(output, written):
            poll.unregister(output)
        if process in ready:
            return True
        if closing in ready:
            return False
    return None


def _read(output: int, written: bytearray) -> bool:
    """What is there, at most one piece. False when nobody writes any more."""
    try:
        piece = os.read(output, 1 << 16)
    except BlockingIOError:
        return True
    written += piece[: OUTPUT_BYTES_MAX - len(written)]
    return bool(piece)
