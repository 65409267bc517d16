"""What was said is in no log line above DEBUG, no process list, no runtime directory, no core file; on both sides."""

import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from benchmarks import path
from tests.conftest import Speech

ROOT = Path(__file__).parent.parent
WAIT_S = 60.0


class Seen:
    """Everything that others on the machine might see of two running programs, looked at again and again."""

    def __init__(self, *directories: Path) -> None:
        self._directories = directories
        self._over = threading.Event()
        self.process_list = ""
        self.files = ""
        self.core_limits: dict[int, str] = {}
        """Of our programs, as they were in the end."""

    @contextmanager
    def looking(self) -> Iterator[None]:
        looker = threading.Thread(target=self._look)
        looker.start()
        try:
            yield
        finally:
            self._over.set()
            looker.join(WAIT_S)

    def _look(self) -> None:
        while True:
            for pid in _family(os.getpid()):
                self.process_list += _text(Path(f"/proc/{pid}/cmdline")) + _text(Path(f"/proc/{pid}/comm"))
                limit = re.search("^Max core.*$", _text(Path(f"/proc/{pid}/limits")), re.MULTILINE)
                if limit and re.search(r"edge\0run|cloud\0serve", _text(Path(f"/proc/{pid}/cmdline"))):
                    self.core_limits[pid] = limit[0]
            for directory in self._directories:
                for file in directory.rglob("*"):
                    self.files += f"{file}\n" + (_text(file) if file.is_file() else "")
            if self._over.wait(0.2):
                return


def _family(pid: int) -> Iterator[int]:
    """A process's descendants."""
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in _text(task / "children").split():
            yield int(child)
            yield from _family(int(child))


def _text(file: Path) -> str:
    try:
        return file.read_text(errors="replace")
    except OSError:  # Over already.
        return ""


class Said(NamedTuple):
    """What came of a sentence, and what was left of it."""

    words: set[str]
    """Of the sentence, and of what was made of it; the short ones are in any log."""
    at_debug: list[str]
    """What the board made of it, as its log has it at DEBUG."""
    board: str
    service: str
    seen: Seen


@pytest.fixture(scope="module")
def said(speech: Speech, tmp_path_factory: pytest.TempPathFactory) -> Said:
    """A sentence heard by a real board and answered by a real service."""
    folder = tmp_path_factory.mktemp("said")
    runtime, file = folder / "run", folder / "sentence.flac"
    shutil.copy(speech.path("timer"), file)
    seen = Seen(runtime)

    def heard(address: str, log_level: str) -> str:
        """What the board says of it."""
        board = [sys.executable, "-m", "edge", "run", "--input", str(file), "--cloud", address]
        board += ["--runtime-dir", str(runtime), "--log-level", log_level]
        ran = subprocess.run(board, cwd=ROOT, capture_output=True, text=True, timeout=WAIT_S)
        assert ran.returncode == 0, ran.stderr
        return ran.stdout + ran.stderr

    with path.service(folder / "service", decoding_whisper="false") as service:
        with seen.looking():
            board = heard(service.address, "info")
        debug = heard(service.address, "debug")
    assert "answered by cloud" in board
    transcript = re.findall(r"DEBUG edge\S*board: \S+: (.+)", debug)
    words = re.findall(r"[a-z]{4,}", " ".join([*transcript, *speech.sentences["timer"]]).lower())
    return Said(set(words), transcript, board.lower(), "".join(service.log).lower(), seen)


def test_what_was_said_is_in_no_log_and_nowhere_on_the_machine(said: Said) -> None:
    """But in the utterance log of the service, and where the daemon is asked for its status."""
    left = {
        (place, word)
        for word in said.words
        for place, text in {
            "board's log": said.board,
            "service's log": said.service,
            "process list": said.seen.process_list.lower(),
            "runtime directory": said.seen.files.lower(),
        }.items()
        if word in text
    }
    assert not left
    assert "edge.sock" in said.seen.files
    assert "edge\0run" in said.seen.process_list


def test_neither_program_leaves_a_core_file(said: Said) -> None:
    assert {tuple(line.split()[4:6]) for line in said.seen.core_limits.values()} == {("0", "0")}


def test_the_words_would_be_found_if_they_were_there(said: Said) -> None:
    assert "timer" in said.words
    assert "timer" in said.at_debug[0]
