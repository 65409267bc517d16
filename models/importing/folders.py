"""Recordings sorted into folders: SOURCE/LABEL/FILE, or SOURCE/SPLIT/LABEL/FILE, as deep as they like."""

import os
import re
from collections.abc import Collection, Iterator
from pathlib import Path

from common.errors import DataError
from models.importing.told import SOUND_SUFFIXES, Fault, Place, Told


def read_folders(source: Path, split_names: Collection[str], speaker: re.Pattern[str] | None) -> Iterator[Told | Fault]:
    """Its sound files in order. A first folder called as a split is one where another lies below it; `speaker` finds
    the speaker in a file's name, by its first group."""
    if not source.is_dir():
        raise DataError(f"{source}: is no folder.")
    for path in _files(source):
        place = Place(source / path)
        folders = path.parts[:-1]
        values = {}
        if len(folders) > 1 and folders[0] in split_names:
            values["split"] = folders[0]
            folders = folders[1:]
        if not folders:
            yield Fault(place, "lies in no sub-folder, which would be its label", str(path))
            continue
        values["label"] = folders[0]
        if speaker is not None and (found := speaker.search(path.name)):
            values["speaker"] = found.group(1) if speaker.groups else found.group()
        yield Told(place, str(path), values)


def _files(source: Path) -> Iterator[Path]:
    """Sound files below the folder, from there; hidden ones and linked folders are passed over."""

    def refuse(error: OSError) -> None:
        raise DataError(f"{error.filename}: {error.strerror}.") from error

    for folder, below, names in os.walk(source, onerror=refuse):
        below[:] = sorted(name for name in below if not name.startswith("."))
        for name in sorted(names):
            if not name.startswith(".") and os.path.splitext(name)[1].lower() in SOUND_SUFFIXES:  # noqa: PTH122 - quick
                yield Path(folder, name).relative_to(source)
