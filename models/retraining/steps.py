"""Work in steps, each with its result in a folder and a stamp of what it was made from.

A step whose stamp is that of today is done, and is not done again; a stamp hangs on those before it, too. It is written
last and in one piece, so that work that was killed at any line goes on where it was, and half a result is never taken
for one.
"""

import fcntl
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from common.errors import DataError

FORMAT = 2
"""Another one makes other results of the same."""
FOLDER = "steps"
LOCK_FILE = ".lock"

Figures = dict[str, Any]
"""What a step found, as JSON has it."""
Tell = Callable[[str], None]


class Step(NamedTuple):
    """One of them."""

    name: str
    what: str
    """A line for a plan."""
    inputs: Callable[[], Mapping[str, str]]
    """What its result hangs on, besides the steps before; by name."""
    results: tuple[Path, ...]
    """Files and folders that it makes."""
    work: Callable[[Tell], Figures]
    kept: Callable[[], Path] | None = None
    """A folder of what is half done, which goes on there; erased only where the step is to be done anew."""


class Done(msgspec.Struct, frozen=True):
    """The record of a step that is done."""

    stamp: str
    inputs: dict[str, str]
    figures: Figures


class Planned(NamedTuple):
    """A step, and whether anything is to be done."""

    step: Step
    is_done: bool
    why: str
    """Why not."""


class Work:
    """All steps of a folder, in their order. A context manager: nobody else works there meanwhile."""

    def __init__(self, folder: Path, steps: Sequence[Step]) -> None:
        self.folder = folder
        self.steps = steps
        self._locked: int | None = None

    def __enter__(self) -> "Work":
        """DataError if somebody else works there, or it cannot be used."""
        try:
            (self.folder / FOLDER).mkdir(parents=True, exist_ok=True)
            self._locked = os.open(self.folder / LOCK_FILE, os.O_CREAT | os.O_RDWR, 0o644)
            fcntl.flock(self._locked, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise DataError(f"{self.folder}: somebody else is at work there; wait, or give another folder.") from error
        except OSError as error:
            raise DataError(f"{self.folder}: cannot be used: {error.strerror}.") from error
        return self

    def __exit__(self, *error: object) -> None:
        if self._locked is not None:
            os.close(self._locked)

    def plan(self, first: str | None = None) -> list[Planned]:
        """What is done, and what is to be; `first`: from that step on everything is to be done anew."""
        planned: list[Planned] = []
        before, is_behind = "", False
        for step in self.steps:
            is_behind = is_behind or step.name == first
            if planned and not planned[-1].is_done:
                planned.append(Planned(step, False, f"after {planned[-1].step.name}"))
                continue
            inputs = step.inputs()
            before = _stamp(before, step, inputs)
            why = "it is asked for" if is_behind else self._lacking(step, before, inputs)
            planned.append(Planned(step, why == "", why))
        return planned

    def carry_out(self, tell: Tell, first: str | None = None, last: str | None = None) -> dict[str, Figures]:
        """Does what is to be done, up to `last`; figures by step."""
        figures: dict[str, Figures] = {}
        before, is_behind = "", False
        for step in self.steps:
            is_behind = is_behind or step.name == first
            inputs = step.inputs()
            before = _stamp(before, step, inputs)
            if not is_behind and not self._lacking(step, before, inputs):
                done = self.done(step.name)
                assert done is not None
                tell(f"{step.name}: done before")
            else:
                done = self._do(step, before, inputs, tell, anew=is_behind)
            figures[step.name] = done.figures
            if step.name == last:
                break
        return figures

    def done(self, name: str) -> Done | None:
        """The record of a step; None where there is none, or half of one."""
        try:
            return msgspec.json.decode(self._record(name).read_bytes(), type=Done)
        except (OSError, msgspec.DecodeError):
            return None

    def _do(self, step: Step, stamp: str, inputs: Mapping[str, str], tell: Tell, *, anew: bool) -> Done:
        self._record(step.name).unlink(missing_ok=True)
        for result in (*step.results, *([step.kept()] if anew and step.kept is not None else [])):
            erase(result)
        tell(f"{step.name}: {step.what}")
        done = Done(stamp, dict(inputs), step.work(lambda line: tell(f"  {line}")))
        content = msgspec.json.encode(done, enc_hook=float)
        write_whole(self._record(step.name), content)
        # As it is read another time.
        return msgspec.json.decode(content, type=Done)

    def _lacking(self, step: Step, stamp: str, inputs: Mapping[str, str]) -> str:
        """Why a step is to be done; empty: it is done."""
        done = self.done(step.name)
        if done is None:
            return "not done yet"
        made = (*step.results, *([] if step.kept is None else [step.kept()]))
        if gone := next((result for result in made if not result.exists()), None):
            return f"{gone} is gone"
        if done.stamp == stamp:
            return ""
        others = [name for name, value in inputs.items() if done.inputs.get(name) != value]
        return f"{', '.join(others)} changed" if others else "what it was made from changed"

    def _record(self, name: str) -> Path:
        return self.folder / FOLDER / f"{name}.json"


def write_whole(file: Path, content: bytes) -> None:
    """In the place of what is there, all of it or nothing. DataError if it cannot be."""
    unfinished = file.with_name(f".{file.name}.new")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        unfinished.write_bytes(content)
        unfinished.replace(file)
    except OSError as error:
        raise DataError(f"{file}: cannot be written: {error.strerror}.") from error


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """A folder to fill, which gets its name when all is in it. DataError if it cannot be made."""
    unfinished = folder.with_name(f".{folder.name}.new")
    try:
        erase(unfinished)
        unfinished.mkdir(parents=True)
        yield unfinished
        unfinished.rename(folder)
    except OSError as error:
        raise DataError(f"{folder}: cannot be written: {error.strerror}.") from error


def erase(path: Path) -> None:
    """A file, or a folder with all that is in it; nothing, if it is not there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def digest_of(*files: Path | None) -> str:
    """Of the content of files, those of a folder by name. DataError if one cannot be read."""
    digest = hashlib.sha256()
    try:
        for file in files:
            within = [] if file is None else sorted(file.iterdir()) if file.is_dir() else [file]
            for one in within:
                if one.is_file():
                    digest.update(f"\0{one.name}\0".encode() + hashlib.sha256(one.read_bytes()).digest())
    except OSError as error:
        raise DataError(f"{error.filename}: {error.strerror}.") from error
    return digest.hexdigest()


def _stamp(before: str, step: Step, inputs: Mapping[str, str]) -> str:
    told = [FORMAT, before, step.name, sorted(inputs.items())]
    return hashlib.sha256(msgspec.json.encode(told)).hexdigest()
