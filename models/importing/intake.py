"""From what a source tells to clips of a manifest: texts made one, paths from the manifest, sound looked at.

Sound is read where it lies, and never copied or changed.
"""

import os
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

from common.errors import InputError
from models.data.clip import Clip, Split
from models.data.manifest import fault_of
from models.data.sound_file import SoundFacts, look
from models.importing.told import Fault, Place, Told

SPLITS: dict[str, Split] = {
    "train": "train",
    "training": "train",
    "tune": "tune",
    "dev": "tune",
    "valid": "tune",
    "validation": "tune",
    "test": "test",
    "testing": "test",
}
"""By the names that sources give them."""

NOBODY = ("_noise_", "_background_noise_")
"""Speakers that are none."""

FAULTS_TOLD = 100
"""A wrong folder has a fault a line, and nobody reads more of them."""

FORMS: tuple[Literal["NFC", "NFD"], ...] = ("NFC", "NFD")
"""Of Unicode, for names of files: a disk that was copied from another system may have either."""

SLACK_MS = 20
"""Ends of segments are often rounded."""

_YES = frozenset({"1", "yes", "true", "y"})
_NO = frozenset({"", "0", "no", "false", "n"})
_INTEGERS = ("start_ms", "end_ms")


class Agreed(NamedTuple):
    """What holds for all recordings of a source."""

    defaults: Mapping[str, str] = {}
    """Of text fields that the source leaves out: source, licence, speaker, transcriber, label."""
    splits: Mapping[str, Split] = SPLITS
    every_split: Split | None = None
    """Whatever the source says."""
    synthetic: bool = False
    nobody: frozenset[str] = frozenset(NOBODY)
    look: bool = True
    """At each sound file, and not only whether it is there."""


class Bad(Exception):
    """Raised inside, with what is wrong with a value."""


class Intake:
    """Takes in what a source tells; what it cannot take is counted as it goes on, the first of it told."""

    def __init__(self, sound_folder: Path, manifest_folder: Path, agreed: Agreed) -> None:
        """`sound_folder`: what the source's paths start from."""
        # By real paths: ".." behind a link leads elsewhere.
        self._sound_folder = os.path.realpath(sound_folder)
        self._manifest_folder = os.path.realpath(manifest_folder)
        self._prefix = os.path.relpath(self._sound_folder, self._manifest_folder)
        self._agreed = agreed
        self._seen: dict[tuple[str, int | None, int | None], Place] = {}
        self.faults: list[Fault] = []
        """The first FAULTS_TOLD."""
        self.left_out = 0

    def clips(self, told: Iterable[Told | Fault]) -> Iterator[Clip]:
        """In the source's order."""
        for one in told:
            clip = self._clip(one)
            if clip is not None:
                yield clip

    def _clip(self, one: Told | Fault) -> Clip | None:
        if isinstance(one, Fault):
            self._leave_out(one)
            return None
        try:
            path, facts = self._found(one.path)
            clip = self._made(one, path, facts)
            first = self._seen.setdefault((clip.path, clip.start_ms, clip.end_ms), one.place)
            if first is not one.place:
                raise Bad(f"the same clip as in {first}")
        except Bad as error:
            self._leave_out(Fault(one.place, str(error), one.path))
            return None
        return clip

    def _found(self, path: str) -> tuple[str, SoundFacts | None]:
        """The path as it is on the disk, and what is known of the file. Bad if it is of no use."""
        if not path or "\0" in path:
            raise Bad("names no file")
        forms = [path] if path.isascii() else [path, *(unicodedata.normalize(form, path) for form in FORMS)]
        files = {form: os.path.join(self._sound_folder, form) for form in forms}  # noqa: PTH118 - strings, for speed.
        there = next((form for form, file in files.items() if os.path.exists(file)), None)  # noqa: PTH110
        if there is None:
            raise Bad("there is no such file")
        if not self._agreed.look:
            return there, None
        try:
            return there, look(Path(files[there]))
        except InputError as error:
            raise Bad(str(error)) from error

    def _leave_out(self, fault: Fault) -> None:
        self.left_out += 1
        if len(self.faults) < FAULTS_TOLD:
            self.faults.append(fault)

    def _made(self, one: Told, path: str, facts: SoundFacts | None) -> Clip:
        agreed = self._agreed
        values: dict[str, Any] = dict(agreed.defaults)
        values |= {field: text for field, value in one.values.items() if (text := tidy(value))}
        if values.get("speaker") in agreed.nobody:
            del values["speaker"]
        values["synthetic"] = agreed.synthetic or _truth(values.get("synthetic", ""))
        values["split"] = agreed.every_split or self._split(values.get("split"))
        values |= {field: _integer(field, values[field]) for field in _INTEGERS if field in values}
        measured = {name: _number(name, value) for name, value in one.measured.items() if value.strip()}
        slices = {name: text for name, value in one.slices.items() if (text := tidy(value))}
        clip = Clip(path=self._from_manifest(path), measured=measured, slices=slices, **values)
        if (fault := fault_of(clip)) is not None:
            raise Bad(fault)
        if facts is not None:
            # The dict is the clip's, and nobody else's yet.
            measured |= _measured(facts, clip)
        return clip

    def _from_manifest(self, path: str) -> str:
        joined = os.path.join(self._prefix, path)  # noqa: PTH118 - strings, for speed.
        if os.path.isabs(path):  # noqa: PTH117
            joined = os.path.relpath(path, self._manifest_folder)
        if not (named := os.path.normpath(joined)).isascii():
            try:
                named.encode()
            except UnicodeEncodeError as error:
                raise Bad("the file's name is not UTF-8") from error
        return named

    def _split(self, name: str | None) -> Split | None:
        if name is None:
            return None
        try:
            return self._agreed.splits[name.lower()]
        except KeyError:
            known = ", ".join(self._agreed.splits)
            raise Bad(f"its split is {name}, which is none of {known}; --split {name}=test says what it is") from None


def tidy(text: str) -> str:
    """Without spaces around, and each character written in one way (Unicode's NFC)."""
    text = text.strip()
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def _truth(word: str) -> bool:
    if word.lower() in _YES:
        return True
    if word.lower() in _NO:
        return False
    raise Bad(f"{word!r} in its column of what is synthetic is neither yes nor no")


def _integer(field: str, value: str) -> int:
    try:
        return int(value)
    except ValueError as error:
        raise Bad(f"{value!r} as {field} is no whole number") from error


def _number(name: str, value: str) -> float:
    try:
        return float(value)
    except ValueError as error:
        raise Bad(f"{value!r} as {name} is no number") from error


def _measured(facts: SoundFacts, clip: Clip) -> dict[str, float]:
    """What a clip is of its file. Bad if it is beyond the file's end."""
    start_ms = clip.start_ms or 0
    end_ms = facts.duration_ms if clip.end_ms is None else clip.end_ms
    if start_ms >= facts.duration_ms or end_ms > facts.duration_ms + SLACK_MS:
        raise Bad(f"it goes from {start_ms} to {end_ms} ms, and its file ends at {facts.duration_ms} ms")
    return {"duration_ms": end_ms - start_ms, "rate_hz": facts.rate_hz}
