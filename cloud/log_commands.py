"""parrotlet-cloud log: the answers' log as a file of its own."""

import sqlite3
from contextlib import closing
from pathlib import Path

import click

from cloud.options import config_option, load_settings
from common.errors import SettingsError
from common.private_files import write_private


@click.group()
def log() -> None:
    """Copy the log of what was answered.

    \b
    Example:
      parrotlet-cloud log backup answers.backup
    """


@log.command()
@click.argument("file", type=click.Path(path_type=Path))
@config_option
def backup(file: Path, config_file: Path | None) -> None:
    """Copy the answers' log to FILE, whole, also while the service runs. It tells what was said: keep it safe.

    To put it back, stop the service, copy FILE over answers.db in its state directory, and remove answers.db-wal.

    \b
    Example:
      parrotlet-cloud log backup answers.backup
    """
    source = load_settings(config_file, {}).settings.storage.state_dir / "answers.db"
    if not source.exists():
        raise SettingsError(f"There is no answers' log at {source}.")
    try:
        with closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)) as database:
            with closing(sqlite3.connect(":memory:")) as copy:
                database.backup(copy)
                content = copy.serialize()
        write_private(file.absolute(), content)
    except (sqlite3.Error, OSError) as error:
        raise SettingsError(f"The answers' log cannot be copied to {file}: {error}.") from error
    click.echo(f"The answers' log is in {file}.")
