"""The program that plays, with stand-ins for it; with the real one and a sound server: tests/test_aloud.py."""

import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from common.errors import LoudspeakerError
from edge.answering.loudspeaker import SpeakerProgram
from edge.sound.source import Samples

PREAMBLE = """
import os, sys, time
def wanted(): return sys.stdin.buffer.read(1)
def open_(): print("open", flush=True)
def rest(): return sys.stdin.buffer.read()
out = open(sys.argv[1], "ab")
"""


def speaker(folder: Path, script: str, patience_s: float = 10.0) -> SpeakerProgram:
    """A program that writes what it heard into `heard`."""
    command = (sys.executable, "-S", "-c", PREAMBLE + script)
    return SpeakerProgram(str(folder / "heard"), command, patience_s)


SOUND = np.arange(-1000, 1000, dtype=np.int16)


def test_all_that_is_given_is_played_after_it_was_told_that_it_begins(tmp_path: Path) -> None:
    began: list[bool] = []
    script = "wanted(); open_(); out.write(rest())"
    speaker(tmp_path, script).play([SOUND, SOUND], lambda: began.append((tmp_path / "heard").stat().st_size == 0))
    assert began == [True]
    assert (tmp_path / "heard").read_bytes() == SOUND.tobytes() * 2


def test_what_waits_is_used_and_what_is_not_wanted_is_ended(tmp_path: Path) -> None:
    script = "out.write(b'%d ' % os.getpid()); out.flush(); wanted() and open_(); rest()"
    one = speaker(tmp_path, script)
    one.prepare()
    one.prepare()
    one.play([SOUND], lambda: None)
    assert len((tmp_path / "heard").read_text().split()) == 1
    one.prepare()
    one.rest()
    one.rest()
    one.play([SOUND], lambda: None)
    assert len((tmp_path / "heard").read_text().split()) in (2, 3), "one that is ended may not have begun"


def test_a_program_that_died_while_it_waited_is_replaced(tmp_path: Path) -> None:
    one = speaker(tmp_path, "wanted(); open_(); out.write(rest())")
    one.prepare()
    assert one._waiting is not None
    one._waiting.kill()
    one._waiting.wait(10)
    one.play([SOUND], lambda: None)
    assert (tmp_path / "heard").read_bytes() == SOUND.tobytes()


def test_nothing_to_play_opens_nothing(tmp_path: Path) -> None:
    began: list[bool] = []
    speaker(tmp_path, "if wanted(): open_(); out.write(b'x')").play([], lambda: began.append(True))
    assert began == []
    assert (tmp_path / "heard").read_bytes() == b""


@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        ("wanted(); print('No loudspeaker is there.'); sys.exit(1)", "cannot be used: No loudspeaker is there."),
        ("wanted(); os.abort()", "cannot be used: what plays sound died"),
        ("wanted(); open_(); sys.exit(3)", "went away while it played"),
    ],
)
def test_what_goes_wrong_is_told_in_a_sentence(tmp_path: Path, script: str, sentence: str) -> None:
    def much() -> Iterator[Samples]:
        for _ in range(100):
            yield np.zeros(48_000, np.int16)

    with pytest.raises(LoudspeakerError, match=sentence):
        speaker(tmp_path, script).play(much(), lambda: None)


@pytest.mark.parametrize(
    "script",
    ["time.sleep(60)", "wanted(); time.sleep(60)", "wanted(); open_(); time.sleep(60)"],
    ids=["deaf", "opens", "plays"],
)
def test_one_that_hangs_is_given_up_and_ended(tmp_path: Path, script: str) -> None:
    one = speaker(tmp_path, script, patience_s=0.3)
    began_s = time.monotonic()
    with pytest.raises(LoudspeakerError, match="hangs"):
        one.play([np.zeros(96_000, np.int16)], lambda: None)
    assert time.monotonic() - began_s < 5


def test_it_is_stopped_at_once_and_without_a_complaint(tmp_path: Path) -> None:
    one = speaker(tmp_path, "wanted(); open_(); time.sleep(60)")
    began, over = threading.Event(), threading.Event()

    def play() -> None:
        one.play([np.zeros(96_000, np.int16)], began.set)
        over.set()

    threading.Thread(target=play, daemon=True).start()
    assert began.wait(10)
    stopped_s = time.monotonic()
    one.stop()
    assert over.wait(10)
    assert time.monotonic() - stopped_s < 1
    one.stop()


def test_a_program_that_is_not_there_is_told() -> None:
    one = SpeakerProgram("", ("/nowhere/python",))
    one.prepare()
    with pytest.raises(LoudspeakerError, match="cannot be started: No such file"):
        one.play([SOUND], lambda: None)
