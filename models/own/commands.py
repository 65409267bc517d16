"""parrotlet-models new-commands: a recipe and a data set for commands of one's own."""

from pathlib import Path

import click

from models.data.clip import Split

PATH = click.Path(path_type=Path)
SHOWN_MAX = 10


@click.command("new-commands")
@click.argument("folder", type=PATH)
@click.argument("commands", nargs=-1, metavar='["COMMAND[=ACTION]"]...')
@click.option("--wake", is_flag=True, help="The phrase is a wake word.")
@click.option("--from", "recordings", type=PATH, help="Recordings of people: what `record` made, folders, a manifest.")
@click.option("--voice", "patterns", metavar="NAME", multiple=True, help="As in piper, 'flite/*'; all, if none.")
def new_commands(
    folder: Path, commands: tuple[str, ...], wake: bool, recordings: Path | None, patterns: tuple[str, ...]
) -> None:
    """Make a recipe for commands of your own, and a data set of machines' voices that say them.

    FOLDER gets recipe.toml, which says what each command does, the texts that are none (near.txt, other.txt), and a
    manifest. All of it may be changed; without COMMANDS the folder is gone on with as it is, and what was spoken is not
    spoken again.

    \b
    Example:
      parrotlet-models new-commands own "lights on=light.on" "lights off=light.off"
      parrotlet-models new-commands own --from own/recordings
    """
    from models.own import making
    from models.own.people import people
    from models.own.voices import divided
    from models.own.wanted import wanted
    from models.progress import Progress
    from models.synthesis.engines import engines, voices

    meant, wake = making.commands_of(folder, wanted(commands), wake=wake)
    there = divided(voices(engines(), patterns, tell=lambda sentence: click.echo(sentence, err=True)))
    said = people(recordings, {command.label for command in meant}, folder) if recordings else None
    texts = making.texts_of(folder, meant)
    click.echo(f"{len(meant)} commands, {len(texts.near)} texts that are nearly one, {len(texts.others)} others")
    click.echo(", ".join(f"{len(there[part])} voices to {what}" for part, what in WHAT_FOR))
    if said is not None:
        click.echo(said.told)
    made = making.make(folder, texts, there, said, Progress(), wake=wake)
    for sentence in made.left_out[:SHOWN_MAX]:
        click.echo(sentence, err=True)
    if (more := len(made.left_out) - SHOWN_MAX) > 0:
        click.echo(f"and {more} more.", err=True)
    click.echo(f"{made.manifest}: {made.clips} clips")
    model = folder / f"model-{made.number}"
    click.echo(f"next: parrotlet-models train {folder / making.RECIPE_FILE} --data {made.manifest} --out {model}")
    click.echo(f"then: parrotlet-models evaluate {model} {made.manifest} --choose")


WHAT_FOR: tuple[tuple[Split, str], ...] = (("train", "learn from"), ("tune", "tune by"), ("test", "measure with"))
