"""Microphone to answer, with everything real: a sound server, a daemon, a service with its engines.

What the daemon stands on is taken away under it: its microphone, its service. A killed worker: tests/test_service.py.
"""

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import soundfile

from benchmarks import path
from benchmarks.virtual_microphone import VirtualMicrophone
from tests.conftest import Speech

ROOT = Path(__file__).parent.parent
WAIT_S = 30.0


class Daemon:
    """A running `parrotlet-edge run`."""

    def __init__(self, process: subprocess.Popen[bytes], runtime_dir: Path) -> None:
        self.process = process
        self._socket = runtime_dir / "edge.sock"

    def status(self) -> dict[str, Any]:
        """What it says of itself; empty while it starts."""
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(WAIT_S)
                connection.connect(str(self._socket))
                connection.sendall(b'{"command": "status"}\n')
                said = json.loads(connection.makefile("rb").readline())
                status: dict[str, Any] = said["ok"]
                return status
        except (FileNotFoundError, ConnectionRefusedError):
            return {}

    def wait_for(self, what: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The first status of which that is true."""
        until_s = time.monotonic() + WAIT_S
        while not (status := self.status()) or not what(status):
            assert self.process.poll() is None, "the daemon has ended"
            assert time.monotonic() < until_s, str(status)
            time.sleep(0.05)
        return status

    def is_listening(self) -> dict[str, Any]:
        return self.wait_for(lambda status: status["microphone"]["state"] == "open")

    def over(self, count: int, *, answered: bool = True) -> dict[str, Any]:
        """The last answer, once so many utterances are over: answered ones, or those that nobody answered."""

        def is_so(status: dict[str, Any]) -> bool:
            counts = status["utterances"]
            done = counts["answered"] if answered else counts["heard"] - counts["answered"] - counts["awaited"]
            return bool(counts["awaited"] == 0 and done >= count)

        answer: dict[str, Any] = self.wait_for(is_so)["last_answer"]
        return answer


@contextmanager
def daemon(microphone: VirtualMicrophone, runtime_dir: Path, address: str) -> Iterator[Daemon]:
    directories = ["--runtime-dir", str(runtime_dir), "--state-dir", str(runtime_dir / "state")]
    command = [sys.executable, "-m", "edge", "run", "--cloud", address, *directories]
    with subprocess.Popen(
        command, cwd=ROOT, env=microphone.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        try:
            yield Daemon(process, runtime_dir)
        finally:
            process.kill()


@pytest.fixture
def sentence(speech: Speech, tmp_path: Path) -> Path:
    """As a WAV file, with the silence around it that ends an utterance."""
    samples, rate_hz = soundfile.read(speech.path("timer"), dtype="int16")
    file = tmp_path / "timer.wav"
    soundfile.write(file, samples, rate_hz)
    return file


def test_a_sentence_spoken_into_the_microphone_is_answered(
    virtual_microphone: VirtualMicrophone, sentence: Path, tmp_path: Path
) -> None:
    with (
        path.service(tmp_path / "state", decoding_whisper="false") as service,
        daemon(virtual_microphone, tmp_path, service.address) as running,
    ):
        running.is_listening()
        virtual_microphone.play(sentence)
        answer = running.over(1)
        assert answer["path"] == "cloud"
        assert "timer for ten minutes" in answer["transcript"]
        assert answer["results"][0] == "Timer for 10 minutes"
        assert running.status()["microphone"]["overruns"] == 0

        virtual_microphone.unplug()
        lost = running.wait_for(lambda status: status["microphone"]["state"] == "absent")
        assert lost["healthy"]
        virtual_microphone.start()
        running.is_listening()
        virtual_microphone.play(sentence)
        assert "timer for ten minutes" in running.over(2)["transcript"]

        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(5) == 0


def test_a_service_that_is_killed_is_missed_and_found_again(
    virtual_microphone: VirtualMicrophone, sentence: Path, tmp_path: Path
) -> None:
    with path.service(tmp_path / "state", decoding_whisper="false") as service:
        address = service.address
        with daemon(virtual_microphone, tmp_path, address) as running:
            running.is_listening()
            service.process.kill()
            service.process.wait()
            virtual_microphone.play(sentence)
            unanswered = running.over(1, answered=False)
            assert unanswered["path"] == "none"
            assert unanswered["why_not_better"].startswith(f"{address}: the service cannot be reached")
            assert unanswered["why_not_better"].endswith("It is kept, and will be sent.")
            assert running.status()["healthy"]
            assert running.status()["spool"]["waiting"] == 1

            with path.service(tmp_path / "state", listen=address, decoding_whisper="false"):
                virtual_microphone.play(sentence)
                # The one that is spoken, and the one that was kept.
                assert "timer for ten minutes" in running.over(2)["transcript"]
                assert running.status()["spool"]["waiting"] == 0
