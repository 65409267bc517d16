"""The whole path as a person would run it: a service and a board, two commands, nothing in between."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

RECOGNISE = "/parrotlet.v1.Speech/Recognize"
"""For who speaks to a service without a board."""


class Service(NamedTuple):
    """A running service."""

    address: str
    process: "subprocess.Popen[str]"
    log: list[str]
    """Its lines, without the last ones until it is over."""

    def workers(self) -> list[int]:
        """Process ids of its workers."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return [int(child) for child in children]


@contextmanager
def service(state_dir: Path, *options: str, listen: str = "127.0.0.1:0", **settings: str) -> Iterator[Service]:
    """A running service of its own, on a port that it picks if none is given.

    settings: section_key=value, as the environment sets it."""
    environment = os.environ | {"PARROTLET_CLOUD_STORAGE_STATE_DIR": str(state_dir)}
    environment |= {f"PARROTLET_CLOUD_{name.upper()}": value for name, value in settings.items()}
    command = [sys.executable, "-m", "cloud", "serve", "--listen", listen, *options]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        # Its log is read on after it is ready, so that it never waits for us.
        log: list[str] = []
        reader = threading.Thread(target=log.extend, args=(process.stderr,), daemon=True)
        try:
            address = _address(process.stderr)
            reader.start()
            yield Service(address, process, log)
        finally:
            process.terminate()
            process.wait(timeout=20)
            if reader.is_alive():
                reader.join(timeout=5)


def _address(stderr: Iterable[str]) -> str:
    said = []
    for line in stderr:
        said.append(line)
        if line.startswith("ready on "):
            return line.split()[-1]
    raise RuntimeError("the service did not get ready:\n" + "".join(said))


def hear(address: str, files: list[Path], *options: str, **settings: str) -> dict[Path, list[dict[str, Any]]]:
    """Each file's utterances as `parrotlet-edge test --json` tells them; a file without speech has none."""
    environment = os.environ | {f"PARROTLET_EDGE_{name.upper()}": value for name, value in settings.items()}
    command = [sys.executable, "-m", "edge", "test", "--json", "--cloud", address, *options, *map(str, files)]
    heard: dict[Path, list[dict[str, Any]]] = {file: [] for file in files}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for count, line in enumerate(process.stdout, 1):
            utterance = json.loads(line)
            heard[Path(utterance["file"])].append(utterance)
            if sys.stderr.isatty():
                print(f"\r{count} utterances of {len(files)} files", end="", file=sys.stderr, flush=True)
    if sys.stderr.isatty():
        print("\r" + " " * 60 + "\r", end="", file=sys.stderr)
    return heard


def transcript(utterances: list[dict[str, Any]]) -> str:
    """What was said in a file: its utterances joined."""
    return " ".join(utterance["transcript"] for utterance in utterances)
