"""A program that serves a board's page, to be killed and started again, and what its page must show."""

import contextlib
import os
import socket
import sqlite3
import subprocess
import time
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

import msgspec

from edge.spool.event import Event, Kind
from edge.spool.spool import FILE_NAME

WAIT_S = 60.0
LOOK_S = 0.05
RANKS = {Kind.DONE: -1, Kind.KEPT: 0, Kind.BETTER: 2}
"""A card shows the part of an answer that ranks highest; any other kind has 1."""


class Shown(NamedTuple):
    """A card, as it is or as it must be."""

    utterance_id: str
    kind: str
    transcript: str


class Victim:
    """A context manager: while it is entered, the page is served, but for deaths."""

    def __init__(self, state: Path, command: list[str], place: tuple[str, int], environment: dict[str, str]) -> None:
        self.spool_file = state / FILE_NAME
        self.deaths = 0
        self._command, self._place, self._environment = command, place, os.environ | environment
        self._log_file = state / "board.log"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "Victim":
        self.start()
        return self

    def __exit__(self, *cause: object) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait(WAIT_S)

    def start(self) -> None:
        """Waits until the page is served. RuntimeError if it is not."""
        with self._log_file.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, env=self._environment, stdout=subprocess.DEVNULL, stderr=log
            )
        until_s = time.monotonic() + WAIT_S
        while not self._is_served():
            if time.monotonic() > until_s or self._process.poll() is not None:
                raise RuntimeError(f"the board does not start:\n{self._log_file.read_text()[-1500:]}")
            time.sleep(LOOK_S)

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait(WAIT_S)
        self.deaths += 1

    def events(self) -> list[tuple[int, Event]]:
        """What is on its disk, in order."""
        if not self.spool_file.exists():
            return []
        with contextlib.closing(sqlite3.connect(self.spool_file, timeout=WAIT_S)) as database:
            try:
                rows = database.execute("SELECT number, event FROM answers ORDER BY number").fetchall()
            except sqlite3.OperationalError:
                # It has no tables yet.
                return []
        return [(number, msgspec.json.decode(event, type=Event)) for number, event in rows]

    def cards(self) -> dict[str, Shown]:
        """What a page must show of that, by utterance."""
        parts: dict[str, list[Event]] = defaultdict(list)
        for _, event in self.events():
            parts[event.utterance_id].append(event)
        best = [max(of, key=lambda event: RANKS.get(event.kind, 1)) for of in parts.values()]
        return {one.utterance_id: _shown(one) for one in best}

    def _is_served(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(self._place) == 0


def _shown(event: Event) -> Shown:
    return Shown(event.utterance_id, event.kind.value, event.answer.transcript if event.answer else "")
