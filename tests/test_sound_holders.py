"""A busy card is told with who holds it and what to do, from a /proc that is made here."""

import os
from pathlib import Path

import pytest

from edge.sound.sound_device import DeviceAbsentError, DeviceInfo, open_line
from edge.sound.sound_holders import Holder, holder_of, holders

USB = DeviceInfo(3, "USB PnP Sound: Audio (hw:1,0)", 1, 48_000, True)


class Proc:
    """What the kernel would tell."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.card(0, "closed\n")

    def card(self, number: int, status: str) -> None:
        directory = self.folder / f"asound/card{number}/pcm0c/sub0"
        directory.mkdir(parents=True)
        (directory / "status").write_text(status)

    def process(self, pid: int, program: str, *, thread_of: int | None = None, opens: str = "") -> None:
        directory = self.folder / str(pid)
        (directory / "fd").mkdir(parents=True)
        (directory / "comm").write_text(f"{program}\n")
        (directory / "status").write_text(f"Name:\t{program}\nTgid:\t{thread_of or pid}\nPid:\t{pid}\n")
        if opens:
            (directory / "fd" / "7").symlink_to(opens)


@pytest.fixture
def proc(tmp_path: Path) -> Proc:
    return Proc(tmp_path)


def held(pid: int) -> str:
    return f"state: RUNNING\nowner_pid   : {pid}\ntrigger_time: 12.3\n"


def test_nobody_holds_what_is_closed(proc: Proc) -> None:
    proc.process(9, "bash", opens="/dev/null")
    assert holders(proc.folder) == []
    assert holder_of(USB.name, proc.folder) is None
    assert holders(proc.folder / "nowhere") == []


def test_the_program_is_named_by_the_process_of_the_thread_that_opened_the_card(proc: Proc) -> None:
    proc.card(1, held(813))
    proc.process(812, "pipewire")
    proc.process(813, "data-loop.0", thread_of=812)
    assert holders(proc.folder) == [Holder(1, 812, "pipewire")]


def test_open_files_tell_it_where_alsa_does_not_and_playing_holds_no_microphone(proc: Proc) -> None:
    proc.process(99, "arecord", opens="/dev/snd/pcmC2D0c")
    proc.process(98, "aplay", opens="/dev/snd/pcmC1D0p")
    proc.process(97, "top", opens="/dev/snd/controlC1")
    assert holders(proc.folder) == [Holder(2, 99, "arecord")]
    assert holder_of(USB.name, proc.folder) is None
    assert holder_of("default", proc.folder) == Holder(2, 99, "arecord")


def test_we_do_not_accuse_ourselves_and_a_stranger_may_have_no_name(proc: Proc) -> None:
    proc.card(1, held(os.getpid()))
    proc.card(2, held(4242))
    assert holders(proc.folder) == [Holder(2, 4242, "")]
    assert Holder(2, 4242, "").sentence() == "Card 2 is held by process 4242; stop that program."


class Busy:
    """A sound system whose card cannot be had."""

    def __init__(self, *devices: DeviceInfo) -> None:
        self._devices = devices

    def devices(self) -> tuple[DeviceInfo, ...]:
        return self._devices

    def open(self, *how: object) -> None:
        raise OSError(-9985, "Device unavailable")

    def close(self) -> None:
        pass


@pytest.mark.parametrize(
    ("devices", "words"),
    [
        ((USB,), "USB PnP Sound: Audio (hw:1,0): cannot be opened: Device unavailable. Card 1 is held"),
        # PortAudio leaves out what it cannot open.
        ((), "There is no microphone; plug one in. What another program holds is not listed: Card 1 is held"),
    ],
)
def test_a_card_that_a_desktop_holds_is_told_with_the_cure(
    proc: Proc, devices: tuple[DeviceInfo, ...], words: str
) -> None:
    proc.card(1, held(812))
    proc.process(812, "pipewire")
    with pytest.raises(DeviceAbsentError) as told:
        open_line(Busy(*devices), "", lambda pcm, lost: None, lambda device: holder_of(device, proc.folder))
    assert str(told.value) == (
        f"{words} by process 812 (pipewire), a desktop's sound server; switch the card off there (pavucontrol: "
        "Configuration, Off), or stop it for good, as that desktop's user: "
        "`systemctl --user mask --now pipewire.socket pipewire.service wireplumber.service`."
    )
