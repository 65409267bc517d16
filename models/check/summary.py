"""What was found, for a person at a terminal: the worst first, some of each kind, and what to type next."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from models.finding import Finding, Severity

FIXABLE_HINT = "parrotlet-models fix {file} NEW --dry-run"
WIDTH = 160
"""A sentence with a label in it is cut there."""


def summary(findings: Sequence[Finding], file: Path, *, show: int, clips: int) -> Iterator[str]:
    """Lines: by severity, by kind, `show` of each kind with what would mend it."""
    by_severity: dict[Severity, defaultdict[str, list[Finding]]] = {
        severity: defaultdict(list) for severity in Severity
    }
    for found in findings:
        by_severity[found.severity][found.kind].append(found)
    for severity, kinds in by_severity.items():
        for kind, found_of_kind in sorted(kinds.items(), key=lambda item: -len(item[1])):
            if severity is Severity.NOTE:
                yield from (f"{severity} {kind}: {found.sentence}" for found in found_of_kind[: max(show, 1)])
                continue
            fixable = sum(found.after is not None for found in found_of_kind)
            count = f"{len(found_of_kind)}" + (f", {fixable} can be fixed" if fixable else "")
            yield f"{severity} {kind}: {count}"
            yield from _shown(found_of_kind[:show], file)
            if len(found_of_kind) > show > 0:
                yield f"  … and {len(found_of_kind) - show} more"
    yield _total(by_severity, clips)
    if any(found.after is not None for found in findings):
        yield f"What is safe to fix, first as a diff: {FIXABLE_HINT.format(file=file)}"


def _shown(findings: Iterable[Finding], file: Path) -> Iterator[str]:
    for found in findings:
        where = f"{file}:{found.line}: " if found.line is not None else ""
        yield f"  {where}{_cut(found.sentence)}"
        if found.before is not None:
            yield f"    - {_cut(found.before)}"
        if found.after is not None:
            yield f"    + {_cut(found.after)}"


def _total(by_severity: dict[Severity, defaultdict[str, list[Finding]]], clips: int) -> str:
    counts = [
        f"{count} {severity}{'s' if count != 1 else ''}"
        for severity, kinds in by_severity.items()
        if (count := sum(map(len, kinds.values())))
    ]
    return f"{clips} clips: {', '.join(counts) or 'nothing found'}."


def _cut(text: str) -> str:
    """One line that does nothing to a terminal."""
    text = "".join(character if character.isprintable() else "�" for character in text)
    return text if len(text) <= WIDTH else text[: WIDTH - 1] + "…"
