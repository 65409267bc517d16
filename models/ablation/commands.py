"""parrotlet-models ablate, curve."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from common.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from models.ablation.trial import Trial

_PATH = click.Path(path_type=Path)
_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_data = click.option("--data", type=_PATH, required=True, help="Manifest, divided into train and tune.")
_noise = click.option("--noise", type=_FOLDER, help="Recordings of noise to mix in.")
_rooms = click.option("--rooms", type=_FOLDER, help="Impulse responses of rooms.")
SHARES = (0.25, 0.5)


@click.command()
@click.argument("plan", type=_PATH)
@_data
@_noise
@_rooms
@click.option("--judge-noise", type=_FOLDER, help="Other recordings of noise, to judge in.")
@click.option("--out", type=_PATH, required=True, help="Folder of all that is trained; a killed run goes on there.")
@click.option("--plot", "drawn", type=_PATH, help="File of the differences as a plot, such as .svg.")
@click.option("--curve", "curve_file", type=_PATH, help="Write what parts of the speakers err, for `errors --curve`.")
@click.option("--json", "as_json", is_flag=True, help="Everything, a JSON object a cell.")
def ablate(
    plan: Path,
    data: Path,
    noise: Path | None,
    rooms: Path | None,
    judge_noise: Path | None,
    out: Path,
    drawn: Path | None,
    curve_file: Path | None,
    as_json: bool,
) -> None:
    """Tell what each step of the data, and each choice of a recipe, is worth: train again with one thing different.

    PLAN says what: values of the recipe, other manifests (labels before they were fixed, clips before they were
    trimmed), more clips, fewer speakers. All are judged on the tuning part by the board's interpreter, with each seed
    beside the base. What is trained already is not trained again.

    \b
    Example:
      parrotlet-models ablate models/recipes/ablations/commands-v1.toml --data data/base.jsonl --out runs/ablation
    """
    import msgspec

    from models.ablation.plan import read_plan
    from models.ablation.plot import plot
    from models.ablation.table import lines, table
    from models.ablation.trials import Folders, run
    from models.errors.curve import refuse_other

    read = read_plan(plan)
    parts = read.parts_of_speakers
    if curve_file is not None and len(parts) < 2:
        raise DataError(f"{plan}: has no cell that differs in speakers alone, so there is no curve to write.")
    if curve_file is not None:
        refuse_other(curve_file)
    trials, judged = run(read, Folders(data, noise, rooms, judge_noise, out), lambda line: click.echo(line, err=True))
    rows = table(trials, judged)
    for line in [msgspec.json.encode(row).decode() for row in rows] if as_json else lines(rows):
        click.echo(line)
    if drawn is not None:
        plot(rows, drawn)
    if curve_file is not None:
        _write_curve(curve_file, trials, parts)


@click.command()
@click.argument("recipe", type=_PATH)
@click.argument("new", type=_PATH)
@_data
@_noise
@_rooms
@click.option("--seeds", type=click.IntRange(1, 20), default=1, show_default=True, help="Trainings of each part.")
def curve(recipe: Path, new: Path, data: Path, noise: Path | None, rooms: Path | None, seeds: int) -> None:
    """Write how errors fall with clips, for `errors --curve`: train with a quarter, half and all of the speakers.

    The models lie in a folder beside NEW that is called like it; those that are there from before are not trained
    again. `ablate --curve` writes the same from a plan.

    \b
    Example:
      parrotlet-models curve models/recipes/commands-v1.toml data/curve.jsonl --data data/divided.jsonl
      parrotlet-models errors data/outcomes.jsonl --trained-on data/measured.jsonl --curve data/curve.jsonl
    """
    from models.ablation.plan import plan_of_curve
    from models.ablation.trials import Folders, run
    from models.errors.curve import refuse_other
    from models.training.recipe import read_recipe

    refuse_other(new)
    plan = plan_of_curve(read_recipe(recipe), SHARES, tuple(range(1, seeds + 1)))
    # Without an ending, the folder cannot have the very name of the file.
    folder = new.with_name(new.stem if new.suffix else f"{new.name}-models")
    folders = Folders(data, noise, rooms, None, folder)
    trials, _ = run(plan, folders, lambda line: click.echo(line, err=True))
    _write_curve(new, trials, plan.parts_of_speakers)


def _write_curve(file: Path, trials: "Sequence[Trial]", parts: "Sequence[str]") -> None:
    from models.ablation.table import points_of_curve
    from models.errors.curve import fit, write_curve

    points = points_of_curve(trials, parts)
    write_curve(file, points)
    found = fit(points)
    click.echo(
        f"{file}: errors fall with clips to the power of -{found.exponent:.2f}, measured from {found.clips_min} to "
        f"{found.clips_max} clips"
    )
