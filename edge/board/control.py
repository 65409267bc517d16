"""How a command talks to the running daemon: a Unix socket, a line of JSON each way.

    {"command": "mute"}  ->  {"ok": {...}}  or  {"refused": "One sentence."}

One request a connection, handled one after the other in one thread: requests are small and answered at once.
"""

import fcntl
import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec

from common.errors import DaemonError, ParrotletError, SettingsError
from common.settings import Loaded
from edge import directories
from edge.settings import EdgeSettings
from edge.worker import Worker

logger = logging.getLogger(__name__)

SOCKET_NAME = "edge.sock"
SOCKET_MODE = 0o660
REQUEST_BYTES_MAX = 4096
RESPONSE_BYTES_MAX = 1 << 20
PATIENCE_S = 1.0
"""How long the daemon waits for a client's line; a client that is slower is sent away."""
CLIENT_PATIENCE_S = 5.0

UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What msgspec raises of a line that is none of ours: also for bytes that are no text, and for brackets in brackets."""

Command = Callable[[], Mapping[str, Any]]
"""Answers at once, or raises ParrotletError to refuse. Called in the control thread."""


class _Request(msgspec.Struct):
    command: str


class ControlServer:
    """Answers commands on a socket in `directory`, as a context manager."""

    def __init__(self, directory: Path, commands: Mapping[str, Command]) -> None:
        self.path = directory / SOCKET_NAME
        self._commands = commands
        self._closing = threading.Event()
        self.worker = Worker("control", self._serve)
        self._socket: socket.socket

    def __enter__(self) -> "ControlServer":
        """SettingsError, a sentence, if the socket cannot be made or another daemon has it."""
        try:
            self._socket = _listen(self.path)
        except OSError as error:
            raise SettingsError(
                f"{self.path}: the control socket cannot be made: {error.strerror or error}; set device.runtime_dir."
            ) from error
        self.worker.start()
        return self

    def __exit__(self, *cause: object) -> None:
        self._closing.set()
        # Wakes `accept`.
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self.worker.join(PATIENCE_S * 3)
        # Before the close: after it the path may be another daemon's.
        self.path.unlink(missing_ok=True)
        self._socket.close()

    def _serve(self) -> None:
        while not self._closing.is_set():
            try:
                connection, _ = self._socket.accept()
            except ConnectionError:
                continue
            except OSError:
                if self._closing.is_set():
                    return
                raise
            # A client that went away, or never says anything, is its own business.
            with connection, suppress(OSError):
                connection.sendall(self._response(_line(connection, REQUEST_BYTES_MAX, PATIENCE_S)))

    def _response(self, line: bytes) -> bytes:
        try:
            return msgspec.json.encode({"ok": self._obeyed(line)}) + b"\n"
        except ParrotletError as error:
            return msgspec.json.encode({"refused": str(error)}) + b"\n"

    def _obeyed(self, line: bytes) -> Mapping[str, Any]:
        try:
            name = msgspec.json.decode(line, type=_Request).command
        except UNREADABLE as error:
            raise ParrotletError('A request is one line such as {"command": "status"}.') from error
        if name not in self._commands:
            raise ParrotletError(f"There is no command {name[:32]!r}; there are: {', '.join(self._commands)}.")
        return self._commands[name]()


def ask(loaded: Loaded[EdgeSettings], command: str) -> dict[str, Any]:
    """What the running daemon answers.

    DaemonError if there is none; ParrotletError, the daemon's own sentence, if it refuses.
    """
    tried = [directory / SOCKET_NAME for directory in directories.candidates(loaded, directories.RUNTIME)]
    for path in tried:
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(CLIENT_PATIENCE_S)
                connection.connect(str(path))
                connection.sendall(msgspec.json.encode({"command": command}) + b"\n")
                return _understood(path, _line(connection, RESPONSE_BYTES_MAX, CLIENT_PATIENCE_S))
        except (FileNotFoundError, NotADirectoryError, ConnectionRefusedError):
            continue
        except PermissionError as error:
            raise ParrotletError(f"{path}: you may not talk to this daemon; try sudo, or join its group.") from error
        except OSError as error:
            raise ParrotletError(f"{path}: the daemon does not answer: {error.strerror or error}.") from error
    raise DaemonError(f"No daemon is running at {' or '.join(map(str, tried))}; start it with: parrotlet-edge run")


def _listen(path: Path) -> socket.socket:
    """A listening socket at `path`. A file left there is replaced only if nobody listens to it; OSError."""
    with _locked(path.parent):
        if _is_listening(path):
            raise SettingsError(
                f"Another daemon is already running at {path}; stop it, or set device.runtime_dir for a second one."
            )
        path.unlink(missing_ok=True)
        listening = socket.socket(socket.AF_UNIX)
        try:
            listening.bind(str(path))
            path.chmod(SOCKET_MODE)
            listening.listen(8)
        except OSError:
            listening.close()
            raise
        return listening


@contextmanager
def _locked(directory: Path) -> Iterator[None]:
    """Two daemons that start at the same time look one after the other."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _is_listening(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(PATIENCE_S)
        try:
            probe.connect(str(path))
        except (FileNotFoundError, ConnectionRefusedError):
            return False
        except TimeoutError:
            pass
        return True


def _understood(path: Path, line: bytes) -> dict[str, Any]:
    try:
        response = msgspec.json.decode(line, type=dict[str, Any])
    except UNREADABLE as error:
        raise ParrotletError(f"{path}: what listens there is not the daemon.") from error
    if "refused" in response:
        raise ParrotletError(str(response["refused"]))
    answer = response.get("ok")
    if not isinstance(answer, dict):
        raise ParrotletError(f"{path}: what listens there is not the daemon.")
    return answer


def _line(connection: socket.socket, bytes_max: int, patience_s: float) -> bytes:
    """What comes up to a newline, the end or the bound. TimeoutError if that takes too long."""
    until_s = time.monotonic() + patience_s
    got = bytearray()
    while len(got) < bytes_max and not got.endswith(b"\n"):
        connection.settimeout(max(until_s - time.monotonic(), 0.001))
        piece = connection.recv(min(4096, bytes_max - len(got)))
        if not piece:
            break
        got += piece
    return bytes(got)
