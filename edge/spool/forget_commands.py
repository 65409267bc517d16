"""parrotlet-edge forget: erases what was said, here and at the service."""

import sys
from contextlib import suppress

import click

from common.commands import MOMENT
from common.errors import ParrotletError
from common.settings import Loaded
from edge import options
from edge.settings import EdgeSettings

NOT_YET = 3


@click.command()
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option("--since", type=MOMENT, help="What was spoken from then on.")
@click.option("--until", type=MOMENT, help="What was spoken before then.")
@click.option("--all", "every", is_flag=True, help="Everything.")
@click.option("--phone", "phones", multiple=True, metavar="NAME|ID", help="Only what this phone without a board said.")
@options.with_settings(options.STATE, options.SOCKET, options.CLOUD)
def forget(
    ids: tuple[str, ...],
    since: int | None,
    until: int | None,
    every: bool,
    phones: tuple[str, ...],
    loaded: Loaded[EdgeSettings],
) -> None:
    """Erase what was said for good, on this board and at the service.

    Phones without a board are meant, too: all of them, where no --phone is given. An ID may be cut short. A TIME is
    such as 2026-11-24 or 2026-11-24T18:30, local where it says no zone. What is being said or answered at this moment,
    and copies that were made by `spool export`, are not reached.

    \b
    Exit status: 0  erased here and at the service
                 2  not erased
                 3  erased here; the service is asked as soon as the daemon reaches it

    \b
    Example:
      parrotlet-edge forget --since 2026-11-24T18:00
      parrotlet-edge forget --phone "Ada's phone" --all
    """
    if [bool(ids), since is not None or until is not None, every].count(True) != 1:
        raise click.UsageError("Give IDs, or --since and --until, or --all.")
    from edge.board.control import ask
    from edge.spool.erasure import Erasure
    from edge.spool.forgetting_all import forget_all

    outcome = forget_all(loaded, [Erasure(id_) for id_ in ids] or [Erasure(None, since, until)], phones)
    # The daemon, where one runs, shows the last answer in its status.
    with suppress(ParrotletError):
        ask(loaded, "forget")
    there = f", {outcome.there} at the service" if outcome.why_not is None else ""
    click.echo(f"Erased: {outcome.here} utterances on this board{there}.")
    if outcome.why_not is not None:
        click.echo(f"The service is asked as soon as the daemon reaches it. {outcome.why_not}", err=True)
        sys.exit(NOT_YET)
