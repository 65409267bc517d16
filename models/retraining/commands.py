"""parrotlet-models retrain."""

from pathlib import Path

import click

NAMES = ("import", "check", "fix", "divide", "train", "evaluate", "ablate", "candidate", "report", "offer")
"""Of the steps, in their order; the last one only where it is wanted."""

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_PATH = click.Path(path_type=Path)
_STEP = click.Choice(NAMES)
_share = click.FloatRange(0, 0.5)


@click.command()
@click.argument("log", type=_FILE)
@click.argument("work", type=_PATH)
@click.option("--labels", type=_FILE, help="Of who was asked to listen: JSON lines by utterance.")
@click.option("--base", type=_FILE, required=True, help="Manifest learnt from before, divided into train, tune, test.")
@click.option("--recipe", "recipe_file", type=_FILE, required=True)
@click.option("--serving", type=_FOLDER, required=True, help="Folder of the model that answers now.")
@click.option("--sound", type=_FOLDER, help="Folder of utterances' sound, such as ID.wav.")
@click.option("--definition", "definition_file", type=_FILE, help="The agreement on labels; else the one in WORK.")
@click.option("--noise", type=_FOLDER, help="Recordings of noise to mix in.")
@click.option("--rooms", type=_FOLDER, help="Impulse responses of rooms.")
@click.option(
    "--put-right",
    metavar="KIND",
    multiple=True,
    help="Though somebody breaks this convention as a rule: mend what is safe.",
)
@click.option("--tune", "tune_share", type=_share, default=0.1, show_default=True, help="Share of the new speakers.")
@click.option("--test", "test_share", type=_share, default=0.2, show_default=True, help="Share of the new speakers.")
@click.option("--each-utterance", is_flag=True, help="Divide new utterances one by one: few people speak in them.")
@click.option("--version", help="Of the candidate; else the recipe's.")
@click.option("--exact", is_flag=True, help="Commands have no other words: what is labelled otherwise is none of them.")
@click.option(
    "--offer",
    type=click.FloatRange(0.01, 1),
    metavar="SHARE",
    help="At the end, have the service of this machine offer it to so many of its boards.",
)
@click.option("--service", type=_FILE, metavar="FILE", help="That service's settings; else where they usually are.")
@click.option("--from", "first", type=_STEP, help="Do this step and all after it anew.")
@click.option("--until", "last", type=_STEP, help="Stop behind this step.")
@click.option("--dry-run", is_flag=True, help="Tell what is done and what would be, and do nothing.")
def retrain(
    first: str | None,
    last: str | None,
    dry_run: bool,
    put_right: tuple[str, ...],
    **given: object,
) -> None:
    """From a service's LOG, with the labels in it, to a candidate: taken in, checked, put right, divided, trained,
    measured beside the model that serves, told in a report, all in the folder WORK, and offered to boards that try it.

    What is stopped or killed goes on where it was; what is done is not done again. Where a transcriber labels by
    another agreement, nothing is trained.

    \b
    Example:
      parrotlet-cloud log export answers.jsonl
      parrotlet-models retrain answers.jsonl runs/home-2 --sound kept/ --base data/set.jsonl \\
          --recipe models/recipes/home-v1.toml --version 2 --serving models/files/home-v1 --offer 0.2
    """
    from models.retraining.given import Given
    from models.retraining.retraining import carry_out, dry

    told = Given(put_right=put_right, **given)  # type: ignore[arg-type]
    if dry_run:
        for line in dry(told, first, last):
            click.echo(line)
        return
    for line in carry_out(told, lambda text: click.echo(text, err=True), first, last):
        click.echo(line)
