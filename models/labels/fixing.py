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
from models.labels.journal import Change, Span, journal_file, read_journal, write_journal

SILENCE = "silence"
"""The policy that listens: sound stays as it is, and too much silence does not count."""

DOUBTS = "doubts"
"""The policy that takes the class from what is learnt, where models surely hear another."""

Rewrite = Callable[[Clip], tuple[str | None, tuple[str, ...]]]
"""A clip's new text, and what changed it; nothing changed it: no change."""


class Relabelled(NamedTuple):
    """A clip's new class; None: it has none any more."""

    label: str | None
    by: tuple[str, ...]


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


def rewritten(
    manifest: Manifest,
    new: Path,
    rewrites: Sequence[Rewrite],
    spans: Mapping[int, Span] | None = None,
    labels: Mapping[int, Relabelled] | None = None,
) -> Rewritten:
    """All clips with what the rewrites make of them, one after the other; paths as the new place needs them.

    By line, where that is another than before: `spans`, what is to count of a clip's sound; `labels`, its class.
    """
    clips: list[Clip] = []
    changes: list[Change] = []
    for line, clip in manifest.entries:
        moved = at_place(clip, manifest.folder, new.parent)
        text = clip.text
        reasons: tuple[str, ...] = ()
        for rewrite in rewrites:
            text, by = rewrite(msgspec.structs.replace(clip, text=text))
            reasons = (*reasons, *by)
        moved = msgspec.structs.replace(moved, text=text)
        was = after = None
        if spans and line in spans:
            was, after, reasons = (clip.start_ms, clip.end_ms), spans[line], (*reasons, SILENCE)
            moved = _with_span(moved, after)
        label, by = (labels or {}).get(line, Relabelled(clip.label, ()))
        moved = msgspec.structs.replace(moved, label=label)
        clips.append(moved)
        change = Change(line=len(clips), path=moved.path, before=clip.text, after=text, by=(*reasons, *by))
        if label != clip.label:
            change = msgspec.structs.replace(change, label_before=clip.label, label_after=label)
        if text != clip.text or after is not None or label != clip.label:
            changes.append(msgspec.structs.replace(change, span_before=was, span_after=after))
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
        if change is not None and not _is_as_left(clip, change):
            raise DataError(f"{manifest.file}:{line}: was changed after its journal was written.")
        moved = at_place(clip, manifest.folder, restored.parent)
        if change is not None:
            moved = msgspec.structs.replace(moved, text=change.before)
            if change.span_before is not None:
                moved = _with_span(moved, change.span_before)
            undo = Change(line=len(clips) + 1, path=moved.path, before=change.after, after=change.before, by=("undo",))
            if _is_relabelled(change):
                moved = msgspec.structs.replace(moved, label=change.label_before)
            spans = {"span_before": change.span_after, "span_after": change.span_before}
            labels = {"label_before": change.label_after, "label_after": change.label_before}
            back.append(msgspec.structs.replace(undo, **spans, **labels))
        clips.append(moved)
    if changes:
        raise DataError(f"{manifest.file}:{min(changes)}: is not there any more.")
    return Rewritten(clips, back)


def _is_as_left(clip: Clip, change: Change) -> bool:
    span_is = change.span_after in (None, (clip.start_ms, clip.end_ms))
    label_is = not _is_relabelled(change) or change.label_after == clip.label
    return span_is and label_is and (change.path, change.after) == (clip.path, clip.text)


def _is_relabelled(change: Change) -> bool:
    return change.label_before != change.label_after


def _with_span(clip: Clip, span: Span) -> Clip:
    return msgspec.structs.replace(clip, start_ms=span[0], end_ms=span[1])


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
        was, now = change.before or "", change.after or ""
        if _is_relabelled(change):
            was += f" [{change.label_before or 'no class'}]"
            now += f" [{change.label_after or 'no class'}]"
        yield f"-{was}{_told(change.span_before)}"
        yield f"+{now}{_told(change.span_after)}"


def _told(span: Span | None) -> str:
    if span is None:
        return ""
    start_ms, end_ms = span
    return f" (from {start_ms or 0} ms to {'the end' if end_ms is None else f'{end_ms} ms'})"


def near(name: str, names: Collection[str]) -> str:
    """What was meant by a policy that there is not."""
    found = difflib.get_close_matches(name, sorted(names), n=1, cutoff=0.5)
    return f" Did you mean {found[0]}?" if found else f" There are: {', '.join(names)}."
