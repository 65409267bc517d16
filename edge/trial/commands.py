"""parrotlet-edge test: what is spoken in files, on standard input or into the microphone, answered."""

import sys
from pathlib import Path

import click

from common.settings import Loaded
from edge import options
from edge.settings import EdgeSettings

# What a command needs is imported in it, for the same reason as in __main__.


@click.command()
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
