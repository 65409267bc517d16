"""parrotlet-edge: the board's command line."""

import os

# Before numpy: several BLAS threads on a busy machine take a hundred times as long as one.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# gRPC tells our sentences' causes again, in its own words.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")

import sys
from pathlib import Path
from typing import Any

import click

from common import VERSION
from common.commands import CommandGroup, completion
from common.errors import DaemonError, MicrophoneError, ParrotletError
from common.settings import Loaded, as_toml
from edge import options
from edge.actions.commands import actions
from edge.keys.enrol_commands import enrol, locate, renew, services
from edge.phones.commands import pair, phones
from edge.settings import SECRETS, EdgeSettings
from edge.spool.commands import spool
from edge.spool.feedback_commands import feedback
from edge.spool.forget_commands import forget

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


@click.group(cls=CommandGroup)
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
@click.argument("files", nargs=-1, metavar="[FILE|-]...", type=click.Path())
@click.option("--microphone", is_flag=True, help="Listen to the microphone until Ctrl-C.")
@click.option("--json", "as_json", is_flag=True, help="One line of JSON an utterance, and nothing else.")
@click.option("--realtime", is_flag=True, help="Play files at the pace of speech, not as fast as they go.")
@click.option("--timing", is_flag=True, help="Tell where the time went, p50 and p95 at the end; plays in real time.")
@click.option("--save", metavar="DIR", type=click.Path(path_type=Path), help="Keep each utterance as WAV and JSON.")
@click.option("--act", is_flag=True, help="Also do what is asked for, as the daemon would.")
@click.option("--explain", is_flag=True, help="Tell why the answer and what was found are what they are.")
@click.option("--offline", is_flag=True, help="Ask no service: the board's own model answers, or nobody.")
@options.with_settings(options.CLOUD, options.HEARING, options.MICROPHONE, options.LOCAL)
def test(
    files: tuple[str, ...],
    microphone: bool,
    as_json: bool,
    realtime: bool,
    timing: bool,
    save: Path | None,
    act: bool,
    explain: bool,
    offline: bool,
    loaded: Loaded[EdgeSettings],
) -> None:
    """Answer what is spoken in files, on standard input (-) or into the microphone.

    FILE is WAV, FLAC or OGG of any rate; standard input may also be raw PCM (16 kHz, mono, signed 16 bit).

    \b
    Exit status: 0  everything was read and answered (silence, too)
                 2  input or settings that cannot be used; the rest was answered
                 3  speech was found that nobody could answer

    \b
    Example:
      parrotlet-edge test question.wav
      parrotlet-edge test --json *.flac > answers.jsonl
      parrotlet-edge test --timing *.flac
      parrotlet-edge test --offline command.wav
      arecord -q -r 16000 -f S16_LE -d 5 | parrotlet-edge test -
    """
    if bool(files) == microphone:
        raise click.UsageError("Give FILEs, - for standard input, or --microphone.")
    from edge.trial.try_out import Asked, Shown, try_out

    asked = Asked(microphone=microphone, realtime=realtime or timing, offline=offline, act=act, explain=explain)
    sys.exit(try_out(loaded, files, asked, Shown(as_json=as_json, timing=timing, save=save)))


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
      parrotlet-edge run --page 0.0.0.0:7408
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
@options.with_settings(options.PAGE, options.CLOUD, options.HEARING, options.STATE)
def page(loaded: Loaded[EdgeSettings]) -> None:
    """Serve the page for phones of people who have no board, beside a service, until SIGTERM or Ctrl-C.

    Each phone that is paired is a board of its own to the service: it sees what was said into it, and nothing of
    others. A board serves a page of its own: parrotlet-edge run --page.

    \b
    Example:
      parrotlet-edge page --listen 0.0.0.0:7408 --cloud 127.0.0.1:7407
    """
    from edge.page.visiting import serve_page

    try:
        serve_page(loaded)
    except DaemonError as error:
        click.echo(str(error), err=True)
        sys.exit(DIED)


@main.command()
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


main.add_command(actions)
main.add_command(feedback)
main.add_command(forget)
main.add_command(spool)
main.add_command(enrol)
main.add_command(locate)
main.add_command(renew)
main.add_command(services)
main.add_command(pair)
main.add_command(phones)
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
