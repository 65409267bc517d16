"""parrotlet-models record: a person's own commands, said into the microphone."""

import select
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from common.errors import DataError

if TYPE_CHECKING:
    from edge.settings import EdgeSettings
    from edge.sound.source import Source

PATH = click.Path(path_type=Path)


@click.command()
@click.argument("folder", type=PATH)
@click.argument("commands", nargs=-1, metavar='["COMMAND"]...')
@click.option("--recipe", "file", type=PATH, help="The commands are those of this recipe.")
@click.option("--speaker", default="me", show_default=True, help="Who speaks.")
@click.option("--times", type=click.IntRange(1, 1000), default=5, show_default=True, help="Each so often.")
@click.option("--device", help="Microphone, as `parrotlet-edge devices` lists them; else as the board's settings say.")
@click.option("--input", "played", metavar="FILE", help="Play a file in place of the microphone.")
def record(
    folder: Path,
    commands: tuple[str, ...],
    file: Path | None,
    speaker: str,
    times: int,
    device: str | None,
    played: str | None,
) -> None:
    """Record commands of your own: each is shown, said, looked at, and kept in FOLDER/LABEL/ if it is good.

    Between them other words are asked for, which are no commands: a model has to know both from you. Speak as you will
    speak to the board, and from where. Enter skips one; Ctrl-C stops, and the same line goes on where it was. What is
    kept is what came from the microphone.

    \b
    Example:
      parrotlet-models record own/recordings --recipe own/recipe.toml --speaker ann
      parrotlet-models record own/recordings "lights on" "lights off" --times 10
    """
    from edge.console import Console
    from edge.speech.level import meter
    from models.own.wanted import UNKNOWN
    from models.recording.ears import Ears
    from models.recording.session import Session, plan
    from models.recording.takes import Takes

    phrases = _phrases(commands, file)
    takes = Takes(folder, speaker)
    counts = {label: len(takes.numbers(label)) for label in (*phrases, UNKNOWN)}
    asked = plan(phrases, _others(phrases, file), counts, times, speaker)
    settings = _settings(device)
    console = Console(sys.stdout)
    console.print(f"{speaker}: {len(asked)} to say. Enter skips, Ctrl-C stops; what is kept stays kept.")
    source = _source(played, settings)
    ears = Ears(source, settings, lambda reading: console.draw(meter(reading, console)), _enter_was_pressed)
    session = Session(takes, ears, console)
    whole = False
    try:
        whole = session.walk(asked) and session.room()
    finally:
        source.close()
        console.clear()
        console.print(f"{session.kept} kept in {folder}." + ("" if whole else " The same line goes on where it was."))


def _phrases(commands: tuple[str, ...], recipe: Path | None) -> dict[str, str]:
    """Texts by label. DataError if there are none."""
    from models.own.wanted import wanted
    from models.training.recipe import read_recipe

    if bool(commands) == (recipe is not None):
        raise click.UsageError("Say which commands, or give their --recipe.")
    if recipe is None:
        return {one.label: one.text for one in wanted(commands)}
    found = {label: command.text for label, command in read_recipe(recipe).commands.items()}
    if not found:
        raise DataError(f"{recipe}: has no commands.")
    return found


def _others(phrases: dict[str, str], recipe: Path | None) -> list[str]:
    """What is no command: what is nearly one, where the recipe's folder has it, and as much of what else people say."""
    from models.own import making
    from models.own.wanted import is_none_of, wanted

    commands = wanted(phrases.values())
    near_file = recipe.with_name(making.NEAR_FILE) if recipe else None
    nearly = making.lines(near_file) if near_file and near_file.exists() else []
    everyday = making.lines(making.RECIPES / making.EVERYDAY_FILE)
    others = [text for text in everyday if is_none_of(text, commands)]
    return [*nearly, *others[:: max(1, len(others) // max(1, len(nearly)))]]


def _settings(device: str | None) -> "EdgeSettings":
    """Those of this board."""
    from common.commands import settings_file
    from common.settings import load
    from edge.settings import ENVIRONMENT_PREFIX, SYSTEM_FILE, EdgeSettings

    file = settings_file(None, ENVIRONMENT_PREFIX, SYSTEM_FILE)
    options = {"microphone.device": device}
    return load(EdgeSettings, file=file, environment_prefix=ENVIRONMENT_PREFIX, options=options).settings


def _source(played: str | None, settings: "EdgeSettings") -> "Source":
    if played is not None:
        from edge.sound.audio_file import AudioFile

        return AudioFile(played)
    from edge.sound.capture import Microphone

    return Microphone(settings.microphone, must_exist=True)


def _enter_was_pressed() -> bool:
    """On a terminal, since it was last asked."""
    # None: closed by whoever started us.
    if sys.stdin is None or not sys.stdin.isatty() or not select.select([sys.stdin], [], [], 0)[0]:
        return False
    return bool(sys.stdin.readline())
