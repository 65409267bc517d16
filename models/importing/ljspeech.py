"""A folder as LJSpeech has it: metadata.csv with `id|as written|as spoken` in each line, and wavs/ID.wav."""

from collections.abc import Iterator
from pathlib import Path

from common.errors import DataError
from models.importing.told import NOT_TEXT, SOUND_SUFFIXES, Fault, Place, Told, is_text, lines

METADATA = "metadata.csv"
SOUND_FOLDER = "wavs"


def read_ljspeech(source: Path, *, as_written: bool) -> Iterator[Told | Fault]:
    """Its lines. The text is as it is spoken, numbers as words, where a line says so and `as_written` is not wanted."""
    suffixes = _suffixes(source / SOUND_FOLDER)
    for number, line in lines(source / METADATA):
        place = Place(source / METADATA, number)
        name, *texts = line.split("|")
        if not is_text(line):
            yield Fault(place, NOT_TEXT)
        elif not 1 <= len(texts) <= 2:
            yield Fault(place, "is not of the form ID|TEXT or ID|AS WRITTEN|AS SPOKEN")
        else:
            text = texts[0] if as_written else texts[-1] or texts[0]
            # Some of its kind name the file with its ending.
            file = name if Path(name).suffix.lower() in SOUND_SUFFIXES else name + suffixes.get(name, ".wav")
            yield Told(place, f"{SOUND_FOLDER}/{file}", {"text": text})


def _suffixes(folder: Path) -> dict[str, str]:
    """Of files that are sound but no WAV, by name."""
    if not folder.is_dir():
        raise DataError(f"{folder}: is no folder; the recordings should lie there.")
    return {file.stem: file.suffix for file in folder.iterdir() if file.suffix.lower() in SOUND_SUFFIXES - {".wav"}}
