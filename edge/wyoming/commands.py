"""parrotlet-edge wyoming: for homes that speak Wyoming."""

import sys

import click

from common.errors import DaemonError
from common.settings import Loaded
from edge import options
from edge.settings import EdgeSettings

# What a command needs is imported in it, for the same reason as in __main__.

DIED = 1


@click.command()
@click.option("--satellite", is_flag=True, help="Lend a home this board's microphone and loudspeaker instead.")
@click.option("--input", "input_file", metavar="FILE", help="With --satellite: play a file in place of the microphone.")
@options.with_settings(
    options.WYOMING,
    options.CLOUD,
    options.HEARING,
    options.LOCAL,
    options.MICROPHONE,
    options.DAEMON,
    options.WAKE,
    options.STATE,
)
def wyoming(satellite: bool, input_file: str | None, loaded: Loaded[EdgeSettings]) -> None:
    """Serve speech to text to clients that speak Wyoming, such as Home Assistant, until SIGTERM or Ctrl-C.

    With --satellite, it is the home that hears what is said to this board, and answers by its loudspeaker: the sound
    itself is sent, when somebody speaks, or with activation.mode = "wake" or "button" after that. SIGUSR1 is a press,
    SIGUSR2 mutes and unmutes.

    Listens to this machine alone, unless --listen says otherwise: Wyoming has no encryption. Home Assistant finds both
    by itself.

    \b
    Example:
      parrotlet-edge wyoming --listen 0.0.0.0:10300
      parrotlet-edge wyoming --satellite --listen 0.0.0.0:10700 --activation wake
    """
    if input_file is not None and not satellite:
        raise click.UsageError("--input is for --satellite: speech to text hears its clients.")
    from edge.wyoming.satellite_serving import serve_satellite
    from edge.wyoming.serving import serve_speech

    try:
        if satellite:
            serve_satellite(loaded, input_file)
        else:
            serve_speech(loaded)
    except DaemonError as error:
        click.echo(str(error), err=True)
        sys.exit(DIED)
