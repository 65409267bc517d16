"""What is on both sides of a split: a voice, a sound, or a clip and what was made from it."""

import hashlib
import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import get_args

from models.data.clip import Split
from models.data.manifest import Entry
from models.finding import Finding, Severity

READ_BYTES = 1 << 20


def leaks(entries: Sequence[Entry], folder: Path | None) -> Iterator[Finding]:
    """All of them, each by the lines of two clips. Sounds are compared where the manifest's `folder` is given."""
    divided = [entry for entry in entries if entry.clip.split is not None]
    yield from _across("speaker", "the speaker {0}", ((entry, entry.clip.speaker or None) for entry in divided))
    by_path: Mapping[str, Entry] = {entry.clip.path: entry for entry in entries}
    for entry in entries:
        origin = by_path.get(entry.clip.made_from or "")
        if origin is not None and origin.clip.split != entry.clip.split:
            yield _leak("made_from", "a clip and what was made from it", origin, entry)
    if folder is not None:
        yield from _across("sound", "the same sound", sounds(divided, folder))


def without_twins(entries: Sequence[Entry], folder: Path) -> list[Entry]:
    """Without clips of train and tune whose sound is in a part that is to be strange to them, and what was made from
    those."""
    rank = {split: number for number, split in enumerate(get_args(Split))}
    heard = list(sounds(entries, folder))
    strictest: dict[object, int] = {}
    for entry, sound in heard:
        if sound is not None and entry.clip.split is not None:
            strictest[sound] = max(strictest.get(sound, 0), rank[entry.clip.split])
    twins = {
        entry.clip.path
        for entry, sound in heard
        if entry.clip.split is not None and rank[entry.clip.split] < strictest.get(sound, 0)
    }
    return [entry for entry in entries if not {entry.clip.path, entry.clip.made_from} & twins]


def _across(kind: str, what: str, keyed: Iterable[tuple[Entry, object]]) -> Iterator[Finding]:
    """A finding for each key that is in more than one split, and for each such split but the first."""
    seen: dict[object, dict[str, Entry]] = defaultdict(dict)
    for entry, key in keyed:
        if key is None:
            continue
        assert entry.clip.split is not None
        others = seen[key]
        if entry.clip.split not in others:
            if others:
                yield _leak(kind, what.format(key), next(iter(others.values())), entry)
            others[entry.clip.split] = entry


def _leak(kind: str, what: str, one: Entry, other: Entry) -> Finding:
    sentence = (
        f"{what} is in {one.clip.split or 'no part'} ({one.clip.path}, line {one.line}) "
        f"and in {other.clip.split or 'no part'} ({other.clip.path}, line {other.line})."
    )
    return Finding(
        kind=f"leak-{kind}", severity=Severity.ERROR, line=other.line, path=other.clip.path, sentence=sentence
    )


def sounds(entries: Sequence[Entry], folder: Path) -> Iterator[tuple[Entry, object]]:
    """What is to be heard of each clip, equal for the same sound; None: its file is not there. Only files of one size
    are read."""
    sizes: dict[int, set[str]] = defaultdict(set)
    size_of: dict[str, int] = {}
    for path in {entry.clip.path for entry in entries}:
        try:
            size_of[path] = os.stat(os.path.join(folder, path)).st_size  # noqa: PTH116, PTH118 - strings, for speed.
        except (OSError, ValueError):
            continue
        sizes[size_of[path]].add(path)
    hashes: dict[str, bytes] = {}
    for entry in entries:
        path = entry.clip.path
        if path in size_of and len(sizes[size_of[path]]) > 1 and path not in hashes:
            hashes[path] = _hash(folder / path)
        yield entry, (hashes.get(path, path), entry.clip.start_ms, entry.clip.end_ms) if path in size_of else None


def _hash(file: Path) -> bytes:
    digest = hashlib.blake2b(digest_size=16)
    try:
        with file.open("rb", buffering=0) as sound:
            while piece := sound.read(READ_BYTES):
                digest.update(piece)
    except OSError:
        # It went away while we looked: it is like no other.
        return os.fsencode(file)
    return digest.digest()
