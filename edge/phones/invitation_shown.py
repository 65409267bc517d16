"""An invitation on a terminal: a QR code, a code to type, and what the phone will say of the certificate."""

import sys
from shutil import get_terminal_size

import click

from edge.phones.invitations import Invited
from edge.phones.qr_code import qr_lines, width


def pairing_url(base: str, invited: Invited) -> str:
    """The address that pairs who opens it."""
    # A fragment is sent to nobody, so it is in no log.
    return f"{base}/pair#{invited.token}"


def show(urls: list[str], fingerprint: str, invited: Invited) -> None:
    """Prints it. urls: of the page, the best first; fingerprint: empty where there is no certificate."""
    url = pairing_url(urls[0], invited)
    shown = width(url) <= get_terminal_size().columns and _can_show("▀")
    first = "Scan this with the phone's camera" if shown else "On the phone"
    click.echo(f"{first}{', or' if shown else ','} open {urls[0]} and type the code\n\n    {invited.code}\n")
    if shown:
        # Its colours are what makes it one, also where nobody wants any.
        click.echo("\n".join(qr_lines(url)) + "\n", color=True)
    for other in urls[1:]:
        click.echo(f"Where the phone does not find that name: {other}")
    if fingerprint:
        click.echo(
            "The phone may warn that it does not know the board's certificate; it is the right "
            f"one if its SHA-256 fingerprint is\n\n    {fingerprint[:47]}\n    {fingerprint[48:]}\n"
        )
    click.echo("The code is good for one phone and 10 minutes. Waiting for it; Ctrl-C takes the code back.")


def _can_show(character: str) -> bool:
    try:
        character.encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
