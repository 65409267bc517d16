"""The program that plays, with a PyAudio of the test; with the real one: tests/test_aloud.py."""

import io
import os
import subprocess
import sys
from array import array
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import pytest

from edge.answering import playing

DEVICES = [
    {"index": 0, "name": "USB microphone", "maxOutputChannels": 0},
    {"index": 1, "name": "HDMI", "maxOutputChannels": 8},
    {"index": 2, "name": "USB speaker", "maxOutputChannels": 1},
]


class Audio:
    """What PyAudio is to the program."""

    def __init__(self) -> None:
        self.opened: dict[str, Any] = {}
        self.written = b""

    def get_default_output_device_info(self) -> dict[str, Any]:
        return DEVICES[1]

    def get_device_count(self) -> int:
        return len(DEVICES)

    def get_device_info_by_index(self, number: int) -> dict[str, Any]:
        return DEVICES[number]

    def open(self, **how: Any) -> "Audio":
        self.opened = how
        return self

    def write(self, data: bytes) -> None:
        self.written += data

    def stop_stream(self) -> None:
        self.written += b"|"


class Ended(BaseException):
    """In place of the end of the process."""


def played(monkeypatch: pytest.MonkeyPatch, wanted: str, given: bytes) -> Audio:
    audio = Audio()

    def ended(status: int) -> None:
        raise Ended

    monkeypatch.setattr(os, "_exit", ended)
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(given)))
    with suppress(Ended):
        playing._play(SimpleNamespace(paInt16=8), audio, wanted)
    return audio


PCM = array("h", range(1000)).tobytes()


def test_stereo_devices_get_both_channels_alike(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    audio = played(monkeypatch, "", b"\n" + PCM)
    assert (audio.opened["channels"], audio.opened["rate"], audio.opened["output_device_index"]) == (2, 48_000, 1)
    assert audio.written.endswith(b"|"), "it is waited for until all has been heard"
    both = array("h", audio.written[:-1])
    assert both[0::2] == both[1::2] == array("h", PCM)
    assert capsys.readouterr().out == "open\n"


@pytest.mark.parametrize("wanted", ["usb SPEAKER", "2"])
def test_a_device_is_found_by_part_of_its_name_or_by_its_number(monkeypatch: pytest.MonkeyPatch, wanted: str) -> None:
    audio = played(monkeypatch, wanted, b"\n" + PCM)
    assert (audio.opened["channels"], audio.opened["output_device_index"]) == (1, 2)
    assert audio.written == PCM + b"|"


def test_one_that_is_not_there_is_told_with_those_that_are(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(OSError, match='No loudspeaker is called "bell"; there are: HDMI, USB speaker'):
        played(monkeypatch, "bell", b"\n" + PCM)


def test_nothing_is_opened_before_something_is_to_be_played(monkeypatch: pytest.MonkeyPatch) -> None:
    assert played(monkeypatch, "", b"").opened == {}


def test_it_is_quick_to_start() -> None:
    said = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", "import edge.answering.playing"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stderr
    assert not {"numpy", "msgspec", "asyncio", "subprocess"} & {
        line.rpartition("|")[2].strip() for line in said.splitlines()
    }
