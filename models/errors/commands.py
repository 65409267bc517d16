"""parrotlet-models errors, compare."""

from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

if TYPE_CHECKING:
    from models.errors.advice import Advice

_PATH = click.Path(path_type=Path)
SHOWN = 5
"""Clips that are listed as examples."""


@click.command()
@click.argument("outcomes", type=_PATH)
@click.option("--trained-on", type=_PATH, help="Manifest that was trained on: how many such clips there are.")
@click.option(
    "--curve",
    "curve_file",
    type=_PATH,
    help="How errors fall with clips, as `curve` or `ablate --curve` write it.",
)
@click.option("--human", type=click.FloatRange(0, 1), help="Error rate of a person on the same clips.")
@click.option("--most", type=click.IntRange(1), default=10, show_default=True, help="Slices that are told.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a slice.")
def errors(
    outcomes: Path, trained_on: Path | None, curve_file: Path | None, human: float | None, most: int, as_json: bool
) -> None:
    """Tell where a model errs, what mending it would gain, and what to collect.

    OUTCOMES is what `parrotlet-models evaluate --outcomes` writes.

    \b
    Example:
      parrotlet-models evaluate models/files/commands-v1 measured.jsonl --outcomes outcomes.jsonl
      parrotlet-models curve models/recipes/commands-v1.toml curve.jsonl --data train.jsonl
      parrotlet-models errors outcomes.jsonl --trained-on train.jsonl --curve curve.jsonl
    """
    from models.data.manifest import read_manifest
    from models.errors.advice import advise
    from models.errors.curve import read_curve
    from models.errors.outcome import outcome, read_outcomes
    from models.errors.slices import weak_slices

    found = read_outcomes(outcomes)
    known = None
    if trained_on is not None:
        clips = [clip for clip in read_manifest(trained_on).clips if clip.split in (None, "train")]
        known = [outcome(clip, truth="", said="", errors=0) for clip in clips]
    curve = None if curve_file is None else read_curve(curve_file)
    advice = advise(weak_slices(found), known, curve, human)[:most]
    if as_json:
        for one in advice:
            click.echo(msgspec.json.encode(_told(one, one.sentences(curve))))
        return
    rate = sum(one.errors for one in found) / sum(one.units for one in found)
    click.echo(f"{len(found)} clips, errors {100 * rate:.2f} %")
    for number, one in enumerate(advice, 1):
        click.echo(f"{number:2}. {one.slice}\n    {one.sentences(curve)}")
    if not advice:
        click.echo("No slice errs more than luck would have it.")


def _told(advice: "Advice", sentence: str) -> dict[str, object]:
    """A slice as JSON."""
    weak = advice.slice
    figures = {**weak._asdict(), "conditions": [condition._asdict() for condition in weak.conditions]}
    return {**figures, **advice._asdict(), "slice": str(weak), "sentence": sentence}


@click.command()
@click.argument("a", type=_PATH)
@click.argument("b", type=_PATH)
def compare(a: Path, b: Path) -> None:
    """Tell whether B errs less than A on the same clips, and which clips changed. Both are files of outcomes.

    \b
    Example:
      parrotlet-models compare before.jsonl after.jsonl
    """
    from models.errors.compare import compare as compared
    from models.errors.outcome import read_outcomes

    found = compared(read_outcomes(a), read_outcomes(b))
    click.echo(f"{found.clips} clips: A errs {100 * found.rate_a:.2f} %, B {100 * found.rate_b:.2f} %")
    low, high = 100 * found.difference_low, 100 * found.difference_high
    verdict = "which may be luck" if found.is_luck else f"B is {'better' if found.difference < 0 else 'worse'}"
    click.echo(f"B - A: {100 * found.difference:+.2f} points, 95 % interval {low:+.2f} to {high:+.2f}: {verdict}.")
    for name, changed in (("mended", found.mended), ("broken", found.broken)):
        click.echo(f"{len(changed)} {name}")
        for one, other in changed[:SHOWN]:
            click.echo(f"  {one.path}: {one.truth!r} was heard as {one.said!r}, now as {other.said!r}")
