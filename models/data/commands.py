"""parrotlet-models split: divides a data set by speaker, or looks whether one that is divided leaks; windows."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import click

from common.errors import DataError
from models.data.clip import Clip, Split

if TYPE_CHECKING:
    from models.finding import Finding

SHOWN_MAX = 20
"""Leaks that are told one by one."""

_share = click.FloatRange(0, 1)


@click.command()
@click.argument("manifest", type=click.Path(path_type=Path))
@click.argument("new", type=click.Path(path_type=Path), required=False)
@click.option("--tune", type=_share, default=0.1, show_default=True, help="Share of the speakers to decide by.")
@click.option("--test", type=_share, default=0.1, show_default=True, help="Share of the speakers to measure with.")
@click.option("--seed", default="", metavar="TEXT", help="Another seed draws other speakers.")
@click.option("--test-again", is_flag=True, help="Draw the test part anew where there is one; else it stays as it is.")
@click.option(
    "--no-speaker",
    type=click.Choice(["refuse", "own"]),
    default="refuse",
    show_default=True,
    help="A recording that nobody is named for is refused, or is a speaker of its own.",
)
@click.option("--drop", is_flag=True, help="Leave out of train and tune what is heard in test or tune, too.")
@click.option("--check", is_flag=True, help="Write nothing: look whether anything of a divided set is on two sides.")
def split(
    manifest: Path,
    new: Path | None,
    tune: float,
    test: float,
    seed: str,
    test_again: bool,
    no_speaker: str,
    drop: bool,
    check: bool,
) -> None:
    """Divide a data set into train, tune and test, by speaker: all clips of one are in one part, and so is what was
    made from them. The same speakers go the same way each time, whatever is added.

    \b
    Example:
      parrotlet-models split data/all.jsonl data/divided.jsonl --tune 0.1 --test 0.1
      parrotlet-models split --check data/divided.jsonl
    """
    from models.data.leaks import leaks, without_twins
    from models.data.manifest import Entry, moved, read_manifest, write_manifest
    from models.data.split import Plan, Shares
    from models.data.split import split as divide

    if check == (new is not None):
        raise click.UsageError("Say where to write the NEW manifest, or --check and none.")
    if tune + test > 1:
        raise DataError(f"--tune {tune:g} and --test {test:g} are more than all speakers together.")
    read = read_manifest(manifest)
    for finding in read.findings[:SHOWN_MAX]:
        click.echo(f"{manifest}:{finding.line}: {finding.sentence}", err=True)
    if new is None:
        _refuse(manifest, list(leaks(read.entries, read.folder)))
        click.echo(f"{manifest}: {_told(read.clips)}; nothing is on two sides")
        return
    clips = divide(read.clips, Plan(Shares(tune, test), seed, not test_again, no_speaker == "own"))
    entries = [Entry(entry.line, clip) for entry, clip in zip(read.entries, clips, strict=True)]
    if drop:
        entries = without_twins(entries, read.folder)
    _refuse(manifest, list(leaks(entries, read.folder)))
    kept = [entry.clip for entry in entries]
    write_manifest(new, moved(kept, read.folder, new.parent))
    dropped = len(clips) - len(kept)
    click.echo(f"{new}: {_told(kept)}" + (f"; {dropped} dropped" if dropped else ""))


@click.command()
@click.argument("manifest", type=click.Path(path_type=Path))
@click.argument("new", type=click.Path(path_type=Path))
@click.option("--ms", "window_ms", type=click.IntRange(min=100), default=1000, show_default=True, help="Of a window.")
@click.option("--step-ms", type=click.IntRange(min=10), default=500, show_default=True, help="To the next one.")
@click.option("--label", default="unknown", show_default=True, help="Of all windows.")
def windows(manifest: Path, new: Path, window_ms: int, step_ms: int, label: str) -> None:
    """Divide longer speech into windows, for a model of single words to learn what is none of them. The sound stays as
    it is: windows are places in it.

    \b
    Example:
      parrotlet-models windows data/sentences.jsonl data/no-commands.jsonl
    """
    from models.data.manifest import moved, read_manifest, write_manifest
    from models.data.windows import by_windows

    read = read_manifest(manifest)
    for finding in read.findings[:SHOWN_MAX]:
        click.echo(f"{manifest}:{finding.line}: {finding.sentence}", err=True)
    if new.exists():
        raise DataError(f"{new}: is there already; a manifest is never changed, only written anew.")
    clips = list(
        by_windows(read.clips, read.folder, window_ms, step_ms, label, lambda fault: click.echo(fault, err=True))
    )
    if not clips:
        raise DataError(f"{manifest}: no clip of it can be heard, so there are no windows.")
    click.echo(
        f"{new}: {write_manifest(new, moved(clips, read.folder, new.parent))} windows of {len(read.clips)} clips"
    )


def _refuse(manifest: Path, found: Sequence["Finding"]) -> None:
    """DataError if anything is on two sides."""
    for finding in found[:SHOWN_MAX]:
        click.echo(f"{manifest}:{finding.line}: {finding.sentence}", err=True)
    if found:
        what = "1 thing is" if len(found) == 1 else f"{len(found)} things are"
        heard = any(finding.kind == "leak-sound" for finding in found)
        raise DataError(
            f"{manifest}: {what} on two sides of the split."
            + (" --drop leaves out of train and tune what is heard in test." if heard else "")
        )


def _told(clips: Sequence[Clip]) -> str:
    """How large each part is."""
    counts = Counter(clip.split for clip in clips)
    speakers = {part: {clip.speaker for clip in clips if clip.split == part and clip.speaker} for part in counts}
    parts = (f"{part} {counts[part]} clips of {len(speakers.get(part, ()))} speakers" for part in get_args(Split))
    return ", ".join(parts) + (f", {counts[None]} of no part" if counts[None] else "")
