"""A data folder of Kaldi: wav.scp, text, utt2spk, and segments where recordings hold several utterances.

Commands in wav.scp are not run. The four files are in memory while it is read.
"""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from models.importing.told import NOT_TEXT, Fault, Place, Told, is_text, lines


class Line(NamedTuple):
    """Of one of the files: what is said of a key."""

    place: Place
    rest: str


class Times(NamedTuple):
    """A line of segments."""

    recording: str
    start_ms: int
    end_ms: int | None


class Files(NamedTuple):
    """What a folder has but segments."""

    recordings: dict[str, Line]
    texts: dict[str, Line]
    speakers: dict[str, Line]
    faults: list[Fault]

    def values(self, utterance: str) -> dict[str, str]:
        """What is known of it."""
        found = {"text": self.texts.get(utterance), "speaker": self.speakers.get(utterance)}
        return {field: line.rest for field, line in found.items() if line is not None}


def read_kaldi(source: Path) -> Iterator[Told | Fault]:
    """Its utterances. Those whose recording cannot be used are faults, each at its own line."""
    files = _files(source)
    yield from files.faults
    if not (source / "segments").exists():
        yield from (Told(line.place, line.rest, files.values(name)) for name, line in files.recordings.items())
        return
    for entry in _entries(source / "segments"):
        yield entry if isinstance(entry, Fault) else _segment(*entry, files)


def _files(source: Path) -> Files:
    faults: list[Fault] = []
    found: dict[str, dict[str, Line]] = {}
    for name in ("wav.scp", "text", "utt2spk"):
        found[name] = {}
        if name == "wav.scp" or (source / name).exists():
            for entry in _entries(source / name):
                if isinstance(entry, Fault):
                    faults.append(entry)
                elif name == "wav.scp" and entry[1].rest.endswith("|"):
                    sentence = "is what a command would write, and commands are not run; name a file"
                    faults.append(Fault(entry[1].place, f"{entry[0]} {sentence}"))
                else:
                    found[name][entry[0]] = entry[1]
    return Files(found["wav.scp"], found["text"], found["utt2spk"], faults)


def _segment(utterance: str, line: Line, files: Files) -> Told | Fault:
    times = _times(line.rest)
    if isinstance(times, str):
        return Fault(line.place, times)
    if (recording := files.recordings.get(times.recording)) is None:
        return Fault(line.place, f"{times.recording} has no file in wav.scp")
    end = {} if times.end_ms is None else {"end_ms": str(times.end_ms)}
    return Told(line.place, recording.rest, files.values(utterance) | {"start_ms": str(times.start_ms)} | end)


def _entries(file: Path) -> Iterator[tuple[str, Line] | Fault]:
    """Keys and the rest of their lines."""
    for number, text in lines(file):
        place = Place(file, number)
        key, _, rest = text.strip().replace("\t", " ").partition(" ")
        if not is_text(text):
            yield Fault(place, NOT_TEXT)
        elif key:
            yield key, Line(place, rest.strip())


def _times(rest: str) -> Times | str:
    """Of a segment, or what is wrong with it. A negative end is that of the recording."""
    try:
        recording, start, end = rest.split()
        start_s, end_s = float(start), float(end)
    except ValueError:
        return "is not of the form UTTERANCE RECORDING START END"
    if not (math.isfinite(start_s) and math.isfinite(end_s)):
        return f"goes from {start} to {end} s"
    return Times(recording, round(1000 * start_s), None if end_s < 0 else round(1000 * end_s))
