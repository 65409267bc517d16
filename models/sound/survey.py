"""Measures all clips of a data set, on all cores, in the order of the manifest."""

from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from models.data.clip import Clip
from models.data.manifest import Entry, Manifest
from models.data.sound_file import what_there_is
from models.processes import processes
from models.sound.measures import Measured, Measurer

CHUNK = 64
"""Clips that a process is given at a time."""
AHEAD = 4
"""Chunks a process may be ahead of whoever reads the results."""


class Surveyed(NamedTuple):
    """What one clip sounds like."""

    entry: Entry
    measured: Measured
    faults: tuple[str, ...]
    """Sentences on what is missing or damaged."""


class Survey:
    """Of so many clips, gone through once."""

    def __init__(self, manifest: Manifest, jobs: int) -> None:
        self._manifest = manifest
        self._jobs = jobs

    def __len__(self) -> int:
        return len(self._manifest.entries)

    def __iter__(self) -> Iterator[Surveyed]:
        return survey(self._manifest, self._jobs)


def survey(manifest: Manifest, jobs: int) -> Iterator[Surveyed]:
    """Each clip, in order. A damaged one costs nothing but itself."""
    entries = iter(manifest.entries)
    chunks = iter(lambda: list(islice(entries, CHUNK)), [])
    if jobs == 1 or len(manifest.entries) <= CHUNK:
        for chunk in chunks:
            yield from _surveyed(chunk, measure_all([entry.clip for entry in chunk], manifest.folder))
        return
    with processes(jobs) as pool:
        waiting: list[tuple[list[Entry], Future[list[tuple[Measured, tuple[str, ...]]]]]] = []
        for chunk in chunks:
            clips = [entry.clip for entry in chunk]
            waiting.append((chunk, pool.submit(measure_all, clips, manifest.folder)))
            if len(waiting) >= jobs * AHEAD:
                done, results = waiting.pop(0)
                yield from _surveyed(done, results.result())
        for done, results in waiting:
            yield from _surveyed(done, results.result())


def measure_all(clips: Sequence[Clip], folder: Path) -> list[tuple[Measured, tuple[str, ...]]]:
    """Figures and faults of each clip."""
    measurer = Measurer()
    results = []
    for clip in clips:
        sound = what_there_is(clip, folder)
        results.append((measurer.measure(sound.samples), sound.faults))
    return results


def _surveyed(entries: Sequence[Entry], results: Sequence[tuple[Measured, tuple[str, ...]]]) -> Iterator[Surveyed]:
    for entry, (measured, faults) in zip(entries, results, strict=True):
        yield Surveyed(entry, measured, faults)
