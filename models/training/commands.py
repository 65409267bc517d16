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
