"""A new manifest from an old one: labels put right by the agreement or by a person, and the way back."""

import difflib
import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from common.errors import DataError
from models.data.clip import Clip
from models.data.manifest import Manifest, write_manifest
from models.labels.agreement import agreement_on
from models.labels.definition import Definition
from models.labels.journal import Change, journal_file, read_journal, write_journal

Rewrite = Callable[[Clip], tuple[str | None, tuple[str, ...]]]
"""A clip's new text, and what changed it; nothing changed it: no change."""


class Correction(msgspec.Struct, frozen=True, kw_only=True):
    """What a person who listened says of one clip."""

    path: str
    text: str
    before: str | None = None
    """The text that was corrected; another one there now means that somebody else was faster."""
    start_ms: int | None = None
    end_ms: int | None = None


class Rewritten(NamedTuple):
    """What a new manifest would be."""

    clips: list[Clip]
    changes: list[Change]


def by_policies(manifest: Manifest, definition: Definition, policies: Collection[str]) -> Rewrite:
    """Puts right what is safe, of these policies alone: `characters` and the conventions."""
    agreement = agreement_on(manifest, definition)

    def rewrite(clip: Clip) -> tuple[str | None, tuple[str, ...]]:
        text, by = clip.text, []
        for name in agreement.names if text else ():
            if name in policies and (after := agreement.by(name, text or "")) not in (None, text):
                text = after
                by.append(name)
        return text, tuple(by)

    return rewrite


def by_corrections(corrections: Mapping[tuple[str, int | None, int | None], Correction]) -> Rewrite:
    """What a person decided. DataError where the text is another by now."""

    def rewrite(clip: Clip) -> tuple[str | None, tuple[str, ...]]:
        correction = corrections.get((clip.path, clip.start_ms, clip.end_ms))
        if correction is None or correction.text == clip.text:
            return clip.text, ()
        if correction.before is not None and correction.before != clip.text:
            raise DataError(
                f'{clip.path}: the text is "{clip.text}", and was "{correction.before}" when it was corrected.'
            )
        return correction.text, ("correction",)

    return rewrite


def read_corrections(file: Path, manifest: Manifest) -> dict[tuple[str, int | None, int | None], Correction]:
    """As the page of `check --html` saves them. DataError for a line that is none, or is of no clip of the manifest."""
    there = {(clip.path, clip.start_ms, clip.end_ms) for clip in manifest.clips}
    found = {}
    try:
        lines = file.read_bytes().splitlines()
    except OSError as error:
        raise DataError(f"{file}: {error.strerror}.") from error
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            correction = msgspec.json.decode(line, type=Correction)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise DataError(f"{file}:{number}: this is no correction: {error}.") from error
        key = (correction.path, correction.start_ms, correction.end_ms)
        if key not in there:
            raise DataError(f"{file}:{number}: {manifest.file} has no clip {correction.path}.")
        found[key] = correction
    return found


def rewritten(manifest: Manifest, new: Path, rewrites: Sequence[Rewrite]) -> Rewritten:
    """All clips with what the rewrites make of them, one after the other; paths as the new place needs them."""
    clips: list[Clip] = []
    changes: list[Change] = []
    for clip in manifest.clips:
        moved = at_place(clip, manifest.folder, new.parent)
        text = clip.text
        reasons: tuple[str, ...] = ()
        for rewrite in rewrites:
            text, by = rewrite(msgspec.structs.replace(clip, text=text))
            reasons = (*reasons, *by)
        clips.append(msgspec.structs.replace(moved, text=text))
        if text != clip.text:
            change = Change(line=len(clips), path=moved.path, before=clip.text, after=text, by=reasons)
            changes.append(change)
    return Rewritten(clips, changes)


def write(new: Path, result: Rewritten) -> None:
    """The journal first: a manifest without its way back must not be."""
    if new.exists():
        raise DataError(f"{new}: is there already; a manifest is never changed, only written anew.")
    write_journal(journal_file(new), result.changes)
    try:
        write_manifest(new, result.clips)
    except DataError:
        journal_file(new).unlink(missing_ok=True)
        raise


def undone(manifest: Manifest, restored: Path) -> Rewritten:
    """The clips as they were before this manifest's journal. DataError if it was changed since."""
    changes = {change.line: change for change in read_journal(journal_file(manifest.file))}
    clips: list[Clip] = []
    back: list[Change] = []
    for line, clip in manifest.entries:
        change = changes.pop(line, None)
        if change is not None and (change.path, change.after) != (clip.path, clip.text):
            raise DataError(f"{manifest.file}:{line}: was changed after its journal was written.")
        moved = at_place(clip, manifest.folder, restored.parent)
        if change is not None:
            moved = msgspec.structs.replace(moved, text=change.before)
            undo = Change(line=len(clips) + 1, path=moved.path, before=change.after, after=change.before, by=("undo",))
            back.append(undo)
        clips.append(moved)
    if changes:
        raise DataError(f"{manifest.file}:{min(changes)}: is not there any more.")
    return Rewritten(clips, back)


def at_place(clip: Clip, folder: Path, new_folder: Path) -> Clip:
    """The clip as a manifest in another folder names it: its sound stays where it is."""
    if folder.resolve() == new_folder.resolve():
        return clip
    path = _relative(clip.path, folder, new_folder)
    origin = None if clip.made_from is None else _relative(clip.made_from, folder, new_folder)
    return msgspec.structs.replace(clip, path=path, made_from=origin)


def _relative(path: str, folder: Path, new_folder: Path) -> str:
    return Path(os.path.relpath(folder.resolve() / path, new_folder.resolve())).as_posix()


def diff(file: Path, changes: Sequence[Change]) -> Iterator[str]:
    """A line with what goes and one with what comes for each label touched."""
    for change in changes:
        yield f"@@ {file}:{change.line} {', '.join(change.by)} @@"
        yield f"-{change.before or ''}"
        yield f"+{change.after or ''}"


def near(name: str, names: Collection[str]) -> str:
    """What was meant by a policy that there is not."""
    found = difflib.get_close_matches(name, sorted(names), n=1, cutoff=0.5)
    return f" Did you mean {found[0]}?" if found else f" There are: {', '.join(names)}."
