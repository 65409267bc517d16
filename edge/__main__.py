"""parrotlet-edge: the board's command line."""

import os

# Before numpy: several BLAS threads on a busy machine take a hundred times as long as one.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# gRPC tells our sentences' causes again, in its own words.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")

import sys
from typing import Any

import click

from common import VERSION
from common.commands import CommandGroup, completion
from common.errors import DaemonError, MicrophoneError, ParrotletError
from common.settings import Loaded, as_toml
from edge import options
from edge.settings import SECRETS, EdgeSettings

# What a command needs is imported in it: the daemon stays small, and completion quick.

HEALTHY = 0
NOT_HEALTHY = 1
REFUSED = 1
DIED = 1
NO_DAEMON = 3

_as_the_daemon = options.with_settings(
    options.CLOUD,
    options.HEARING,
    options.LOCAL,
    options.MICROPHONE,
    options.DAEMON,
    options.WAKE,
    options.SOCKET,
    options.STATE,
    options.PAGE_OF_BOARD,
)


ELSEWHERE = {
    "actions": "edge.actions.commands",
    "enrol": "edge.keys.enrol_commands",
    "feedback": "edge.spool.feedback_commands",
    "forget": "edge.spool.forget_commands",
    "locate": "edge.keys.enrol_commands",
    "models": "edge.models.commands",
    "page": "edge.page.commands",
    "pair": "edge.phones.commands",
    "phones": "edge.phones.commands",
    "renew": "edge.keys.enrol_commands",
    "services": "edge.keys.enrol_commands",
    "spool": "edge.spool.commands",
    "test": "edge.trial.commands",
    "wyoming": "edge.wyoming.commands",
}


@click.group(cls=CommandGroup, elsewhere=ELSEWHERE)
@click.version_option(VERSION, prog_name="parrotlet-edge")
def main() -> None:
    """The board of Parrotlet: hears, cuts out the speech, asks a service, shows what was found.

    \b
    Example:
      parrotlet-edge test --microphone
      parrotlet-edge enrol 192.168.1.5
      parrotlet-edge test question.wav
    """


@main.command()
@click.option("--input", "input_file", metavar="FILE", help="Play a file, in real time, in place of the microphone.")
@_as_the_daemon
def run(input_file: str | None, loaded: Loaded[EdgeSettings]) -> None:
    """Listen and answer until SIGTERM or Ctrl-C. On a terminal, shows the answers.

    With activation.mode = "button", listens only after `parrotlet-edge press`, SIGUSR1 or the GPIO button; with "wake",
    also after the wake word.
    SIGUSR2 mutes and unmutes, as `parrotlet-edge mute` does; muted is muted after a restart, too.

    With --page, phones see the answers as they come, and may be microphones: pair them with `parrotlet-edge pair`.

    \b
    Example:
      parrotlet-edge run
      parrotlet-edge run --page 0.0.0.0:7409
      parrotlet-edge run --activation button
      parrotlet-edge run --activation wake --wake-phrase "hey jarvis"
    """
    from edge.board.daemon import run

    try:
        run(loaded, input_file)
    except DaemonError as error:
        click.echo(str(error), err=True)
        sys.exit(DIED)


@main.command()
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@options.with_settings(options.SOCKET)
def status(as_json: bool, loaded: Loaded[EdgeSettings]) -> None:
    """Tell how the running daemon is.

    \b
    Exit status: 0  healthy (muted and a missing microphone are)
                 1  not healthy
                 3  no daemon is running

    \b
    Example:
      parrotlet-edge status
    """
    import json

    from edge.board.status import status_lines

    said = _ask(loaded, "status")
    click.echo(json.dumps(said) if as_json else "\n".join(status_lines(said)))
    sys.exit(HEALTHY if said["healthy"] else NOT_HEALTHY)


@main.command()
@options.with_settings(options.SOCKET)
def metrics(loaded: Loaded[EdgeSettings]) -> None:
    """Print the running daemon's figures for Prometheus, such as node_exporter's textfile collector takes.

    \b
    Example:
      parrotlet-edge metrics > /var/lib/prometheus/node-exporter/parrotlet.prom
    """
    from edge.board.metrics import metrics_text

    click.echo(metrics_text(_ask(loaded, "status")), nl=False)


