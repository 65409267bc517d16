"""parrotlet-cloud log: the utterance log, looked at, copied and put back."""

import sqlite3
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import click
import msgspec

from cloud.log.answer_log import FILE_NAME
from cloud.log.answer_store import AnswerStore
from cloud.options import config_option, load_settings
from common.commands import MOMENT
from common.errors import SettingsError
from common.private_files import private_directory, write_private

BUSY_S_MAX = 10.0
"""How long a log that somebody writes to is waited for."""

_again = click.option("--again", is_flag=True, help="Replace what is there.")
_file = click.argument("file", type=click.Path(path_type=Path))


@click.group()
def log() -> None:
    """Look at the log of what was heard, answered, and said of answers; copy it, and put it back.

    \b
    Example:
      parrotlet-cloud log query --device kitchen --limit 5
    """


def _wanted_options(command: Callable[..., None]) -> Callable[..., None]:
    for option in (
        click.option("--judged/--not-judged", default=None, help="Somebody said something of it, or nobody."),
        click.option("--empty/--with-words", default=None, help="Without a word, or with some."),
        click.option("--snr-max", type=float, metavar="DB", help="Speech over noise of at most so much."),
        click.option("--confidence-max", type=click.FloatRange(0, 1), metavar="SHARE", help="At most so sure."),
        click.option("--domain", metavar="NAME", help="Asked in this domain."),
        click.option("--engine", metavar="NAME", help="Answered by this engine."),
        click.option("--intent", metavar="NAME", help="Understood as this."),
        click.option("--text", metavar="WORDS", help="With these words in its transcript."),
        click.option("--until", "until_unix_us", type=MOMENT, help="Spoken before then."),
        click.option("--since", "since_unix_us", type=MOMENT, help="Spoken from then on."),
        click.option("--device", "device_id", metavar="ID", help="Of this board."),
    ):
        command = option(command)
    return command


@log.command()
@_wanted_options
@click.option("--limit", type=click.IntRange(1, 100_000), default=20, show_default=True, help="So many, the newest.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object an utterance.")
@config_option
def query(limit: int, as_json: bool, config_file: Path | None, **wanted: Any) -> None:
    """List utterances: those that fit all that is given, the newest first.

    A TIME is such as 2026-11-24 or 2026-11-24T18:30, local where it says no zone.

    \b
    Example:
      parrotlet-cloud log query --device kitchen --confidence-max 0.5
      parrotlet-cloud log query --text "living room" --json
    """
    from cloud.log.lines import entry_line
    from cloud.log.reader import LogReader
    from cloud.log.wanted import Wanted

    with closing(LogReader(_log(config_file))) as reader:
        found = reader.newest(Wanted(**wanted), limit)
    for entry in found:
        if as_json:
            click.echo(msgspec.json.encode({"transcript": entry.transcript} | msgspec.to_builtins(entry.facts)))
        else:
            click.echo(entry_line(entry))
    if not found:
        click.echo("Nothing like that is in the log.", err=True)


@log.command()
@click.argument("utterance_id", metavar="UTTERANCE")
@click.option("--device", "device_id", metavar="ID", help="Of this board, where several had one of that id.")
@config_option
def show(utterance_id: str, device_id: str | None, config_file: Path | None) -> None:
    """Tell all that is kept of an utterance: when what came, what it was like, how it was read, what was found and what
    people said of it.

    \b
    Example:
      parrotlet-cloud log show 01JD3Z5W8Q
    """
    from cloud.log.lines import whole_lines
    from cloud.log.reader import LogReader

    with closing(LogReader(_log(config_file))) as reader:
        whole = reader.one(utterance_id, device_id)
    if whole is None:
        click.echo("No such utterance is in the log; `parrotlet-cloud log query` lists them.", err=True)
        sys.exit(1)
    for line in whole_lines(whole):
        click.echo(line)


