"""One page to look through findings, hear the clips and correct labels: a file that needs nothing but itself.

What is corrected is saved from the page as JSON lines, which `parrotlet-models fix --corrections FILE` applies.
"""

import json
import os
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path
from urllib.parse import quote

from common.errors import DataError
from models.check.bars import bars
from models.check.page_parts import SCRIPT, STYLE
from models.data.clip import Clip
from models.data.manifest import Manifest
from models.finding import Finding, Severity
from models.labels.agreement import agreement_on
from models.labels.definition import Definition
from models.labels.fixing import DOUBTS
from models.labels.ways import ways_of

ROWS_MAX = 200
"""Clips of one kind that are listed; who has put these right checks again."""


def write_page(file: Path, manifest: Manifest, definition: Definition, findings: Sequence[Finding]) -> None:
    """DataError if it cannot be written."""
    try:
        file.write_text(page(file.parent, manifest, definition, findings), encoding="utf-8", errors="replace")
    except OSError as error:
        raise DataError(f"{file}: cannot be written: {error.strerror}.") from error


def page(folder: Path, manifest: Manifest, definition: Definition, findings: Sequence[Finding]) -> str:
    """The page, for a file in this folder: players name sound relative to it."""
    clips = dict(manifest.entries)
    parts = [
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">',
        # Nothing from elsewhere, whatever a label says.
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
        "script-src 'unsafe-inline'; media-src 'self' file: data:\">",
        f"<title>{escape(manifest.file.name)}: labels</title><style>{STYLE}</style>",
        f"<h1>{escape(str(manifest.file))}</h1><p>{escape(_told(manifest, findings))}</p>",
        '<p class="bar"><button id="save" disabled>Save corrections</button> <span id="count">Nothing is corrected '
        "yet.</span> Then: <code>parrotlet-models fix MANIFEST NEW --corrections corrections.jsonl</code></p>",
        *_overview(findings),
        *_ways(manifest, definition),
    ]
    by_kind: defaultdict[tuple[Severity, str], list[Finding]] = defaultdict(list)
    for found in findings:
        if found.severity is not Severity.NOTE:
            by_kind[found.severity, found.kind].append(found)
    order = list(Severity)
    for severity, kind in sorted(by_kind, key=lambda key: (order.index(key[0]), key[1])):
        parts += _section(severity, kind, by_kind[severity, kind], clips, manifest.folder, folder)
    return "\n".join([*parts, f"<script>{SCRIPT}</script></html>\n"])


def _told(manifest: Manifest, findings: Sequence[Finding]) -> str:
    counts = Counter(found.severity for found in findings)
    return f"{len(manifest.entries)} clips; " + ", ".join(f"{counts[severity]} {severity}s" for severity in Severity)


def _overview(findings: Sequence[Finding]) -> Iterator[str]:
    counts = Counter(found.kind for found in findings if found.severity is not Severity.NOTE)
    if counts:
        yield "<h2>What was found</h2>" + bars(counts.most_common(), max(counts.values()))


def _ways(manifest: Manifest, definition: Definition) -> Iterator[str]:
    """A plot a convention, one line of it a way of writing, and the same by transcriber where there are some."""
    agreement = agreement_on(manifest, definition)
    found = ways_of(manifest.clips, agreement.conventions)
    if not found:
        return
    yield "<h2>Ways of writing</h2><div class='ways'>"
    for ways in found:
        yield f"<figure><figcaption>{escape(ways.convention)}</figcaption>"
        yield bars(list(ways.overall.items())[:8], ways.labels)
        for name, values in ways.by.items():
            for value, counts in sorted(values.items())[:8] if len(values) > 1 else []:
                top = sorted(counts.items(), key=lambda item: -item[1])[:3]
                total = ways.totals[name][value]
                shown = ", ".join(f"{way} {count / total:.0%}" for way, count in top)
                yield f"<small>{escape(f'{name} {value}: {shown}')}</small><br>"
        yield "</figure>"
    yield "</div>"


def _section(
    severity: Severity, kind: str, findings: Sequence[Finding], clips: dict[int, Clip], folder: Path, page_folder: Path
) -> Iterator[str]:
    yield f'<h2 class="{severity}">{escape(kind)} <small>{severity}, {len(findings)}</small></h2>'
    for found in findings[:ROWS_MAX]:
        clip = clips.get(found.line) if found.line is not None else None
        yield "<article>" + f"<p>{_where(found)}{escape(found.sentence)}</p>"
        if clip is not None:
            yield _editor(found, clip, folder, page_folder)
        yield "</article>"
    if len(findings) > ROWS_MAX:
        yield f"<p>… and {len(findings) - ROWS_MAX} more.</p>"


def _where(found: Finding) -> str:
    return f"<b>{found.line}</b> " if found.line is not None else ""


def _editor(found: Finding, clip: Clip, folder: Path, page_folder: Path) -> str:
    """A player and a field for the text or the class, with what a correction needs to say which clip it is of."""
    doubt = clip.doubt if found.kind == DOUBTS else None
    field, value, after = ("text", clip.text, found.after) if doubt is None else ("label", clip.label, doubt.likelier)
    place = {"path": clip.path, "start_ms": clip.start_ms, "end_ms": clip.end_ms}
    key = json.dumps({**place, "field": field, "before": value})
    sound = quote(Path(os.path.relpath(clip.file(folder).absolute(), page_folder.absolute())).as_posix())
    span = "" if clip.start_ms is None and clip.end_ms is None else _span(clip)
    suggestion = ""
    if after is not None:
        suggestion = f'<button class="take" data-text="{escape(after)}">take “{escape(after)}”</button>'
    return (
        f'<audio controls preload="none" src="{escape(sound)}{span}"></audio>'
        f'<input value="{escape(value or "")}" data-key="{escape(key)}" dir="auto" spellcheck="false">{suggestion}'
    )


def _span(clip: Clip) -> str:
    end = "" if clip.end_ms is None else f",{clip.end_ms / 1000:g}"
    return f"#t={(clip.start_ms or 0) / 1000:g}{end}"
