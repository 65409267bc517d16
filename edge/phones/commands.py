"""parrotlet-edge pair, phones: which phones may open the board's page."""

import sys
import time
from typing import TYPE_CHECKING

import click

from common.errors import DaemonError, SettingsError
from common.settings import Loaded
from edge import options
from edge.settings import EdgeSettings

if TYPE_CHECKING:
    from edge.phones.invitations import Invitations, Invited
    from edge.phones.phones import Phone, Phones

# What a command needs is imported in it, for the same reason as in __main__.

NOBODY_CAME = 1
NO_DAEMON = 3
NOT_YET = 3
LOOK_S = 0.5


@click.command()
@click.option("--code", "as_code", is_flag=True, help="Print the code to type and nothing else; do not wait.")
@click.option("--url", "as_url", is_flag=True, help="Print the address that pairs who opens it; do not wait.")
@options.with_settings(options.STATE, options.PAGE_OF_BOARD)
def pair(as_code: bool, as_url: bool, loaded: Loaded[EdgeSettings]) -> None:
    """Pair a phone with this board: show a QR code and a code to type, and wait until a phone has used one.

    Both are for one phone, for ten minutes, and until Ctrl-C. Who has seen them may pair a phone of theirs: they are
    shown on a terminal only, or where --code or --url asks for them.

    \b
    Exit status: 0  paired, or printed
                 1  nobody came in time
                 2  no phone can be paired
                 3  the daemon serves no page now

    \b
    Example:
      parrotlet-edge pair
      parrotlet-edge pair --page 0.0.0.0:7409      # where run --page or page --listen got the same
      parrotlet-edge pair --code
    """
    from edge.phones.address import page_address, page_urls, shown_fingerprint
    from edge.phones.invitation_shown import pairing_url, show

    if as_code and as_url:
        raise click.UsageError("Give --code or --url, and not both.")
    if not (as_code or as_url or sys.stdout.isatty()):
        raise click.UsageError("A code is shown on a terminal only: it would stay in a file. --code prints it anyway.")
    page = loaded.settings.page
    urls = page_urls(page, page_address(page).port)
    invitations = _invitations(loaded)
    try:
        fingerprint = shown_fingerprint(page)
    except DaemonError as error:
        click.echo(str(error), err=True)
        sys.exit(NO_DAEMON)
    invited = invitations.invite()
    if as_code or as_url:
        click.echo(invited.code if as_code else pairing_url(urls[0], invited))
        return
    try:
        show(urls, fingerprint, invited)
        phone = _awaited(invitations, invited)
    except BaseException:
        invitations.withdraw(invited.id)
        click.echo("\nThe code was taken back.")
        raise
    if phone is None:
        click.echo("Nobody came, and the code is over; for a new one: parrotlet-edge pair", err=True)
        sys.exit(NOBODY_CAME)
    click.echo(f"Paired: {phone.name} ({phone.id}).")


@click.group()
def phones() -> None:
    """List and revoke the phones that are paired with this board, and show the page's certificate.

    \b
    Example:
      parrotlet-edge phones list
      parrotlet-edge phones revoke "Ada's phone"
    """


@phones.command("list")
@click.option("--json", "as_json", is_flag=True, help="A line of JSON a phone.")
@options.with_settings(options.STATE)
def list_(as_json: bool, loaded: Loaded[EdgeSettings]) -> None:
    """List the phones that are paired, in the order in which they were.

    \b
    Example:
      parrotlet-edge phones list
    """
    import json

    known = _phones(loaded, "phones list").all()
    if as_json:
        for phone in known:
            told = {"id": phone.id, "name": phone.name}
            times = {"paired_at_unix_us": phone.paired_at_unix_us, "last_seen_unix_us": phone.last_seen_unix_us}
            click.echo(json.dumps(told | times))
    elif known:
        click.echo("\n".join(_table(known)))
    else:
        click.echo("No phone is paired; to pair one: parrotlet-edge pair", err=True)


