"""parrotlet-cloud pki backup and restore, and parrotlet-cloud log: what a service cannot make again, as files."""

import sqlite3
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import click

from cloud.answer_log import FILE_NAME
from cloud.answer_store import AnswerStore
from cloud.options import config_option, load_settings
from common.errors import SettingsError
from common.private_files import private_directory, write_private

BUSY_S_MAX = 10.0
"""How long a log that somebody writes to is waited for."""

_passphrase = click.option("--passphrase", is_flag=True, help="Sealed by a passphrase, read from standard input.")
_again = click.option("--again", is_flag=True, help="Replace what is there.")
_file = click.argument("file", type=click.Path(path_type=Path))


@click.command(name="backup")
@_passphrase
@_file
@config_option
def backup_pki(passphrase: bool, file: Path, config_file: Path | None) -> None:
    """Copy the authority and the list of boards to FILE. Who has it can let anybody in: keep it safe.

    \b
    Example:
      parrotlet-cloud pki backup --passphrase parrotlet-pki.backup
    """
    from cloud.keys.pki_backup import write
    from cloud.keys.pki_folder import existing_authority

    authority = existing_authority(load_settings(config_file, {}).settings.storage.pki_dir)
    write(authority, file, _read_passphrase(passphrase, confirm=True))
    click.echo(f"The authority is in {file}." + ("" if passphrase else " It is not sealed: keep it safe."))


@click.command(name="restore")
@_passphrase
@_again
@_file
@config_option
def restore_pki(passphrase: bool, again: bool, file: Path, config_file: Path | None) -> None:
    """Put back what `backup` wrote. Boards get in as they did then; revoke again whom you revoked since.

    \b
    Example:
      parrotlet-cloud pki restore --passphrase parrotlet-pki.backup
    """
    from cloud.keys.pki_backup import read, restore
    from cloud.keys.pki_folder import make_room

    directory = load_settings(config_file, {}).settings.storage.pki_dir
    content = read(file, _read_passphrase(passphrase, confirm=False))
    make_room(directory, again=again)
    authority = restore(content, directory)
    click.echo(f"The authority is back in {authority.directory}; {len(authority.boards.all())} boards are known.")


def _read_passphrase(wanted: bool, *, confirm: bool) -> str:
    """Empty where none is wanted. SettingsError: what is sealed by nothing would lie open."""
    if not wanted:
        return ""
    if sys.stdin is None:
        raise SettingsError("standard input: is closed.")
    try:
        if sys.stdin.isatty():
            typed: str = click.prompt("Passphrase", hide_input=True, confirmation_prompt=confirm, err=True)
        else:
            typed = sys.stdin.readline().rstrip("\n")
        typed.encode()
    except UnicodeError as error:
        raise SettingsError("The passphrase is not UTF-8 text.") from error
    if not typed.strip():
        raise SettingsError("The passphrase is empty; --passphrase reads a line of standard input.")
    return typed


@click.group()
def log() -> None:
    """Copy the log of what was answered, and put it back.

    \b
    Example:
      parrotlet-cloud log backup answers.backup
    """


@log.command()
@_file
@config_option
def backup(file: Path, config_file: Path | None) -> None:
    """Copy the answers' log to FILE, whole, also while the service runs. It tells what was said: keep it safe.

    \b
    Example:
      parrotlet-cloud log backup answers.backup
    """
    source = _log(config_file)
    if not source.exists():
        raise SettingsError(f"There is no answers' log at {source}.")
    try:
        with closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)) as database:
            with closing(sqlite3.connect(":memory:")) as copy:
                database.backup(copy, progress=_patience())
                content = copy.serialize()
        write_private(file.absolute(), content)
    except (sqlite3.Error, OSError) as error:
        raise SettingsError(f"The answers' log cannot be copied to {file}: {error}.") from error
    click.echo(f"The answers' log is in {file}.")


@log.command()
@_again
@_file
@config_option
def restore(again: bool, file: Path, config_file: Path | None) -> None:
    """Put back what `backup` wrote. Utterances that were answered since are decoded again if they come again.

    \b
    Example:
      parrotlet-cloud log restore answers.backup
    """
    there = _log(config_file)
    if there.exists() and not again:
        raise SettingsError(f"There is an answers' log at {there}; --again replaces it.")
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as copy:
            ((sound,),) = copy.execute("PRAGMA quick_check(1)").fetchall()
            ((answers,),) = copy.execute("SELECT count(*) FROM answers").fetchall()
            if sound != "ok":
                raise SettingsError(f"{file} is damaged: {sound}.")
            if not there.exists():
                private_directory(there.parent)
                write_private(there, b"")
            with closing(sqlite3.connect(there, timeout=BUSY_S_MAX)) as database:
                copy.backup(database, progress=_patience())
            # It may be of an older release than the service, which may be running.
            AnswerStore(there).close()
    except (sqlite3.Error, OSError) as error:
        raise SettingsError(f"{file} cannot be put back as answers' log: {error}.") from error
    click.echo(f"The answers' log is back in {there}: {answers} answers.")


@log.command()
@_file
@config_option
def export(file: Path, config_file: Path | None) -> None:
    """Write what was answered, and what people said of it, to FILE as JSON lines, for `parrotlet-models import log`. It
    tells what was said: keep it safe.

    \b
    Example:
      parrotlet-cloud log export answers.jsonl
    """
    from cloud.log_lines import log_lines

    source = _log(config_file)
    if not source.exists():
        raise SettingsError(f"There is no answers' log at {source}.")
    try:
        with closing(AnswerStore(source)) as store:
            lines = list(log_lines(store))
        write_private(file.absolute(), b"".join(lines))
    except (sqlite3.Error, OSError) as error:
        raise SettingsError(f"The answers' log cannot be written to {file}: {error}.") from error
    click.echo(f"{len(lines)} utterances are in {file}.")


def _patience() -> Callable[[int, int, int], None]:
    """For sqlite's backup, which tries for ever where somebody holds the database. TimeoutError."""
    until_s = time.monotonic() + BUSY_S_MAX

    def progress(status: int, remaining: int, total: int) -> None:
        if status in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED) and time.monotonic() > until_s:
            raise TimeoutError(f"somebody has held it for {BUSY_S_MAX:g} s")

    return progress


def _log(config_file: Path | None) -> Path:
    return load_settings(config_file, {}).settings.storage.state_dir / FILE_NAME
