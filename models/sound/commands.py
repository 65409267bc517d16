"""parrotlet-models measure."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import click
from msgspec.structs import replace

from models.data.clip import Clip
from models.data.manifest import read_manifest, write_manifest

SHOWN_EVERY = 50


@click.command()
@click.argument("manifest", type=click.Path(path_type=Path))
@click.argument("new", type=click.Path(path_type=Path))
@click.option(
    "--jobs", type=click.IntRange(1), default=os.cpu_count() or 1, show_default="one a core", help="Processes."
)
def measure(manifest: Path, new: Path, jobs: int) -> None:
    """Write a manifest with what each clip sounds like: level, loudness, noise, silence, pitch.

    \b
    Example:
      parrotlet-models measure manifest.jsonl measured.jsonl
    """
    from models.sound.survey import survey

    read = read_manifest(manifest)
    for finding in read.findings:
        click.echo(f"{manifest}:{finding.line}: {finding.sentence}", err=True)

    def clips() -> Iterator[Clip]:
        for number, (entry, measured, faults) in enumerate(survey(read, jobs), 1):
            for fault in faults:
                click.echo(f"{manifest}:{entry.line}: {fault}", err=True)
            if sys.stderr.isatty() and number % SHOWN_EVERY == 0:
                click.echo(f"\r{number} of {len(read.entries)} clips", nl=False, err=True)
            yield replace(entry.clip, measured=entry.clip.measured | measured)

    click.echo(f"{write_manifest(new, clips())} clips measured: {new}")
