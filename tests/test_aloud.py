"""The loudspeaker beside the microphone, with everything real: what the board plays is what its microphone hears.

A sound server whose monitor is the microphone, a daemon, a service with its engines, espeak-ng.
"""

import json
import shutil
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import soundfile

from benchmarks import path
from benchmarks.running_board import RunningBoard, running_board
from benchmarks.virtual_microphone import VirtualMicrophone
from tests.conftest import Built, Speech

pytestmark = pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng is not installed here")


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, built: Built) -> Iterator[path.Service]:
    with path.service(built(tmp_path_factory.mktemp("service")), decoding_whisper="false") as service:
        yield service


@pytest.fixture(autouse=True)
def a_board_that_speaks(virtual_microphone: VirtualMicrophone) -> None:
    set_on(
        virtual_microphone,
        answer_voice="espeak-ng",
        answer_says="title",
        answer_sounds="always",
        answer_volume_db="0",
    )


def set_on(microphone: VirtualMicrophone, **settings: str) -> None:
    """Of the boards at that microphone: section_key=value."""
    microphone.environment |= {f"PARROTLET_EDGE_{name.upper()}": value for name, value in settings.items()}


class Said:
    """Sentences as files, without silence before them."""

    def __init__(self, speech: Speech, folder: Path) -> None:
        self._speech = speech
        self._folder = folder

    def file(self, name: str) -> Path:
        samples, rate_hz = soundfile.read(self._speech.path(name), dtype="int16")
        file = self._folder / f"{name}.wav"
        soundfile.write(file, samples[np.flatnonzero(np.abs(samples) > 500)[0] :], rate_hz)
        return file


@pytest.fixture
def said(speech: Speech, tmp_path: Path) -> Said:
    return Said(speech, tmp_path)


def speaks(board: RunningBoard) -> None:
    board.wait_for(lambda status: status["answer"]["speaking"])


def is_silent(board: RunningBoard, s_max: float = 30.0) -> None:
    board.wait_for(lambda status: not status["answer"]["speaking"], s_max)


def test_the_board_takes_nothing_it_says_for_speech_and_hears_what_is_said_right_after_it(
    virtual_microphone: VirtualMicrophone, service: path.Service, said: Said, tmp_path: Path
) -> None:
    with running_board(virtual_microphone, tmp_path, service.address) as board:
        board.hears()
        virtual_microphone.play(said.file("berlin"))
        speaks(board)
        is_silent(board)
        virtual_microphone.play(said.file("timer"))
        board.wait_for(lambda status: status["utterances"]["answered"] == 2)
        status = board.ask("status")
        assert "timer for ten minutes" in status["last_answer"]["transcript"].lower()
        speaks(board)
        is_silent(board)
        # Both answers were spoken into the microphone.
        status = board.ask("status")
        assert status["utterances"] == {"heard": 2, "answered": 2, "awaited": 0}
        assert status["answer"] == {"speaking": False, "not_heard": 0, "trouble": None}
        assert status["healthy"]


def test_a_press_ends_what_is_being_said_at_once(
    virtual_microphone: VirtualMicrophone, service: path.Service, said: Said, tmp_path: Path
) -> None:
    set_on(virtual_microphone, answer_says="snippet")
    with running_board(virtual_microphone, tmp_path, service.address) as board:
        board.hears()
        virtual_microphone.play(said.file("egg"))
        speaks(board)
        assert board.ask("press") == {}
        is_silent(board, 1.0)


@pytest.mark.skipif(find_spec("pymicro_wakeword") is None, reason="pymicro-wakeword is not installed here")
def test_the_wake_word_ends_what_is_being_said_where_it_stands_out(
    virtual_microphone: VirtualMicrophone, service: path.Service, said: Said, tmp_path: Path
) -> None:
    set_on(virtual_microphone, activation_mode="wake", answer_says="snippet", answer_volume_db="-30")
    samples, rate_hz = soundfile.read(Path(__file__).parent / "wake" / "okay_nabu.flac", dtype="int16")
    # The phrase alone.
    soundfile.write(tmp_path / "wake.wav", samples[round(2.7 * rate_hz) : round(4.4 * rate_hz)], rate_hz)
    with running_board(virtual_microphone, tmp_path, service.address) as board:
        board.hears()
        assert board.ask("press") == {}
        virtual_microphone.play(said.file("egg"))
        speaks(board)
        virtual_microphone.play(tmp_path / "wake.wav")
        board.wait_for(lambda status: status["activation"]["listening"], 2.0)
        is_silent(board, 0.5)


def test_a_timer_set_by_voice_outlives_the_daemon_and_rings_until_somebody_ends_it(
    virtual_microphone: VirtualMicrophone, service: path.Service, said: Said, tmp_path: Path
) -> None:
    with running_board(virtual_microphone, tmp_path, service.address) as board:
        board.hears()
        virtual_microphone.play(said.file("timer"))
        board.wait_for(lambda status: [timer["lasts_s"] for timer in status["timers"]] == [600])
        speaks(board)
    # It was killed. Nobody waits ten minutes here.
    file = tmp_path / "timers.json"
    (timer,) = json.loads(file.read_text())
    file.write_text(json.dumps([timer | {"due_s": time.monotonic() + 2.0}]))
    with running_board(virtual_microphone, tmp_path, service.address) as board:
        board.wait_for(lambda status: [timer["rings"] for timer in status["timers"]] == [True])
        # What the one before was saying when it was killed may have been heard.
        heard = board.ask("status")["utterances"]["heard"]
        speaks(board)
        assert board.ask("status")["utterances"]["heard"] == heard, "its own ring is no speech"
        assert board.ask("press") == {}
        is_silent(board, 1.0)
        board.wait_for(lambda status: status["timers"] == [])
    assert json.loads(file.read_text()) == []
