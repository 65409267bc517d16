"""Recordings of commands in a folder, LABEL/SPEAKER_NUMBER.flac, and their manifest beside them, which grows."""

import re
from collections.abc import Mapping
from pathlib import Path

import msgspec

from common.errors import DataError, InputError
from edge.sound.source import SAMPLE_RATE_HZ, Samples
from models.data.clip import Clip
from models.data.sound_file import write_sound
from models.own.people import RECORDED_FILE

SUFFIX = ".flac"


class Takes:
    """What one speaker has recorded, and records now."""

    def __init__(self, folder: Path, speaker: str) -> None:
        """DataError if a speaker cannot be called so."""
        if not re.fullmatch(r"[A-Za-z0-9.-]{1,40}", speaker):
            raise DataError(f"--speaker {speaker}: letters, digits, dots and hyphens make a name that files can have.")
        self.folder = folder
        self._speaker = speaker

    def numbers(self, label: str) -> list[int]:
        """Of the recordings there are."""
        names = (file.stem for file in (self.folder / label).glob(f"{self._speaker}_*{SUFFIX}"))
        return sorted(int(number) for name in names if (number := name.removeprefix(f"{self._speaker}_")).isdecimal())

    def keep(
        self,
        label: str,
        samples: Samples,
        *,
        text: str | None = None,
        part_ms: tuple[int, int] | None = None,
        measured: Mapping[str, float] | None = None,
    ) -> Path:
        """Writes a recording as it is, and its line; `part_ms` is what of it counts. DataError if that cannot be."""
        start_ms, end_ms = part_ms or (None, None)
        try:
            clip = Clip(
                path=self._free_path(label),
                text=text,
                label=label,
                speaker=self._speaker,
                start_ms=start_ms,
                end_ms=end_ms,
                measured=dict(measured or {}),
            )
            (self.folder / label).mkdir(parents=True, exist_ok=True)
            write_sound(clip.file(self.folder), samples, SAMPLE_RATE_HZ)
            self._add(msgspec.json.encode(clip))
        except (OSError, InputError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error).rstrip(".")
            raise DataError(f"{self.folder}: cannot be recorded to: {reason}.") from error
        return clip.file(self.folder)

    def _free_path(self, label: str) -> str:
        """From the folder."""
        file = self.folder / RECORDED_FILE
        told = file.read_bytes() if file.exists() else b""
        number = max(self.numbers(label), default=0) + 1
        # Where a file was deleted its line is still there, with the places of another sound.
        while msgspec.json.encode(path := f"{label}/{self._speaker}_{number}{SUFFIX}") in told:
            number += 1
        return path

    def _add(self, line: bytes) -> None:
        file = self.folder / RECORDED_FILE
        # Who was killed in the midst of a line has left half of one.
        whole = not file.exists() or file.read_bytes()[-1:] in (b"", b"\n")
        with file.open("ab") as out:
            out.write((b"" if whole else b"\n") + line + b"\n")
