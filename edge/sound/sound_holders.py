"""Which programs hold the capture devices of this machine, as ALSA and /proc tell it; see proc(5).

A card that one program holds is busy for all others, and PortAudio then does not even list it.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

PROC = Path("/proc")

SOUND_SERVERS = {
    "pipewire": "systemctl --user mask --now pipewire.socket pipewire.service wireplumber.service",
    "wireplumber": "systemctl --user mask --now pipewire.socket pipewire.service wireplumber.service",
    "pulseaudio": "systemctl --user mask --now pulseaudio.socket pulseaudio.service",
}
"""Of desktops; and how to stop them for good, as the user whose desktop it is."""


class Holder(NamedTuple):
    """A program that has a capture device open."""

    card: int
    pid: int
    program: str
    """"" where nobody may know."""

    def sentence(self) -> str:
        """Who it is, and the cure."""
        who = f"process {self.pid}" + (f" ({self.program})" if self.program else "")
        if self.program not in SOUND_SERVERS:
            return f"Card {self.card} is held by {who}; stop that program."
        return (
            f"Card {self.card} is held by {who}, a desktop's sound server; switch the card off there (pavucontrol: "
            f"Configuration, Off), or stop it for good, as that desktop's user: `{SOUND_SERVERS[self.program]}`."
        )


def holders(proc: Path = PROC) -> list[Holder]:
    """Other programs that hold capture devices, each once a card."""
    found = dict.fromkeys([*_told_by_alsa(proc), *_told_by_descriptors(proc)])
    return [holder for holder in found if holder.pid != os.getpid()]


def holder_of(device: str, proc: Path = PROC) -> Holder | None:
    """Who holds the card of a device such as "USB Audio: - (hw:1,0)"; of one that names no card, who holds any."""
    card = re.search(r"\(hw:(\d+)", device)
    fitting = [holder for holder in holders(proc) if card is None or holder.card == int(card[1])]
    return fitting[0] if fitting else None


def _told_by_alsa(proc: Path) -> Iterator[Holder]:
    """From /proc/asound/card1/pcm0c/sub0/status, which anybody may read."""
    for status in sorted(proc.glob("asound/card*/pcm*c/sub*/status")):
        owner = re.search(r"^owner_pid\s*:\s*(\d+)", _text(status), re.MULTILINE)
        card = re.fullmatch(r"card(\d+)", status.parts[-4])
        if owner and card:
            yield _holder(proc, int(card[1]), int(owner[1]))


def _told_by_descriptors(proc: Path) -> Iterator[Holder]:
    """From the open files of the processes that we may look into."""
    for directory in proc.glob("[0-9]*"):
        try:
            links = [str(descriptor.readlink()) for descriptor in (directory / "fd").iterdir()]
        except OSError:
            continue  # Not ours to see, or over.
        for link in links:
            if device := re.fullmatch(r"/dev/snd/pcmC(\d+)D\d+c", link):
                yield _holder(proc, int(device[1]), int(directory.name))


def _holder(proc: Path, card: int, thread: int) -> Holder:
    """ALSA knows the thread that opened the device; its program is known by another number and name."""
    group = re.search(r"^Tgid:\s*(\d+)", _text(proc / str(thread) / "status"), re.MULTILINE)
    pid = int(group[1]) if group else thread
    return Holder(card, pid, _text(proc / str(pid) / "comm").strip())


def _text(file: Path) -> str:
    """ "" if it cannot be read."""
    try:
        return file.read_text(errors="replace")
    except OSError:
        return ""