@main.command()
@options.with_settings(options.SOCKET)
def mute(loaded: Loaded[EdgeSettings]) -> None:
    """Close the microphone of the running daemon. An utterance under way ends and is answered.

    \b
    Example:
      parrotlet-edge mute
    """
    _ask(loaded, "mute")


@main.command()
@options.with_settings(options.SOCKET)
def unmute(loaded: Loaded[EdgeSettings]) -> None:
    """Open the microphone of the running daemon again.

    \b
    Example:
      parrotlet-edge unmute
    """
    _ask(loaded, "unmute")


@main.command("lists")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@options.with_settings(options.SOCKET)
def show_lists(as_json: bool, loaded: Loaded[EdgeSettings]) -> None:
    """Print the lists that the running daemon keeps, such as what to buy. They are added to and cleared by voice.

    \b
    Example:
      parrotlet-edge lists
      parrotlet-edge lists --json
    """
    import json

    from edge.board.status import list_lines

    said = _ask(loaded, "lists")
    click.echo(json.dumps(said, ensure_ascii=False) if as_json else "\n".join(list_lines(said)))


@main.command()
@options.with_settings(options.SOCKET)
def press(loaded: Loaded[EdgeSettings]) -> None:
    """Make the running daemon listen for one utterance, where activation.mode is button or wake.

    It also ends what the daemon is saying, and a timer that rings.

    \b
    Example:
      parrotlet-edge press
    """
    _ask(loaded, "press")


@main.command()
def devices() -> None:
    """List the microphones, their numbers and rates; * marks the default.

    \b
    Example:
      parrotlet-edge devices
      parrotlet-edge test --microphone --device 2
    """
    from edge.sound.devices import device_table
    from edge.sound.port_audio import list_devices

    found = list_devices()
    if not found:
        raise MicrophoneError("There is no microphone; plug one in.")
    click.echo("\n".join(device_table(found)))


@main.command()
@options.with_settings(options.GATE, options.MICROPHONE, options.ACTIVATION, options.WAKE)
def level(loaded: Loaded[EdgeSettings]) -> None:
    """Show how loud the microphone is and what counts as speech, for placing it. Ends with Ctrl-C.

    With activation.mode = "wake", also how likely the wake word was just said.

    \b
    Example:
      parrotlet-edge level
      parrotlet-edge level --activation wake
      parrotlet-edge level --vad-model speech-v1
    """
    from edge.asking.wire import feature_spec
    from edge.console import Console
    from edge.local.gate import open_gate
    from edge.local.wake_words import open_wake_word
    from edge.sound.capture import Microphone
    from edge.speech.level import show

    settings = loaded.settings
    word = open_wake_word(settings, feature_spec(settings.cloud)) if settings.activation.mode == "wake" else None
    microphone = Microphone(settings.microphone, must_exist=True)
    try:
        show(microphone, open_gate(settings), Console(sys.stdout), word)
    finally:
        microphone.close()


@main.command()
@_as_the_daemon
@click.option("--check", is_flag=True, help="Print nothing but what is wrong; exit status 2 if anything is.")
def config(check: bool, loaded: Loaded[EdgeSettings]) -> None:
    """Print the effective settings, and where each came from; a password is shown as ***.

    A model of the board's own that does not fit is told by --check, and no reason not to start.

    \b
    Example:
      parrotlet-edge config > edge.toml
    """
    if not check:
        click.echo(as_toml(loaded, SECRETS), nl=False)
    else:
        from edge.board.checks import doubts

        for sentence in doubts(loaded):
            click.echo(sentence, err=True)


main.add_command(completion("parrotlet-edge"))


def _ask(loaded: Loaded[EdgeSettings], command: str) -> dict[str, Any]:
    """The daemon's answer; ends the program with a sentence if there is none."""
    from edge.board.control import ask

    try:
        return ask(loaded, command)
    except ParrotletError as error:
        click.echo(str(error), err=True)
        sys.exit(NO_DAEMON if isinstance(error, DaemonError) else REFUSED)


if __name__ == "__main__":
    main()
