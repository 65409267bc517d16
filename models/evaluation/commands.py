"""parrotlet-models evaluate."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from models.evaluation.evaluation import Evaluation

SLICES_SHOWN = 10
PAIRS_SHOWN = 12


@click.command()
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("data", type=click.Path(exists=True, path_type=Path))
@click.option("--split", "part", type=click.Choice(["train", "tune", "test"]), help="Only this part of a manifest.")
@click.option("--record", is_flag=True, help="Write accuracies into the model's card, in all and by class.")
@click.option("--json", "as_json", is_flag=True, help="Everything, for programs.")
def evaluate(model: Path, data: Path, part: str | None, record: bool, as_json: bool) -> None:
    """Tell how often a model is right, as the board's own interpreter runs it.

    DATA is a manifest, or a folder with a folder of recordings for each class. Labels that the model does not have are
    "unknown" to it, if it has that.

    \b
    Example:
      parrotlet-models evaluate models/files/commands-v1 recordings/
    """
    import msgspec

    from models.evaluation import evaluation

    result = evaluation.evaluate(model, data, part)
    if record:
        evaluation.record(model, result)
    if as_json:
        click.echo(msgspec.json.encode(result))
        return
    _tell(result)


def _tell(result: "Evaluation") -> None:
    from models.evaluation.evaluation import error_pairs

    click.echo(f"accuracy {result.accuracy:.4f} ({result.low:.3f} to {result.high:.3f}), {result.clips} clips")
    click.echo("\nclass            right        accuracy (95 %)")
    for name, share in result.by_class.items():
        click.echo(f"{name:<14} {share.right:>4} of {share.of:<4}  {_interval(share.accuracy, share.low, share.high)}")
    worst = sorted(result.by_slice.items(), key=lambda item: item[1].high)[:SLICES_SHOWN]
    if worst:
        click.echo("\nweakest slices")
    for name, share in worst:
        click.echo(f"{name:<28} {share.right:>4} of {share.of:<4}  {_interval(share.accuracy, share.low, share.high)}")
    pairs = error_pairs(result)[:PAIRS_SHOWN]
    if pairs:
        click.echo("\ntaken for: " + ", ".join(f"{label} for {said} {count}" for label, said, count in pairs))
    for path, why in result.unread.items():
        click.echo(f"{path}: {why}", err=True)


def _interval(accuracy: float, low: float, high: float) -> str:
    return f"{accuracy:.3f} ({low:.3f} to {high:.3f})"
