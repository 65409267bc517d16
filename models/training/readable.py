"""What of a data set can be learnt from: what cannot be read is told by its line, and the rest is used."""

from collections.abc import Callable
from pathlib import Path

from models.data.manifest import Entry, Manifest, read_manifest
from models.data.sound_file import damage

FINDINGS_TOLD = 20
"""A file of another kind has one a line."""

Tell = Callable[[str], None]


def read_readable(manifest: Path, tell: Tell) -> Manifest:
    """The lines that are clips. DataError if none is."""
    read = read_manifest(manifest)
    for finding in read.findings[:FINDINGS_TOLD]:
        tell(f"{manifest}:{finding.line}: {finding.sentence}")
    return read


def is_whole(entry: Entry, manifest: Path, tell: Tell) -> bool:
    """Whether the sound of a clip is there from its beginning to its end; else `tell` is told that it is left out."""
    fault = damage(entry.clip, manifest.parent)
    if fault is not None:
        tell(f"{manifest}:{entry.line}: {entry.clip.path}: {fault}; it is left out.")
    return fault is None
