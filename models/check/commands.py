"""`parrotlet-models check`."""

import shlex
import sys
import time
from collections.abc import Callable
from pathlib import Path

import click
import msgspec

from models.finding import Severity

FOUND = 1
"""Exit status where something is worse than a note; 2: the set cannot be used."""
SHOWN_EVERY_S = 0.2


@click.command()
@click.argument("manifest", type=click.Path(path_type=Path))
@click.option("--definition", type=click.Path(path_type=Path), help="The agreement; else the one beside the manifest.")
@click.option("--only", multiple=True, metavar="KIND", help="Look for this alone; may be repeated.")
@click.option("--listen/--no-listen", default=True, help="Also look at the sound of each clip.  [default: listen]")
@click.option("--hear", is_flag=True, help="Also listen whether each filler was said, which takes long.")
@click.option("--service", metavar="HOST:PORT", help="Listen so, and ask this service, too.")
@click.option("--show", type=click.IntRange(min=0), default=3, show_default=True, help="So many of each kind.")
@click.option("--json", "as_json", is_flag=True, help="All findings, one JSON object a line.")
@click.option("--html", type=click.Path(path_type=Path), help="Also write a page to look through and listen to.")
def check(
    manifest: Path,
    definition: Path | None,
    only: tuple[str, ...],
    listen: bool,
    hear: bool,
    service: str | None,
    show: int,
    as_json: bool,
    html: Path | None,
) -> None:
    """Tell what is wrong with a data set: labels that break the agreement, slips, contradictions, leaks, and what
    each clip sounds like: unless --no-listen, each is read and measured.

    Exit status 0: nothing worse than notes; 1: something; 2: the set cannot be used.

    \b
    Example:
      parrotlet-models check data/manifest.jsonl
      parrotlet-models check data/manifest.jsonl --only fillers --json
    """
    from models.check.checkers import CHECKERS, KINDS, asking, findings
    from models.check.doubts import refuse_unjudged
    from models.check.progress import heard_by
    from models.check.summary import summary
    from models.data.manifest import read_manifest
    from models.labels.definition import FILE_NAME, definition_for
    from models.labels.fixing import DOUBTS

    if unknown := [kind for kind in only if kind not in KINDS]:
        raise click.BadParameter(f"{unknown[0]!r} is not one of {', '.join(KINDS)}.", param_hint="--only")
    read = read_manifest(manifest)
    if DOUBTS in only:
        refuse_unjudged(read)
    agreed, where = definition_for(manifest, definition)
    if where is None:
        beside = manifest.with_name(FILE_NAME)
        click.echo(
            f"{beside}: there is no such file, so labels are judged by the example's agreement. To write it: "
            f"parrotlet-models definition init {shlex.quote(str(beside))}",
            err=True,
        )
    with heard_by(_teller()):
        checkers = CHECKERS if service is None else asking(service)
        found = list(
            findings(read, agreed, only=only, listen=listen, hear=hear or service is not None, checkers=checkers)
        )
    _clear()
    if as_json:
        encoder = msgspec.json.Encoder()
        for finding in found:
            click.echo(encoder.encode(finding).decode())
    else:
        for line in summary(found, manifest, show=show, clips=len(read.entries)):
            click.echo(line)
    if html is not None:
        from models.check.page import write_page

        write_page(html, read, agreed, found)
        click.echo(f"To look through, hear and correct: {html}", err=True)
    if any(finding.severity is not Severity.NOTE for finding in found):
        click.get_current_context().exit(FOUND)


def _teller() -> Callable[[int, int], None]:
    """Shows how far it is on a terminal, a few times a second."""
    shown_s = time.monotonic()

    def tell(done: int, total: int) -> None:
        nonlocal shown_s
        if sys.stderr.isatty() and time.monotonic() - shown_s > SHOWN_EVERY_S:
            shown_s = time.monotonic()
            click.echo(f"\r{done} of {total} clips ", nl=False, err=True)

    return tell


def _clear() -> None:
    if sys.stderr.isatty():
        click.echo("\r\033[K", nl=False, err=True)
