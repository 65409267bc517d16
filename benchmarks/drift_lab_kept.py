"""What became of each stream of drift_lab, kept a line each, so that a run that was killed goes on where it was.

Lines belong to what made them: where the watch or the lab is another, all is made anew, into another file.
"""

import hashlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import msgspec

from benchmarks.kept_lines import kept_lines

ROOT = Path(__file__).parent.parent
MADE_BY = (
    "cloud/drift/**/*.py",
    "cloud/outcomes/*.py",
    "cloud/labelling/*.py",
    "benchmarks/drift_*.py",
    "benchmarks/outcomes_heard.py",
)

Result = TypeVar("Result")


class Line(msgspec.Struct):
    """Of a stream."""

    key: str
    result: msgspec.Raw


class Kept:
    """Of one half."""

    def __init__(self, work: Path, half: str) -> None:
        folder = work / "lab"
        folder.mkdir(parents=True, exist_ok=True)
        self._file = folder / f"{half}-{made_by()}.jsonl"
        self._known = {line.key: line.result for line in kept_lines(self._file, Line)}
        self.made = 0
        """By this run."""

    def get(self, key: str, kind: type[Result], make: Callable[[], Result]) -> Result:
        """Of a stream: as it was kept, or made and kept."""
        if key in self._known:
            return msgspec.json.decode(self._known[key], type=kind)
        if sys.stderr.isatty():
            print(f"\r{key:60}", end="", file=sys.stderr, flush=True)
        result = make()
        with self._file.open("ab") as lines:
            lines.write(msgspec.json.encode(Line(key, msgspec.Raw(msgspec.json.encode(result)))) + b"\n")
        self.made += 1
        return result


def made_by() -> str:
    """Short for the code that makes results."""
    whole = hashlib.sha256()
    for pattern in MADE_BY:
        for file in sorted(ROOT.glob(pattern)):
            whole.update(file.read_bytes())
    return whole.hexdigest()[:12]
