"""parrotlet-cloud pki: who may ask this service."""

import datetime
import json
import socket
from pathlib import Path

import click

from cloud.options import config_option, load_settings
from common.addresses import parse_address
from protos.name import NAME

# What a command needs is imported in it, for the same reason as in __main__.

MINUTES = 15
_again = click.option("--again", is_flag=True, help="Replace the authority that is there. No board gets in any more.")
_device = click.argument("device")


@click.group()
def pki() -> None:
    """Let boards in, and keep strangers out: the service's own certificates.

    \b
    Example:
      parrotlet-cloud pki init
      parrotlet-cloud pki enrol
    """


@pki.command()
@_again
@config_option
def init(again: bool, config_file: Path | None) -> None:
    """Make keys and certificates. From then on the service speaks TLS, with boards that enrolled.

    It is also the way back when keys are lost or stolen: make new ones, and enrol each board again.

    \b
    Example:
      parrotlet-cloud pki init
    """
    from cloud.keys.names import given_names, own_names
    from cloud.keys.pki_folder import create, make_room

    settings = load_settings(config_file, {}).settings
    names = [*given_names(settings.server.names), *own_names()]
    make_room(settings.storage.pki_dir, again=again)
    authority = create(settings.storage.pki_dir, names)
    click.echo(f"Keys and certificates are in {authority.directory}; back them up with: parrotlet-cloud pki backup")
    click.echo("A service that is running speaks TLS from its next start on.", err=True)


@pki.command()
@click.option("--device", metavar="NAME", help="Name of the board, in place of whoever had it; else its own choice.")
@click.option("--minutes", type=click.IntRange(1, 1440), default=MINUTES, show_default=True, help="Life of the code.")
@config_option
def enrol(device: str | None, minutes: int, config_file: Path | None) -> None:
    """Print a code by which one board may enrol, once.

    The code is a secret: type it on the board, do not send it by mail. It also proves this service to the board.

    \b
    Example:
      parrotlet-cloud pki enrol
      parrotlet-cloud pki enrol --device kitchen
    """
    from cloud.keys.authority import unix_us
    from cloud.keys.pki_folder import existing_authority

    if device is not None and not NAME.fullmatch(device):
        raise click.UsageError("NAME may have 1 to 64 characters of A-Z a-z 0-9 . _ -")
    settings = load_settings(config_file, {}).settings
    authority = existing_authority(settings.storage.pki_dir)
    code = authority.open_code(minutes * 60_000_000, device or "")
    until = datetime.datetime.fromtimestamp(unix_us() / 1e6 + minutes * 60)
    click.echo(code)
    click.echo(f"Good for one board until {until:%H:%M}. On the board: sudo parrotlet-edge enrol", err=True)
    click.echo(f"It asks for the code. Where it finds no service: sudo parrotlet-edge enrol {_host()}", err=True)
    if parse_address(settings.server.listen, called="server.listen", port_min=0).is_loopback:
        click.echo(
            f"By its settings the service listens on {settings.server.listen}, where no other machine gets; "
            "server.listen, or serve --listen, such as 0.0.0.0:7407 lets them.",
            err=True,
        )


@pki.command()
@_device
@config_option
def revoke(device: str, config_file: Path | None) -> None:
    """Shut a board out, within seconds, also of what it is saying now. It may enrol again with a new code.

    \b
    Example:
      parrotlet-cloud pki revoke kitchen
    """
    from cloud.keys.pki_folder import existing_authority

    existing_authority(load_settings(config_file, {}).settings.storage.pki_dir).revoke(device)
    click.echo(f"{device} is shut out.")


@pki.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a board.")
@config_option
def list_boards(as_json: bool, config_file: Path | None) -> None:
    """List the boards that enrolled, and until when their certificates are good.

    \b
    Example:
      parrotlet-cloud pki list
    """
    from cloud.keys.pki_folder import existing_authority

    authority = existing_authority(load_settings(config_file, {}).settings.storage.pki_dir)
    for name, board in authority.boards.all().items():
        times = {
            "enrolled": _time(board.enrolled_at_unix_us),
            "renewed": _time(board.renewed_at_unix_us),
            "expires": _time(board.expires_at_unix_us),
        }
        if as_json:
            click.echo(json.dumps({"device": name, "revoked": board.revoked, **times}))
        else:
            state = "revoked" if board.revoked else "good until {expires}, enrolled {enrolled}".format(**times)
            click.echo(f"{name:<24} {state}")
    if not authority.boards.all():
        click.echo("No board has enrolled yet; parrotlet-cloud pki enrol prints a code for one.", err=True)


@pki.command()
@config_option
def renew(config_file: Path | None) -> None:
    """Make the service a new certificate now. It does so itself when two thirds of its life are over.

    \b
    Example:
      parrotlet-cloud pki renew
    """
    from cloud.keys import certificates
    from cloud.keys.names import given_names, own_names
    from cloud.keys.pki_folder import existing_authority

    settings = load_settings(config_file, {}).settings
    authority = existing_authority(settings.storage.pki_dir)
    authority.renew_service([*given_names(settings.server.names), *own_names()], now=True)
    known = certificates.facts(authority.pair("service").certificate)
    click.echo(f"The service's certificate is good until {_time(known.expires_at_unix_us)}.")


def _host() -> str:
    """How a board may call this machine."""
    from cloud.keys.names import own_address

    return own_address() or socket.gethostname()


def _time(unix_us: int) -> str:
    return f"{datetime.datetime.fromtimestamp(unix_us / 1e6):%Y-%m-%d %H:%M}"
