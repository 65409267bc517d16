"""Makes what home-v1 is learnt from: python -m models.home --help. What the machines say is spoken by
parrotlet-models synthesise, in between; models/recipes/home-v1.sh does all of it."""

from pathlib import Path

import click

from common.commands import CommandGroup

RECIPES = Path(__file__).parents[1] / "recipes"
LEARNT_FROM = ("tr_near_esp", "tr_near_nat", "tr_cmd_esp", "tr_cmd_nat", "tr_unk_esp", "tr_unk_nat")
TUNED_BY = ("tu_cmd", "tu_unk")
PATH = click.Path(path_type=Path)
FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.group(cls=CommandGroup)
def main() -> None:
    """The set of home-v1."""


@main.command()
@click.argument("catalogue", type=click.Path(exists=True, path_type=Path))
@click.argument("folder", type=PATH)
def texts(catalogue: Path, folder: Path) -> None:
    """Write what is to be said to FOLDER, a text and its label a line."""
    from models.home.phrases import read_meanings
    from models.home.texts import texts as made

    folder.mkdir(parents=True, exist_ok=True)
    meanings = read_meanings(RECIPES / "home-v1.tsv")
    for name, lines in made(meanings, RECIPES / "home-v1-near.txt", catalogue).items():
        (folder / f"{name}.txt").write_text("".join(f"{text}\t{label}\n" for text, label in lines), encoding="utf-8")


@main.command("set")
@click.argument("spoken", type=FOLDER)
@click.argument("new", type=PATH)
@click.option("--data", type=FOLDER, required=True, help="Real recordings: commands/, words/, orders/.")
@click.option("--noise", type=FOLDER, required=True, help="Recordings of noise to learn from.")
def make(spoken: Path, new: Path, data: Path, noise: Path) -> None:
    """Write the manifest NEW, its sound beside it, from the manifests that home-v1.sh had spoken to SPOKEN."""
    from models.home.making import make_set

    parts = [*((name, "train") for name in LEARNT_FROM), *((name, "tune") for name in TUNED_BY)]
    manifests = [(spoken / f"{name}.jsonl", part) for name, part in parts]
    click.echo(f"{make_set(manifests, data, sorted(noise.glob('*.flac')), new, seed=1)} clips")


if __name__ == "__main__":
    main()
