"""parrotlet-models train."""

from pathlib import Path

import click

PATH = click.Path(path_type=Path)
FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command()
@click.argument("recipe", type=PATH)
@click.option("--data", type=PATH, required=True, help="Manifest, divided into train and tune; test is not looked at.")
@click.option("--noise", type=FOLDER, help="Recordings of noise to mix in.")
@click.option("--rooms", type=FOLDER, help="Impulse responses of rooms.")
@click.option("--out", type=PATH, required=True, help="Folder of the model; a killed run goes on there.")
def train(recipe: Path, data: Path, noise: Path | None, rooms: Path | None, out: Path) -> None:
    """Train a model by a recipe, and write it as int8 for the board, with its card.

    \b
    Example:
      parrotlet-models train models/recipes/commands-v1.toml --data data/divided.jsonl --out runs/commands-v1
    """
    from models.training.making import make_model
    from models.training.recipe import read_recipe

    made = make_model(read_recipe(recipe), data, noise, rooms, out, click.echo)
    told = f"; tuning part {made.int8:.4f} as int8, {made.float:.4f} as float" if made.int8 is not None else ""
    click.echo(f"{out}: {made.bytes} bytes{told}")


@click.command()
@click.argument("manifest", type=PATH)
@click.argument("new", type=PATH)
@click.option("--recipe", type=PATH, help="Mixes as its section mixing says; else as recipes do by default.")
@click.option("--noise", type=FOLDER, help="Recordings of noise to mix in.")
@click.option("--rooms", type=FOLDER, help="Impulse responses of rooms.")
@click.option("--versions", type=click.IntRange(min=1), default=1, show_default=True, help="Of each clip.")
@click.option("--seed", type=int, default=1, show_default=True, help="Another seed draws otherwise.")
def mix(
    manifest: Path, new: Path, recipe: Path | None, noise: Path | None, rooms: Path | None, versions: int, seed: int
) -> None:
    """Write a data set again with noise, rooms, levels, speeds and poor equipment drawn for each clip.

    Sound goes into a folder beside NEW; each clip tells what it was made from and what was drawn.

    \b
    Example:
      parrotlet-models mix data/divided.jsonl data/mixed.jsonl --noise recordings/noise --versions 2
    """
    from models.training.examples import Backgrounds
    from models.training.making import sounds
    from models.training.mixed_set import mix_set
    from models.training.recipe import Mixing, read_recipe

    how = read_recipe(recipe).mixing if recipe else Mixing()
    written, findings = mix_set(manifest, new, how, Backgrounds(sounds(noise), sounds(rooms)), versions, seed)
    for finding in findings:
        click.echo(f"{manifest}:{finding.line}: {finding.sentence}", err=True)
    click.echo(f"{new}: {written} clips")
