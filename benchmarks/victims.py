"""What trials of `scripts/chaos` have in common: a service and a board that are killed and started again, what they
left behind, and the table of figures and marks.
"""

import contextlib
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from benchmarks import path
from edge.settings import EdgeSettings
from edge.speech.utterance import UtteranceHead
from edge.spool.event import Event
from edge.spool.spool import FILE_NAME

WAIT_S = 60.0
LOOK_S = 0.05

Line = dict[str, Any]
"""Of a journal, see benchmarks/chaos_board.py."""


class Service:
    """A service by pocketsphinx alone at an address that it keeps; a context manager."""

    def __init__(self, state_dir: Path, *, host: str = "127.0.0.1", environment: dict[str, str] | None = None) -> None:
        self.address = f"{host}:{free_port(host)}"
        self.log_file = state_dir / "answers.db"
        self._state_dir = state_dir
        self._environment = environment or {}
        self._running = contextlib.ExitStack()
        self._now: path.Service | None = None

    def __enter__(self) -> "Service":
        self.start()
        return self

    def __exit__(self, *cause: object) -> None:
        self._running.close()

    def start(self, host: str | None = None) -> None:
        """Waits until it is ready; at another address, where one is given."""
        listen = f"{host or self.address.rpartition(':')[0]}:{self.address.rpartition(':')[2]}"
        with changed_environment(self._environment):
            settings = {"decoding_whisper": "false", "decoding_workers": "1", "domains_serve": "home"}
            self._now = self._running.enter_context(path.service(self._state_dir, listen=listen, **settings))

    def stop(self, number: int = signal.SIGKILL) -> None:
        """It ends, with its workers."""
        assert self._now is not None
        self._now.process.send_signal(number)
        self._now.process.wait(WAIT_S)
        self._running.close()

    @property
    def log(self) -> str:
        """What it said since it was ready."""
        assert self._now is not None
        return "".join(self._now.log)

    def kill_worker(self) -> None:
        """One of its workers, if it has one now."""
        assert self._now is not None
        for worker in self._now.workers()[:1]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(worker, signal.SIGKILL)

    def rows(self) -> dict[str, tuple[int, bytes]]:
        """Answers by utterance id, with their number in the log."""
        with contextlib.closing(sqlite3.connect(self.log_file, timeout=WAIT_S)) as database:
            found = database.execute("SELECT utterance_id, number, final FROM answers ORDER BY number").fetchall()
        assert len({row[0] for row in found}) == len(found)
        return {utterance_id: (number, final) for utterance_id, number, final in found}


class Board:
    """A board as a program; a context manager that leaves none behind."""

    def __init__(self, folder: Path, settings: EdgeSettings, *options: str, utterances: int, speed: float) -> None:
        """Its things are in settings.device.state_dir, its journal in `folder`."""
        self.journal_file = folder / "journal"
        self.spool_file = settings.device.state_dir / FILE_NAME
        encoded = msgspec.json.encode(settings, enc_hook=str).decode()
        self._command = [sys.executable, "-m", "benchmarks.chaos_board", "--settings", encoded, *options]
        self._command += ["--journal", str(self.journal_file), "--utterances", str(utterances), "--speed", str(speed)]
        self.process: subprocess.Popen[bytes] | None = None
        self._log_file = folder / "board.log"

    def __enter__(self) -> "Board":
        self.start()
        return self

    def __exit__(self, *cause: object) -> None:
        if self.running:
            self.kill()

    def start(self, environment: dict[str, str] | None = None) -> None:
        """Waits until it hears."""
        before = self.count("ready")
        with self._log_file.open("ab") as log:
            self.process = subprocess.Popen(self._command, stderr=log, env=os.environ | (environment or {}))
        self.wait_for(lambda: self.count("ready") > before)

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait(WAIT_S)

    def join(self, timeout_s: float = 4 * WAIT_S) -> int:
        """Its exit status."""
        assert self.process is not None
        return self.process.wait(timeout_s)

    def lines(self, what: str | None = None) -> list[Line]:
        """What it put down so far."""
        if not self.journal_file.exists():
            return []
        lines = [json.loads(line) for line in self.journal_file.read_text().splitlines()]
        return [line for line in lines if what in (None, line["what"])]

    def count(self, what: str) -> int:
        return len(self.lines(what))

    def wait_for(self, done: Callable[[], bool], timeout_s: float = WAIT_S) -> float:
        """Seconds until it is so. RuntimeError if the board ends before, or it takes longer."""
        began_s = time.monotonic()
        while not done():
            if not self.running or time.monotonic() - began_s > timeout_s:
                last = self._log_file.read_text()[-1500:]
                raise RuntimeError(f"not so after {time.monotonic() - began_s:.0f} s; the board says: {last}")
            time.sleep(LOOK_S)
        return time.monotonic() - began_s

    def events(self) -> list[Event]:
        """Of its `answers` table."""
        with contextlib.closing(sqlite3.connect(self.spool_file, timeout=WAIT_S)) as database:
            rows = database.execute("SELECT event FROM answers ORDER BY number").fetchall()
        return [msgspec.json.decode(event, type=Event) for (event,) in rows]

    def kept(self) -> list[str]:
        """Ids of utterances in its spool, the oldest first."""
        with contextlib.closing(sqlite3.connect(self.spool_file, timeout=WAIT_S)) as database:
            heads = database.execute("SELECT head FROM utterances ORDER BY number").fetchall()
        return [msgspec.json.decode(head, type=UtteranceHead).utterance_id for (head,) in heads]

    def on_disk(self) -> set[str]:
        """Utterances of which something is on the disk: frames, or what came of them."""
        if not self.spool_file.exists():
            return set()
        with contextlib.closing(sqlite3.connect(self.spool_file, timeout=WAIT_S)) as database:
            heads = database.execute(
                "SELECT head FROM utterances WHERE EXISTS (SELECT 1 FROM pieces WHERE pieces.number "
                "BETWEEN utterances.number * 65536 AND utterances.number * 65536 + 65535)"
            ).fetchall()
        kept = {msgspec.json.decode(head, type=UtteranceHead).utterance_id for (head,) in heads}
        return kept | {event.utterance_id for event in self.events()}


def is_sound(file: Path) -> bool:
    """Whether SQLite finds nothing wrong with a database."""
    with contextlib.closing(sqlite3.connect(file, timeout=WAIT_S)) as database:
        return bool(database.execute("PRAGMA integrity_check").fetchall() == [("ok",)])


def end_in_order() -> None:
    """From now on SIGTERM, too, ends what was started."""
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))


def free_port(host: str = "127.0.0.1") -> int:
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def changed_environment(changes: dict[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in changes}
    os.environ.update(changes)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
