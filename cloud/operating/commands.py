"""parrotlet-cloud operate: who may open the operator's page."""

import datetime
import socket
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cloud.options import config_option, load_settings
from cloud.typist import typist
from common.addresses import Address, parse_address
from common.errors import SettingsError
from common.private_files import private_directory

if TYPE_CHECKING:
    from cloud.operating.operators import Operators, Session
    from cloud.settings import CloudSettings

ANSWER_S_MAX = 2.0

# What a command needs is imported in it, for the same reason as in __main__.


@click.command()
@click.option(
    "--name", metavar="WHO", help="Who will use the browser, for history and labels; else the user who types."
)
@click.option("--list", "is_list", is_flag=True, help="List the browsers that are signed in.")
@click.option("--revoke", metavar="ID", help="Sign one of them out.")
@click.option("--revoke-all", is_flag=True, help="Sign all of them out, and withdraw links that were not used.")
@config_option
def operate(name: str | None, is_list: bool, revoke: str | None, revoke_all: bool, config_file: Path | None) -> None:
    """Print a link that signs a browser in to the operator's page: once, within ten minutes.

    The page is there where operating.listen is set: how boards hear, what was heard, which models are tried.

    \b
    Example:
      parrotlet-cloud operate
      parrotlet-cloud operate --list
      parrotlet-cloud operate --revoke 1a2b3c4d
    """
    from cloud.operating.operators import FILE_NAME, Operators

    if is_list + (revoke is not None) + revoke_all > 1:
        raise click.UsageError("--list, --revoke and --revoke-all are three things; ask for one.")
    settings = load_settings(config_file, {}).settings
    try:
        state_dir = settings.storage.state_dir
        operators = Operators((state_dir if state_dir.is_dir() else private_directory(state_dir)) / FILE_NAME)
    except OSError as error:
        raise SettingsError(f"{settings.storage.state_dir} cannot be made: {error.strerror}.") from error
    if is_list:
        for session in operators.all():
            click.echo(_line(session))
        if not operators.all():
            click.echo("No browser is signed in.", err=True)
    elif revoke is not None:
        session = operators.revoke(revoke)
        click.echo(f"The browser of {session.name} ({session.id}) is signed out.")
    elif revoke_all:
        count = operators.revoke_all()
        click.echo(f"{count} {'browser is' if count == 1 else 'browsers are'} signed out.")
    else:
        _invite(settings, operators, name)


def _invite(settings: "CloudSettings", operators: "Operators", name: str | None) -> None:
    from cloud.labelling.label_session import labeller_named
    from cloud.operating.port import link, may_be_reached

    if not settings.operating.listen:
        raise SettingsError(
            "There is no page: set operating.listen, such as 127.0.0.1:7411, and start the service again."
        )
    listen = parse_address(settings.operating.listen, called="operating.listen", port_min=1)
    is_tls = may_be_reached(settings, listen)
    # Labels are given on the page by this name, too.
    who = labeller_named(name or typist())
    click.echo(link(listen, operators.invite(who), tls=is_tls))
    click.echo("It signs one browser in, within ten minutes.", err=True)
    if not _answers(listen):
        click.echo(f"Nothing answers on {listen} now: the page is the service's, so start that first.", err=True)
    if is_tls:
        click.echo(
            "The browser does not know this service's authority and will warn; it shows the certificate of "
            f"{settings.storage.pki_dir / 'service.pem'}.",
            err=True,
        )


def _answers(listen: Address) -> bool:
    """Whether anybody listens there; everywhere is here, too."""
    try:
        with socket.create_connection((listen.host.strip("[]"), listen.port), timeout=ANSWER_S_MAX):
            return True
    except OSError:
        return False


def _line(session: "Session") -> str:
    signed_in = datetime.datetime.fromtimestamp(session.signed_in_at_unix_s)
    seen = datetime.datetime.fromtimestamp(session.seen_at_unix_s)
    return f"{session.id}  {session.name:<16}  signed in {signed_in:%Y-%m-%d %H:%M}, here last {seen:%Y-%m-%d}"
