"""parrotlet-edge enrol, renew, services: how a board gets to know a service, and the service the board."""

import sys

import click

from common.errors import IdentityError, SettingsError
from common.settings import Loaded
from edge import options
from edge.settings import EdgeSettings

# What a command needs is imported in it, for the same reason as in __main__.

_as = click.option(
    "--as",
    "name",
    default="cloud",
    show_default=True,
    metavar="NAME",
    help="What this board calls the service; another name for a second one.",
)


@click.command()
@click.argument("words", nargs=-1, metavar="[HOST] [CODE|-]")
@_as
@options.with_settings(options.STATE, {"device.id": "--device-id"})
def enrol(words: tuple[str, ...], name: str, loaded: Loaded[EdgeSettings]) -> None:
    """Enrol this board with the service that made CODE; from then on they speak TLS.

    `parrotlet-cloud pki enrol` prints the code. Where it is not given, or is -, it is read from standard input, so that
    nobody sees it in the list of processes. HOST is looked for on the local network where it is not named.

    \b
    Exit status: 0  enrolled; a running daemon takes it up by itself
                 2  not enrolled

    \b
    Example:
      parrotlet-edge enrol
      parrotlet-edge enrol 192.168.1.5 -
    """
    from edge import directories
    from edge.device_id import device_id
    from edge.keys import enrol as enrolling
    from edge.keys.identity import IdentityFile, check_name

    if len(words) > 2:
        raise click.UsageError("Give HOST and CODE; a code has no spaces.")
    check_name(name)
    place = directories.of_the_daemon(loaded, directories.STATE, "enrol")
    host, typed = _host_and_code(words)
    code = enrolling.read_code(typed)
    own_name = device_id(loaded.settings.device.id)
    if host:
        enrolled = enrolling.enrol(enrolling.enrol_address(host), code, own_name)
    else:
        from edge.keys.discovery import services

        enrolled = enrolling.enrol_with_any([found.enrol_address for found in services()], code, own_name)
    kept = IdentityFile([place], name).write(place, enrolled.identity)
    click.echo(f"Enrolled as {enrolled.identity.device_id} with {enrolled.identity.address}.")
    click.echo(f"Key and certificate are in {kept}.", err=True)
    if loaded.origins["cloud.address"] != "default" and loaded.settings.cloud.address != enrolled.identity.address:
        click.echo(
            f"cloud.address is set to {loaded.settings.cloud.address} and counts; without it, the board asks where it "
            "enrolled.",
            err=True,
        )


@click.command()
@_as
@options.with_settings(options.STATE)
def renew(name: str, loaded: Loaded[EdgeSettings]) -> None:
    """Get a new certificate now. The daemon does so itself when two thirds of the life of the old one are over.

    \b
    Example:
      parrotlet-edge renew
    """
    from edge import directories
    from edge.keys.enrol import renewed
    from edge.keys.identity import IdentityFile, enrolment

    file = IdentityFile(directories.candidates(loaded, directories.STATE), name)
    identity, directory = file.read(), file.directory()
    if identity is None or directory is None:
        raise IdentityError("This board has not enrolled; it has nothing to renew.")
    address = enrolment(loaded).address(identity) if name == "cloud" else identity.address
    newer = renewed(identity, address)
    file.write(directory, newer)
    click.echo(f"Renewed; {newer.device_id} is known to {address}.")


@click.command()
@_as
@options.with_settings(options.STATE)
def locate(name: str, loaded: Loaded[EdgeSettings]) -> None:
    """Find out where the service is that this board enrolled with. The daemon does so itself when it lost it.

    \b
    Example:
      parrotlet-edge locate
    """
    from edge import directories
    from edge.keys.discovery import services
    from edge.keys.enrol import relocated
    from edge.keys.identity import IdentityFile

    file = IdentityFile(directories.candidates(loaded, directories.STATE), name)
    identity, directory = file.read(), file.directory()
    if identity is None or directory is None:
        raise IdentityError("This board has not enrolled; parrotlet-edge services lists what there is.")
    there = relocated(identity, [found.address for found in services()])
    if there != identity:
        file.write(directory, there)
    click.echo(f"The service is at {there.address}.")


@click.command()
def services() -> None:
    """List the services that announce themselves on the local network.

    \b
    Example:
      parrotlet-edge services
    """
    from common.plain_text import plain
    from edge.keys.discovery import services

    found = services()
    for each in found:
        click.echo(plain(f"{each.name:<24} {each.address}  parrotlet-cloud {each.version}"))
    if not found:
        click.echo("No service announces itself here.", err=True)


def _host_and_code(words: tuple[str, ...]) -> tuple[str, str]:
    """What was given; no host: "". A code that was not is read from standard input."""
    from protos.enrolment_code import looks_like_a_code

    given = [word for word in words if word != "-"]
    if len(given) == 2:
        return given[0], given[1]
    if len(given) == 1 and looks_like_a_code(given[0]):
        return "", given[0]
    return "".join(given), _typed()


def _typed() -> str:
    """The code, from standard input."""
    if sys.stdin is None:
        raise SettingsError("standard input: is closed.")
    if sys.stdin.isatty():
        click.echo("Code: ", nl=False, err=True)
    return sys.stdin.readline()
