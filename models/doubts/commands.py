"""parrotlet-models doubt."""

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from models.data.manifest import Entry

PATH = click.Path(path_type=Path)
FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command()
@click.argument("manifest", type=PATH)
@click.argument("new", type=PATH)
@click.option("--recipe", type=PATH, required=True, help="Whose classes; its network is trained in a short form.")
@click.option("--folds", type=click.IntRange(min=2), default=4, show_default=True, help="Trainings, by speaker.")
@click.option("--rounds", type=click.IntRange(min=1), default=1, show_default=True, help="Other folds each time.")
@click.option("--noise", type=FOLDER, help="Recordings of noise to mix in.")
@click.option("--show", type=click.IntRange(min=0), default=20, show_default=True, help="So many, the worst first.")
@click.option(
    "--out",
    type=PATH,
    help="Folder of what is under way, 24 kB a clip, of no use afterwards; else beside NEW. A killed run goes on.",
)
def doubt(
    manifest: Path, new: Path, recipe: Path, folds: int, rounds: int, noise: Path | None, show: int, out: Path | None
) -> None:
    """Write a data set again with what models think of each class that is in it, and tell the labels that they doubt.

    Each model learns from the other speakers alone. That takes one core a minute or two a fold, of forty clips as of
    7,000: fewer are learnt from the more often. Of more it takes accordingly longer; how much is left is told on the
    way. `check` then tells the doubted labels, with a player, for a person to decide.

    \b
    Example:
      parrotlet-models doubt data/divided.jsonl data/judged.jsonl --recipe models/recipes/commands-v1.toml
      parrotlet-models check data/judged.jsonl --only doubts --html doubts.html
    """
    from models.doubts.doubting import doubt_labels
    from models.doubts.held_out import Plan
    from models.training.recipe import read_recipe

    def tell(line: str) -> None:
        click.echo(line, err=True)

    folder = out or new.with_name(f"{new.stem}-doubts")
    found = doubt_labels(read_recipe(recipe), manifest, new, noise, Plan(folds, rounds), folder, tell)
    _tell(manifest, found.entries, show)
    if found.unjudged:
        click.echo(f"{len(found.unjudged)} clips are of a class that one speaker alone has, and were not judged.")
    click.echo(f"{new}: to hear them: parrotlet-models check {shlex.quote(str(new))} --only doubts --html doubts.html")


def _tell(manifest: Path, entries: "Sequence[Entry]", show: int) -> None:
    from models.check.doubts import doubted, sentence

    found = doubted(entries)
    for (line, clip), said in found[:show]:
        click.echo(f"{manifest}:{line}: {clip.path} {sentence(said)}")
    judged = sum(entry.clip.judged is not None for entry in entries)
    shown = f"; these are the first {show}" if len(found) > show > 0 else ""
    surely = sum(said.surely for _, said in found)
    click.echo(f"{len(found)} of {judged} clips sound more like another class, {surely} of them surely{shown}")
