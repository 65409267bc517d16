"""Microphone to answer, with everything real: a sound server, a daemon, a service with its engines.

What the daemon stands on is taken away under it: its microphone, its service. A killed worker: tests/test_service.py.
"""

import signal
from pathlib import Path
from typing import Any

import pytest
import soundfile

from benchmarks import path
from benchmarks.running_board import RunningBoard, running_board
from benchmarks.virtual_microphone import VirtualMicrophone
from tests.conftest import Built, Speech


def is_listening(board: RunningBoard) -> None:
    board.wait_for(lambda status: status["microphone"]["state"] == "open")


def over(board: RunningBoard, count: int, *, answered: bool = True) -> dict[str, Any]:
    """The last answer, once so many utterances are over: answered ones, or those that nobody answered."""

    def is_so(status: dict[str, Any]) -> bool:
        counts = status["utterances"]
        done = counts["answered"] if answered else counts["heard"] - counts["answered"] - counts["awaited"]
        return bool(counts["awaited"] == 0 and done >= count)

    board.wait_for(is_so)
    answer: dict[str, Any] = board.ask("status")["last_answer"]
    return answer


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
        running_board(virtual_microphone, tmp_path, service.address) as board,
    ):
        is_listening(board)
        virtual_microphone.play(sentence)
        answer = over(board, 1)
        assert answer["path"] == "cloud"
        assert "timer for ten minutes" in answer["transcript"]
        assert answer["results"][0] == "Timer for 10 minutes"
        assert board.ask("status")["microphone"]["overruns"] == 0

        virtual_microphone.unplug()
        board.wait_for(lambda status: status["microphone"]["state"] == "absent" and status["healthy"])
        virtual_microphone.start()
        is_listening(board)
        virtual_microphone.play(sentence)
        assert "timer for ten minutes" in over(board, 2)["transcript"]

        board.process.send_signal(signal.SIGTERM)
        assert board.process.wait(5) == 0


def test_a_service_that_is_killed_is_missed_and_found_again(
    virtual_microphone: VirtualMicrophone, sentence: Path, tmp_path: Path, built: Built
) -> None:
    with path.service(built(tmp_path / "state"), decoding_whisper="false") as service:
        address = service.address
        with running_board(virtual_microphone, tmp_path, address) as board:
            is_listening(board)
            service.process.kill()
            service.process.wait()
            virtual_microphone.play(sentence)
            unanswered = over(board, 1, answered=False)
            assert unanswered["path"] == "none"
            assert unanswered["why_not_better"].startswith(f"{address}: the service cannot be reached")
            assert unanswered["why_not_better"].endswith("It is kept, and will be sent.")
            assert board.ask("status")["healthy"]
            assert board.ask("status")["spool"]["waiting"] == 1

            with path.service(tmp_path / "state", listen=address, decoding_whisper="false"):
                virtual_microphone.play(sentence)
                # The one that is spoken, and the one that was kept.
                assert "timer for ten minutes" in over(board, 2)["transcript"]
                assert board.ask("status")["spool"]["waiting"] == 0