@phones.command()
@click.argument("who", nargs=-1, metavar="[NAME|ID]...")
@click.option("--all", "every", is_flag=True, help="Every phone.")
@options.with_settings(options.STATE, options.CLOUD)
def revoke(who: tuple[str, ...], every: bool, loaded: Loaded[EdgeSettings]) -> None:
    """Shut a phone out: what it has open ends within a second.

    Where it had no board, but a place of its own (parrotlet-edge page), what it said is erased, here and at the
    service. What it said to a board is the board's; see: parrotlet-edge forget

    \b
    Exit status: 0  shut out, and all is erased that is to be, or about to be by who serves the page
                 2  not shut out
                 3  shut out and erased here; the service is asked as soon as who serves the page reaches it

    \b
    Example:
      parrotlet-edge phones revoke "Ada's phone"
      parrotlet-edge phones revoke --all
    """
    from edge import directories
    from edge.spool.leaving import leave, leavers

    if bool(who) == every:
        raise click.UsageError("Give names or ids of phones, or --all.")
    known = _phones(loaded, "phones revoke")
    gone = known.all() if every else [phone for text in who for phone in _one(known, text)]
    known.revoke([phone.id for phone in gone])
    for phone in gone:
        click.echo(f"Revoked: {phone.name} ({phone.id}).")
    if not gone:
        click.echo("No phone is paired.", err=True)
    state = directories.usable(loaded, directories.STATE)
    left = [leave(loaded, state, phone) for phone in leavers(state, known)]
    if any(one.in_use for one in left):
        click.echo("Who serves the page erases what they said in a few seconds, here and at the service.")
    elif left:
        click.echo(f"Erased what they said, here and, of {sum(one.there for one in left)} utterances, at the service.")
    if why_not := next((one.why_not for one in left if one.why_not is not None), None):
        click.echo(f"The service is asked as soon as who serves the page reaches it. {why_not}", err=True)
        sys.exit(NOT_YET)


@phones.command()
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@options.with_settings(options.STATE, {"device.id": "--device-id"})
def certificate(as_json: bool, loaded: Loaded[EdgeSettings]) -> None:
    """Show the certificate of the page, to compare it with what a phone warns of; it is made where there is none.

    \b
    Example:
      parrotlet-edge phones certificate
    """
    import msgspec

    from edge import directories
    from edge.device_id import device_id
    from edge.phones.address import known_names, page_address
    from edge.phones.certificate import given_certificate, own_certificate
    from edge.phones.host_names import own_addresses
    from edge.phones.shown_certificate import page_directory

    page, now_us = loaded.settings.page, time.time_ns() // 1000
    if page.listen:
        page_address(page)
    if page.certificate_file is not None and page.key_file is not None:
        shown = given_certificate(page.certificate_file, page.key_file, now_us)
    else:
        directory = page_directory(directories.of_the_daemon(loaded, directories.STATE, "phones certificate"))
        name = device_id(loaded.settings.device.id)
        shown = own_certificate(directory, name, known_names(page), own_addresses(), now_us)
    if as_json:
        click.echo(msgspec.json.encode(shown).decode())
        return
    click.echo(f"SHA-256  {shown.fingerprint}")
    click.echo(f"until    {_day(shown.expires_at_unix_us)}")
    click.echo(f"names    {', '.join(shown.names)}")
    click.echo(f"file     {shown.certificate_file}")


def _phones(loaded: Loaded[EdgeSettings], command: str) -> "Phones":
    from edge import directories
    from edge.phones.phones import Phones
    from edge.phones.shown_certificate import page_directory

    return Phones(page_directory(directories.of_the_daemon(loaded, directories.STATE, command)))


def _invitations(loaded: Loaded[EdgeSettings]) -> "Invitations":
    from edge.phones.invitations import Invitations

    return Invitations(_phones(loaded, "pair"), loaded.settings.page.phones_max)


def _awaited(invitations: "Invitations", invited: "Invited") -> "Phone | None":
    """The phone that came; None: it took too long."""
    from edge.phones.invitations import GOOD_S

    until_s = time.monotonic() + GOOD_S
    while time.monotonic() < until_s:
        if (phone := invitations.outcome(invited.id)) is not None:
            return phone
        time.sleep(LOOK_S)
    return None


def _one(known: "Phones", text: str) -> "list[Phone]":
    found = known.found(text)
    if not found:
        raise SettingsError(f"No phone is called {text!r}, or has that id; there are: {_called(known.all())}.")
    return found


def _called(known: "list[Phone]") -> str:
    return ", ".join(f"{phone.name} ({phone.id})" for phone in known) or "none"


def _table(known: "list[Phone]") -> list[str]:
    column = max(len(phone.name) for phone in known)
    days = [(phone, _day(phone.paired_at_unix_us), _day(phone.last_seen_unix_us)) for phone in known]
    return [f"{phone.id}  {phone.name:<{column}}  paired {paired}  last seen {seen}" for phone, paired, seen in days]


def _day(unix_us: int) -> str:
    import datetime

    return f"{datetime.datetime.fromtimestamp(unix_us / 1e6):%Y-%m-%d}"
