"""parrotlet-cloud pki backup and restore: what a service cannot make again, as a file."""

import sys
from pathlib import Path

import click

from cloud.options import config_option, load_settings
from common.errors import SettingsError

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
