"""A board's daemon as systemd would start it, and what it says of itself."""

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.virtual_microphone import VirtualMicrophone

WAIT_S = 30.0
WATCHDOG_S = 20.0
"""As in systemd/parrotlet-edge.service."""


class RunningBoard:
    """A running `parrotlet-edge run`."""

    def __init__(self, process: "subprocess.Popen[str]", runtime_dir: Path, notes: socket.socket) -> None:
        self.process = process
        self.log: list[str] = []
        self._socket = runtime_dir / "edge.sock"
        self.fed_at_s: list[float] = []
        """When the watchdog was fed."""
        threading.Thread(target=self._listen, args=(notes,), daemon=True).start()
        threading.Thread(target=self.log.extend, args=(process.stderr,), daemon=True).start()

    def ask(self, command: str) -> dict[str, Any]:
        """What it answers; empty while it starts, or hangs."""
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(WAIT_S)
                connection.connect(str(self._socket))
                connection.sendall(json.dumps({"command": command}).encode() + b"\n")
                said: dict[str, Any] = json.loads(connection.makefile("rb").readline())["ok"]
                return said
        except (FileNotFoundError, ConnectionRefusedError, TimeoutError):
            return {}

    def wait_for(self, what: Callable[[dict[str, Any]], bool], s_max: float = WAIT_S) -> float:
        """Seconds until its status is like that. RuntimeError if it ends or takes longer."""
        began_s = time.monotonic()
        while not (status := self.ask("status")) or not what(status):
            if self.process.poll() is not None or time.monotonic() - began_s > s_max:
                raise RuntimeError(f"not so after {s_max:.0f} s: {status}; {''.join(self.log[-3:])}")
            time.sleep(0.02)
        return time.monotonic() - began_s

    def hears(self, s_max: float = WAIT_S) -> float:
        """Seconds until sound comes."""
        return self.wait_for(
            lambda status: status["microphone"]["state"] == "open" and status["microphone"]["silent_s"] < 0.5, s_max
        )

    def _listen(self, notes: socket.socket) -> None:
        with notes:
            while self.process.poll() is None:
                try:
                    if b"WATCHDOG=1" in notes.recv(4096):
                        self.fed_at_s.append(time.monotonic())
                except TimeoutError:
                    continue


@contextmanager
def running_board(microphone: VirtualMicrophone, folder: Path, service: str) -> Iterator[RunningBoard]:
    """A daemon that asks the service at that address ("": none), and keeps its things in `folder`."""
    notes = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    notes.settimeout(0.5)
    (folder / "notify").unlink(missing_ok=True)
    notes.bind(str(folder / "notify"))
    environment = os.environ | microphone.environment
    environment |= {"NOTIFY_SOCKET": str(folder / "notify"), "WATCHDOG_USEC": f"{WATCHDOG_S * 1e6:.0f}"}
    environment |= {"PARROTLET_EDGE_DEVICE_STATE_DIR": str(folder), "PARROTLET_EDGE_DEVICE_RUNTIME_DIR": str(folder)}
    command = [sys.executable, "-m", "edge", "run", "--cloud", service]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield RunningBoard(process, folder, notes)
        finally:
            process.kill()
