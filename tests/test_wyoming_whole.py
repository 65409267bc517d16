"""A satellite, a home between, speech to text and a service: all of it real, but for the home.

The home does what Home Assistant does. Its satellites are this board and, where $WYOMING_SATELLITE_PYTHON names a
Python that has it (it pins an older wyoming, so it cannot lie beside ours), wyoming-satellite 1.0 as it is published:

    python -m venv DIR && DIR/bin/pip install wyoming-satellite && WYOMING_SATELLITE_PYTHON=DIR/bin/python scripts/test
"""

import asyncio
import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import numpy as np
import pytest
import soundfile
from wyoming.asr import Transcribe, Transcript
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncTcpClient
from wyoming.info import Describe, Info
from wyoming.satellite import RunSatellite

from benchmarks import path
from edge.sound.source import SAMPLE_RATE_HZ
from tests.conftest import Built, Speech
from tests.wyoming_peers import WAIT_S, board, event, player

SPOKEN = bytes(range(256)) * 100

# What wyoming-satellite calls its microphone: a file at the pace of speech, then silence.
MICROPHONE = """
import sys, time
sound = open(sys.argv[1], "rb").read()
while True:
    sys.stdout.buffer.write(sound[:2048].ljust(2048, b"\\0"))
    sys.stdout.buffer.flush()
    sound = sound[2048:]
    time.sleep(0.064)
"""


async def home(satellite_port: int, speech_port: int) -> str:
    """Adopts a satellite, has what it hears transcribed, and says something. The transcript."""
    async with AsyncTcpClient("127.0.0.1", satellite_port) as satellite:
        await satellite.write_event(Describe().event())
        assert Info.from_event(await event(satellite, "info")).satellite is not None
        await satellite.write_event(RunSatellite().event())
        await event(satellite, "run-pipeline")
        async with AsyncTcpClient("127.0.0.1", speech_port) as recogniser:
            await recogniser.write_event(Transcribe(language="en").event())
            await recogniser.write_event(AudioStart(SAMPLE_RATE_HZ, 2, 1).event())

            async def pass_on() -> None:
                while (came := await satellite.read_event()) is not None:
                    if came.type in ("audio-chunk", "audio-stop"):
                        await recogniser.write_event(came)

            passing = asyncio.ensure_future(pass_on())
            text: str = (await event(recogniser, "transcript")).data["text"]
            passing.cancel()
            await asyncio.wait((passing,))
        await satellite.write_event(Transcript(text).event())
        await satellite.write_event(AudioStart(22_050, 2, 1).event())
        await satellite.write_event(AudioChunk(22_050, 2, 1, SPOKEN).event())
        await satellite.write_event(AudioStop().event())
        # An older satellite does not say when it has spoken.
        await asyncio.sleep(0.5)
    return text


@contextmanager
def this_board(room: Path, program: Path) -> Iterator[int]:
    where = f"{program.parent}:{os.environ['PATH']}"
    with board("--satellite", "--input", str(room.with_suffix(".wav")), PATH=where) as (port, _):
        yield port


@contextmanager
def wyoming_satellite(room: Path, program: Path) -> Iterator[int]:
    python = os.environ.get("WYOMING_SATELLITE_PYTHON")
    if python is None:
        pytest.skip("no wyoming-satellite: see above")
    microphone = room.with_name("microphone.py")
    microphone.write_text(MICROPHONE, encoding="utf-8")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    heard, said = f"{python} {microphone} {room}", f"sh {program}"
    options = ["--uri", f"tcp://127.0.0.1:{port}", "--mic-command", heard, "--snd-command", said, "--no-zeroconf"]
    with subprocess.Popen([python, "-m", "wyoming_satellite", "--name", "theirs", *options]) as process:
        try:
            until_s = time.monotonic() + WAIT_S
            while time.monotonic() < until_s:
                try:
                    socket.create_connection(("127.0.0.1", port), 1).close()
                    break
                except OSError:
                    time.sleep(0.05)
            yield port
        finally:
            process.kill()
            process.wait(WAIT_S)


@pytest.mark.parametrize("satellite", [this_board, wyoming_satellite])
def test_what_is_said_to_a_satellite_is_transcribed_and_answered(
    satellite: Callable[[Path, Path], AbstractContextManager[int]], speech: Speech, tmp_path: Path, built: Built
) -> None:
    samples, rate_hz = soundfile.read(speech.path("timer"), dtype="int16")
    room = tmp_path / "room.raw"
    sound = np.concatenate([np.zeros(rate_hz, np.int16), samples, np.zeros(2 * rate_hz, np.int16)])
    room.write_bytes(sound.astype("<i2").tobytes())
    soundfile.write(room.with_suffix(".wav"), sound, rate_hz)
    with (
        player(tmp_path) as program,
        path.service(built(tmp_path / "state"), decoding_whisper="false") as service,
        board(cloud_address=service.address) as (speech_port, _),
        satellite(room, program) as satellite_port,
    ):
        text = asyncio.run(asyncio.wait_for(home(satellite_port, speech_port), 3 * WAIT_S))
        assert "timer for ten minutes" in text
    assert program.with_suffix(".pcm").read_bytes() == SPOKEN
