"""parrotlet-models: the command line of data and models."""

import os

# Before numpy: several BLAS threads on a busy machine take a hundred times as long as one.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from pathlib import Path

import click

from common import VERSION
from common.commands import CommandGroup, completion
from models.ablation.commands import ablate, curve
from models.check.commands import check
from models.data.commands import split, windows
from models.doubts.commands import doubt
from models.errors.commands import compare, errors
from models.evaluation.commands import evaluate
from models.importing.commands import import_
from models.labels.commands import apply, definition, fix
from models.own.commands import new_commands
from models.recording.commands import record
from models.retraining.commands import retrain
from models.sound.commands import measure
from models.synthesis.commands import synthesise
from models.training.commands import mix, train


@click.group(cls=CommandGroup)
@click.version_option(VERSION, prog_name="parrotlet-models")
def main() -> None:
    """The data and the models of Parrotlet: look at recordings and labels, mend them, train, measure, decide what
    to collect next.

    \b
    Example:
      parrotlet-models show data/manifest.jsonl
    """


@main.command()
@click.argument("manifest", type=click.Path(path_type=Path))
def show(manifest: Path) -> None:
    """Tell how many clips a data set has, by split, class, source and speaker.

    \b
    Example:
      parrotlet-models show data/manifest.jsonl
    """
    from models.data.balance import balance
    from models.data.manifest import read_manifest

    read = read_manifest(manifest)
    for line in balance(read.clips):
        click.echo(line)
    for finding in read.findings:
        click.echo(f"{manifest}:{finding.line}: {finding.sentence}", err=True)


for command in (import_, split, windows, synthesise, mix, definition, check, fix, apply, measure, doubt):
    main.add_command(command)
for command in (new_commands, record, train, evaluate, ablate, curve, errors, compare, retrain):
    main.add_command(command)
main.add_command(completion("parrotlet-models"))

if __name__ == "__main__":
    main()
