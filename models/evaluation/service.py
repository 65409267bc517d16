"""What a service hears in clips: asked as a board asks, with the board's own command.

So that gate, segmenter, frames and wire are those that run, with a board's settings and keys.
"""

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from common.errors import DataError, InputError
from edge.sound.source import SAMPLE_RATE_HZ
from models.data.clip import Clip
from models.data.sound_file import read_clip, write_sound

BATCH = 100
"""Clips that one command is given."""
PATIENCE_S = 30 * BATCH


class Line(msgspec.Struct):
    """What is read of a line of the command's JSON."""

    file: str
    transcript: str
    path: str


class Heard(NamedTuple):
    """Of a clip."""

    transcript: str | None
    """Of all utterances in it; None: it could not be asked."""
    fault: str = ""
    """Why not."""


def heard(service: str, clips: Sequence[Clip], folder: Path) -> list[Heard]:
    """Of each clip, in their order; paths are from `folder`. DataError if the service does not answer in time."""
    found: list[Heard] = []
    with tempfile.TemporaryDirectory() as scratch:
        for start in range(0, len(clips), BATCH):
            part = clips[start : start + BATCH]
            files = [_file(clip, folder, Path(scratch) / str(number)) for number, clip in enumerate(part)]
            found += _asked(service, files)
    return found


def _file(clip: Clip, folder: Path, scratch: Path) -> Path | InputError:
    """The sound file of a clip: a part of a recording becomes one of its own."""
    file = clip.file(folder)
    if clip.start_ms is None and clip.end_ms is None:
        return file
    # A folder for each: files of the same name lie in different ones.
    scratch.mkdir(exist_ok=True)
    part = scratch / f"{file.stem}.flac"
    try:
        write_sound(part, read_clip(clip, folder), SAMPLE_RATE_HZ)
    except InputError as error:
        return error
    return part


def _asked(service: str, files: Sequence[Path | InputError]) -> list[Heard]:
    """What the command says of each."""
    names = list(dict.fromkeys(str(file) for file in files if isinstance(file, Path)))
    # The board's own model would answer where the service does not, and be taken for it.
    command = [sys.executable, "-m", "edge", "test", "--json", "--cloud", service, "--local-model", "", "--", *names]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S)
    except subprocess.TimeoutExpired as error:
        raise DataError(f"{service} did not answer {len(names)} clips within {PATIENCE_S} s.") from error
    lines = [msgspec.json.decode(line, type=Line) for line in done.stdout.splitlines()]
    complaints = done.stderr.splitlines()

    def told(file: Path | InputError) -> Heard:
        if isinstance(file, InputError):
            return Heard(None, str(file))
        of_file = [line for line in lines if line.file == str(file)]
        own = next((said for said in complaints if said.startswith(f"{file}: ")), None)
        unanswered = any(line.path != "cloud" for line in of_file) or (done.returncode and not lines)
        if own is not None or unanswered:
            return Heard(None, own or (complaints[-1] if complaints else "was not answered"))
        return Heard(" ".join(line.transcript for line in of_file).strip())

    return [told(file) for file in files]
