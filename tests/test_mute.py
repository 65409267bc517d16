"""Mute: by whom, for how long, and that no restart opens a microphone that was closed."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from common.errors import ParrotletError, SettingsError
from edge.board.button import watch_switch
from edge.board.mute import FILE_NAME, Mute


class Ear:
    """Remembers what it was told last."""

    muted = False

    def mute(self) -> None:
        self.muted = True

    def unmute(self) -> None:
        self.muted = False


@pytest.fixture
def ear() -> Ear:
    return Ear()


def test_a_restart_finds_it_as_it_was(ear: Ear, tmp_path: Path) -> None:
    Mute(ear, tmp_path).mute()
    after = Ear()
    mute = Mute(after, tmp_path)
    assert (after.muted, mute.by, mute.kept) == (True, "command", True)
    mute.unmute()
    last = Ear()
    assert (after.muted, last.muted, Mute(last, tmp_path).by) == (False, False, None)


def test_a_board_that_cannot_write_is_muted_all_the_same_and_says_so(
    ear: Ear, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    mute = Mute(ear, tmp_path / "gone")
    mute.mute()
    assert (ear.muted, mute.by, mute.kept) == (True, "command", False)
    assert f"gone/{FILE_NAME}: No such file or directory; a restart will not know" in caplog.text
    (tmp_path / "gone").mkdir()
    mute.mute()
    assert mute.kept


def test_a_switch_mutes_and_no_command_opens_what_it_closes(ear: Ear, tmp_path: Path) -> None:
    mute = Mute(ear, tmp_path)
    mute.switch(True)
    assert (ear.muted, mute.by) == (True, "switch")
    with pytest.raises(ParrotletError, match="muted by its switch"):
        mute.unmute()
    assert ear.muted
    mute.switch(False)
    assert not ear.muted
    assert not (tmp_path / FILE_NAME).exists()


def test_what_the_owner_said_counts_when_the_switch_is_turned_back(ear: Ear) -> None:
    mute = Mute(ear)
    mute.mute()
    mute.switch(True)
    mute.switch(False)
    assert (ear.muted, mute.by) == (True, "command")
    mute.toggle()
    assert not ear.muted
    mute.toggle()
    assert ear.muted


class FakeButton:
    """gpiozero.Button, as far as it is used; pressed when it is made."""

    is_pressed = True

    def __init__(self, gpio: int, bounce_time: float) -> None:
        FakeButton.made = self
        self.gpio = gpio
        self.when_pressed: Any = None
        self.when_released: Any = None

    made: "FakeButton"


@pytest.fixture
def gpiozero(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    class Library:
        Button = FakeButton
        GPIOZeroError = ValueError

    monkeypatch.setitem(sys.modules, "gpiozero", Library)  # type: ignore[arg-type]
    yield


@pytest.mark.usefixtures("gpiozero")
def test_a_switch_that_is_on_already_is_told_and_each_turn_is() -> None:
    turns: list[bool] = []
    watch_switch(27, turns.append)
    assert FakeButton.made.gpio == 27
    FakeButton.made.when_released()
    FakeButton.made.when_pressed()
    assert turns == [True, False, True]


def test_a_missing_gpio_library_is_told_with_the_switch_s_own_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gpiozero", None)
    with pytest.raises(SettingsError, match=r"mute\.gpio is 27, but gpiozero is not installed"):
        watch_switch(27, lambda on: None)


def test_a_place_that_cannot_be_read_is_told_and_no_traceback(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    mute = Mute(Ear(), tmp_path / ("x" * 300))
    assert (mute.by, mute.kept) == (None, False)
    assert "whether the board was muted cannot be read" in caplog.text
