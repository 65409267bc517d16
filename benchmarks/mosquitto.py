"""A real broker for tests and benchmarks: mosquitto on a loopback port, with its own folder and configuration."""

import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

PROGRAM = shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/usr/local/sbin")

START_S_MAX = 10.0


def why_not() -> str | None:
    """Why there can be none, a sentence."""
    return None if PROGRAM else "mosquitto is not installed; type scripts/packages mosquitto."


class Mosquitto:
    """A context manager; the port stays the same from start to start."""

    def __init__(self, folder: Path, settings: Sequence[str] = ("allow_anonymous true",)) -> None:
        """`settings`: lines of its configuration, for its one listener."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self.address = f"127.0.0.1:{self.port}"
        self._configuration = folder / "mosquitto.conf"
        lines = ["per_listener_settings false", "persistence false", "user root", f"listener {self.port} 127.0.0.1"]
        self._configuration.write_text("\n".join([*lines, *settings, ""]), encoding="utf-8")
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "Mosquitto":
        self.start()
        return self

    def __exit__(self, *cause: object) -> None:
        self.kill()

    def start(self) -> None:
        """Answers when this returns."""
        assert PROGRAM is not None
        command = [PROGRAM, "-c", str(self._configuration)]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until_s = time.monotonic() + START_S_MAX
        while not _answers(self.port):
            assert self._process.poll() is None, "mosquitto has ended; see its configuration"
            assert time.monotonic() < until_s, "mosquitto does not answer"
            time.sleep(0.01)

    def kill(self) -> None:
        """At once, as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def halt(self) -> None:
        """It answers nobody any more, and does not go away."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