@log.command()
@_file
@config_option
def backup(file: Path, config_file: Path | None) -> None:
    """Copy the utterance log to FILE, whole, also while the service runs. It tells what was said: keep it safe.

    \b
    Example:
      parrotlet-cloud log backup answers.backup
    """
    source = _existing_log(config_file)
    try:
        with closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)) as database:
            with closing(sqlite3.connect(":memory:")) as copy:
                database.backup(copy, progress=_patience())
                content = copy.serialize()
        write_private(file.absolute(), content)
    except (sqlite3.Error, OSError) as error:
        raise SettingsError(f"The utterance log cannot be copied to {file}: {error}.") from error
    click.echo(f"The utterance log is in {file}.")


@log.command()
@_again
@_file
@config_option
def restore(again: bool, file: Path, config_file: Path | None) -> None:
    """Put back what `backup` wrote. Utterances that were answered since are decoded again if they come again.

    \b
    Example:
      parrotlet-cloud log restore answers.backup
    """
    there = _log(config_file)
    if there.exists() and not again:
        raise SettingsError(f"There is an utterance log at {there}; --again replaces it.")
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as copy:
            ((sound,),) = copy.execute("PRAGMA quick_check(1)").fetchall()
            ((answers,),) = copy.execute("SELECT count(*) FROM answers").fetchall()
            if sound != "ok":
                raise SettingsError(f"{file} is damaged: {sound}.")
            if not there.exists():
                private_directory(there.parent)
                write_private(there, b"")
            with closing(sqlite3.connect(there, timeout=BUSY_S_MAX)) as database:
                copy.backup(database, progress=_patience())
            # It may be of an older release than the service, which may be running.
            AnswerStore(there).close()
    except (sqlite3.Error, OSError) as error:
        raise SettingsError(f"{file} cannot be put back as utterance log: {error}.") from error
    click.echo(f"The utterance log is back in {there}: {answers} answers.")


@log.command()
@_wanted_options
@_file
@config_option
def export(file: Path, config_file: Path | None, **wanted: Any) -> None:
    """Write what was answered, and what people said of it, to FILE as JSON lines, for `parrotlet-models import log`:
    everything, or what fits all that is given. What was drawn for a label (`parrotlet-cloud label`) says with which
    chance. It tells what was said: keep it safe.

    \b
    Example:
      parrotlet-cloud log export answers.jsonl
      parrotlet-cloud log export --judged --since 2026-11-01 judged.jsonl
    """
    from cloud.log.export_lines import log_lines
    from cloud.log.wanted import Wanted

    source = _existing_log(config_file)
    try:
        with closing(AnswerStore(source)) as store:
            chosen = Wanted(**wanted) if any(value is not None for value in wanted.values()) else None
            lines = list(log_lines(store, chosen, _chances(source.parent)))
        write_private(file.absolute(), b"".join(lines))
    except (sqlite3.Error, OSError) as error:
        raise SettingsError(f"The utterance log cannot be written to {file}: {error}.") from error
    click.echo(f"{len(lines)} utterances are in {file}.")


def _chances(state_dir: Path) -> Mapping[tuple[str, str], float]:
    """Of what was drawn for labels; nothing, where nobody ever drew."""
    from cloud.labelling.label_queue import FILE_NAME as QUEUE_NAME
    from cloud.labelling.label_queue import LabelQueue

    if not (state_dir / QUEUE_NAME).exists():
        return {}
    with closing(LabelQueue(state_dir / QUEUE_NAME)) as queue:
        return queue.chances()


def _patience() -> Callable[[int, int, int], None]:
    """For sqlite's backup, which tries for ever where somebody holds the database. TimeoutError."""
    until_s = time.monotonic() + BUSY_S_MAX

    def progress(status: int, remaining: int, total: int) -> None:
        if status in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED) and time.monotonic() > until_s:
            raise TimeoutError(f"somebody has held it for {BUSY_S_MAX:g} s")

    return progress


def _log(config_file: Path | None) -> Path:
    return load_settings(config_file, {}).settings.storage.state_dir / FILE_NAME


def _existing_log(config_file: Path | None) -> Path:
    file = _log(config_file)
    if not file.exists():
        raise SettingsError(f"There is no utterance log at {file}.")
    return file
