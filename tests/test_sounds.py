"""The sound of what was said is kept where the owner lets it be: whole, bounded, and gone with the utterance."""

import logging
import os
import threading
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import numpy as np
import pytest
from click.testing import CliRunner
from edge_fakes import FakeRecogniser, utterance

from edge.__main__ import main
from edge.asking.recogniser import Listener
from edge.clock import SYSTEM_CLOCK
from edge.settings import Spool as Settings
from edge.speech.utterance import UtteranceEnd, UtteranceFrames, UtteranceHead
from edge.spool import sounds
from edge.spool.erasure import Erasure
from edge.spool.keeping import Keeping
from edge.spool.sounds import Recorded, Sounds
from edge.spool.spool import Spool
from protos.feature_spec import DEFAULT_SPEC

WAIT_S = 20


class Silent(Listener):
    """Nobody."""

    def __init__(self) -> None:
        pass

    def hear_partial(self, partial: object) -> None:
        pass

    def hear_turn(self, opinion: object) -> None:
        pass

    def settle(self, outcome: object) -> None:
        pass

    def improve(self, answer: object) -> None:
        pass

    def be_left(self) -> None:
        pass


def head(number: int, spoken_at_unix_us: int = 5_000_000) -> UtteranceHead:
    heard = utterance(number)[0]
    assert isinstance(heard, UtteranceHead)
    return msgspec.structs.replace(heard, started_at_unix_us=spoken_at_unix_us)


def recorded(number: int, spoken_at_unix_us: int = 5_000_000, samples: int = 1000) -> Recorded:
    one = Recorded(head(number, spoken_at_unix_us), bytearray())
    one.append(np.full(samples, number, np.int16))
    return one


@contextmanager
def running(folder: Path, bytes_max: int = 1 << 20) -> Iterator[Sounds]:
    kept = Sounds(folder, bytes_max)
    kept.worker.start()
    yield kept
    kept.close()
    kept.worker.join(WAIT_S)
    assert not kept.worker.alive
    assert kept.worker.error is None


@pytest.mark.parametrize("sound_days", [0, 7])
def test_what_is_heard_is_kept_as_a_recording_where_that_is_set(tmp_path: Path, sound_days: int) -> None:
    settings = Settings(sound_days=sound_days)
    with Spool(tmp_path / "spool.db", settings, boot_id="b", coding="c", hop_ms=10) as spool:
        keeping = Keeping(FakeRecogniser(), spool, DEFAULT_SPEC, SYSTEM_CLOCK)
        with keeping:
            draw = np.random.default_rng(1)
            said = draw.integers(-9000, 9000, 3200).astype(np.int16)
            stream = keeping.start(head(0), Silent())
            for at in range(2):
                levels = np.zeros((10, 80), np.int8)
                stream.send(UtteranceFrames(10 * at, levels, said[1600 * at : 1600 * (at + 1)]))
            end = utterance(0)[-1]
            assert isinstance(end, UtteranceEnd)
            stream.finish(end)
        assert len(spool.workers) == 1 + bool(sound_days)
    assert (tmp_path / "sound").exists() == bool(sound_days)
    if sound_days:
        file = tmp_path / "sound" / "u0.wav"
        with wave.open(str(file)) as wav:
            assert (wav.getframerate(), wav.getnchannels(), wav.getsampwidth()) == (16_000, 1, 2)
            assert np.array_equal(np.frombuffer(wav.readframes(9999), "<i2"), said)
        assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)
        assert file.stat().st_mtime == 5.0


def test_the_oldest_goes_where_there_is_no_room(tmp_path: Path) -> None:
    with running(tmp_path / "sound", bytes_max=3 * 2044) as kept:
        for number, second in enumerate((50, 40, 30, 60, 70)):
            kept.keep(recorded(number, second * 1_000_000))
            while kept._waiting.qsize():
                pass
    assert sounds.ids(tmp_path / "sound") == {"u0", "u3", "u4"}


def test_what_is_larger_than_the_room_is_kept_alone(tmp_path: Path) -> None:
    with running(tmp_path / "sound", bytes_max=3000) as kept:
        kept.keep(recorded(0, samples=1400))
        kept.keep(recorded(1, samples=2000))
    assert sounds.ids(tmp_path / "sound") == {"u1"}


def test_nobody_waits_for_a_disk_that_is_slow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    begun, go_on = threading.Event(), threading.Event()
    write = sounds.write_private

    def slow(file: Path, content: bytes) -> None:
        begun.set()
        assert go_on.wait(WAIT_S)
        write(file, content)

    monkeypatch.setattr(sounds, "write_private", slow)
    monkeypatch.setattr(sounds, "WAITING_BYTES_MAX", 9_999)
    with running(tmp_path / "sound") as kept:
        kept.keep(recorded(0))
        assert begun.wait(WAIT_S)
        for number in range(1, 7):
            kept.keep(recorded(number))
        go_on.set()
        while kept._waiting.qsize():
            pass
        # There is room again.
        kept.keep(recorded(7))
    assert kept.lost == 3
    assert sounds.ids(tmp_path / "sound") == {"u0", "u1", "u2", "u3", "u7"}
    assert "the disk is too slow; 3 so far" in caplog.text


def test_a_disk_that_takes_nothing_is_told_once_and_outlived(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR)
    (tmp_path / "sound").write_text("in the way")
    with running(tmp_path / "sound") as kept:
        for number in range(3):
            kept.keep(recorded(number))
        while kept.lost < 3:
            pass
        (tmp_path / "sound").unlink()
        kept.keep(recorded(3))
    assert [record.message.count("cannot be kept") for record in caplog.records] == [1]
    assert sounds.ids(tmp_path / "sound") == {"u3"}


@pytest.fixture
def board(tmp_path: Path) -> Path:
    """The sound of u1 to u3, spoken a second apart, and what a power cut left of u4."""
    with running(tmp_path / "sound") as kept:
        for number in range(1, 4):
            kept.keep(recorded(number, number * 1_000_000))
    left = tmp_path / "sound" / ".u4.wav.x1y2"
    left.write_bytes(b"half")
    os.utime(left, (4, 4))
    return tmp_path


@pytest.mark.parametrize(
    ("erasure", "gone"),
    [
        (Erasure("u1"), {"u1"}),
        (Erasure("u"), set()),
        (Erasure(since_unix_us=3_000_000), {"u3", "u4"}),
        (Erasure(since_unix_us=2_000_000, until_unix_us=3_000_000), {"u2"}),
        (Erasure(), {"u1", "u2", "u3", "u4"}),
    ],
)
def test_what_fits_is_erased(board: Path, erasure: Erasure, gone: set[str]) -> None:
    assert sounds.erase(board / "sound", erasure) == gone
    assert sounds.ids(board / "sound") == {"u1", "u2", "u3", "u4"} - gone
    assert sounds.erase(board / "other", erasure) == set()


@pytest.mark.parametrize(("what", "gone"), [(["u2"], {"u2"}), (["--all"], {"u1", "u2", "u3", "u4"})])
def test_who_has_an_utterance_forgotten_has_its_sound_forgotten(board: Path, what: list[str], gone: set[str]) -> None:
    environment = {"PARROTLET_EDGE_CLOUD_CONNECT_S_MAX": "0.5"}
    options = ["--state-dir", str(board), "--cloud", "127.0.0.1:1"]
    result = CliRunner().invoke(main, ["forget", *what, *options], env=environment)
    assert (result.exit_code, result.stdout) == (3, f"Erased: {len(gone)} utterances on this board.\n")
    assert sounds.ids(board / "sound") == {"u1", "u2", "u3", "u4"} - gone
