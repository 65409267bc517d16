"""parrotlet-edge page: the page for phones of people who have no board."""

import sys

import click

from common.errors import DaemonError
from common.settings import Loaded
from edge import options
from edge.settings import EdgeSettings

# What a command needs is imported in it, for the same reason as in __main__.

DIED = 1


@click.command()
@options.with_settings(options.PAGE, options.CLOUD, options.HEARING, options.STATE)
def page(loaded: Loaded[EdgeSettings]) -> None:
    """Serve the page for phones of people who have no board, beside a service, until SIGTERM or Ctrl-C.

    Each phone that is paired is a board of its own to the service: it sees what was said into it, and nothing of
    others, unless they are of one group there. A board serves a page of its own: parrotlet-edge run --page.

    \b
    Example:
      parrotlet-edge page --listen 0.0.0.0:7409 --cloud 127.0.0.1:7407
    """
    from edge.page.visiting import serve_page

    try:
        serve_page(loaded)
    except DaemonError as error:
        click.echo(str(error), err=True)
        sys.exit(DIED)
