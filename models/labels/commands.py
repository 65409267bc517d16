"""`parrotlet-models definition`, `fix` and `apply`."""

from pathlib import Path

import click

from common.errors import DataError


@click.group()
def definition() -> None:
    """The written agreement of how a project labels."""


@definition.command()
@click.argument("file", type=click.Path(path_type=Path), default="data-definition.toml")
def init(file: Path) -> None:
    """Write an agreement to start from, with a comment for each key.

    \b
    Example:
      parrotlet-models definition init data/data-definition.toml
    """
    from models.labels.definition import example

    try:
        with file.open("x", encoding="utf-8") as out:
            out.write(example())
    except FileExistsError as error:
        raise DataError(f"{file}: is there already.") from error
    except OSError as error:
        raise DataError(f"{file}: cannot be written: {error.strerror}.") from error
    click.echo(f"{file}: written; change what you like, then: parrotlet-models check MANIFEST")
