"""parrotlet-cloud label: somebody says of a few utterances whether they were answered right."""

import sqlite3
import time
import tomllib
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cloud.options import config_option, load_settings
from cloud.typist import typist
from common.errors import SettingsError

if TYPE_CHECKING:
    from cloud.labelling.label_desk import LabelDesk


@click.command()
@click.option("--as", "labeller", metavar="NAME", help="Who labels; else who is logged in.")
@click.option("--definition", type=click.Path(path_type=Path), help="The agreement: data-definition.toml.")
@click.option("--sound", type=click.Path(path_type=Path), help="Folder of kept sound, each called as its utterance.")
@click.option("--text", "wanted", metavar="WORDS", help="Rather those with these words; they count for no rate.")
@click.option("--list", "only_list", is_flag=True, help="Show how many wait, and what became of the others.")
@config_option
def label(
    labeller: str | None,
    definition: Path | None,
    sound: Path | None,
    wanted: str | None,
    only_list: bool,
    config_file: Path | None,
) -> None:
    """Say of a few utterances whether their answer was right: half of them drawn from all alike, half from those that
    the service was unsure of. What you say is kept as feedback, by "label.NAME".

    \b
    Example:
      parrotlet-cloud label --as ann --definition data-definition.toml
      parrotlet-cloud label --text corona
    """
    from cloud.labelling.label_desk import LabelDesk
    from cloud.labelling.label_queue import FILE_NAME as QUEUE_NAME
    from cloud.labelling.label_queue import LabelQueue
    from cloud.labelling.label_session import labeller_named
    from cloud.log.answer_log import FILE_NAME
    from cloud.log.answer_store import AnswerStore
    from cloud.log.reader import LogReader

    settings = load_settings(config_file, {}).settings
    name = labeller_named(labeller or typist())
    agreed = {} if definition is None else _agreed(definition)
    directory = settings.storage.state_dir
    if not (directory / FILE_NAME).exists():
        raise SettingsError(f"There is no answers' log at {directory / FILE_NAME}.")
    try:
        with (
            closing(AnswerStore(directory / FILE_NAME)) as store,
            closing(LogReader(directory / FILE_NAME)) as reader,
            closing(LabelQueue(directory / QUEUE_NAME)) as queue,
        ):
            desk = LabelDesk(store, reader, queue, settings.drift.labels_a_day, settings.storage.answers_max, sound)
            desk.draw(time.time_ns() // 1000)
            if only_list:
                for line in (*desk.summary(), desk.needs()):
                    click.echo(line)
                return
            click.echo(desk.needs())
            _ask(desk, name, agreed, wanted)
    except (sqlite3.Error, OSError) as error:
        raise SettingsError(f"{directory}: the log cannot be used ({error}); try sudo.") from error


def _ask(desk: "LabelDesk", name: str, agreed: Mapping[str, bool], wanted: str | None) -> None:
    """Until nothing waits, or they have enough."""
    from cloud.labelling.label_session import HELP, lines, request

    waiting = desk.waiting() if wanted is None else desk.with_words(wanted)
    if not waiting:
        click.echo("Nothing waits for a label." if wanted is None else "Nothing like that is in the log.")
        return
    click.echo(HELP)
    for number, shown in enumerate(waiting, 1):
        click.echo(f"\n{number} of {len(waiting)}")
        for line in lines(shown):
            click.echo(line)
        while True:
            try:
                typed = click.prompt("  label", prompt_suffix="> ", type=str).strip()
            except click.Abort:
                # The end of the input: whoever had enough.
                click.echo()
                return
            now_unix_us = time.time_ns() // 1000
            results, choices = len(shown.final.results), len(shown.final.choices)
            if typed == "q":
                return
            if typed in ("s", "c"):
                desk.settle(shown, "skipped" if typed == "s" else "unclear", name, now_unix_us)
            elif typed in ("r", "w"):
                desk.take(shown, request(shown, name, now_unix_us, verdict=typed == "r"), name, now_unix_us)
            elif typed.isdecimal() and 1 <= int(typed) <= results:
                desk.take(shown, request(shown, name, now_unix_us, result=int(typed) - 1), name, now_unix_us)
            elif typed in ("a", "b") and "ab".index(typed) < choices:
                desk.take(shown, request(shown, name, now_unix_us, choice="ab".index(typed)), name, now_unix_us)
            elif typed == "t" or typed.startswith("t "):
                if (text := _text(typed[1:].strip(), agreed)) is None:
                    continue
                desk.take(shown, request(shown, name, now_unix_us, text=text), name, now_unix_us)
            else:
                click.echo(HELP)
                continue
            break


def _text(text: str, agreed: Mapping[str, bool]) -> str | None:
    """What was said, as it is to be written; None: they want to choose again."""
    from cloud.feedback import TRANSCRIPT_LENGTH_MAX
    from cloud.labelling.label_session import against_agreement

    while True:
        text = text or click.prompt("  said", prompt_suffix="> ", type=str).strip()
        if len(text) > TRANSCRIPT_LENGTH_MAX:
            click.echo(f"  That has {len(text)} characters; {TRANSCRIPT_LENGTH_MAX} is the most.")
            return None
        faults = against_agreement(text, agreed)
        if not faults:
            return text
        for fault in faults:
            click.echo(f"  {fault}")
        if click.confirm("  Keep it all the same?", default=False):
            return text
        text = ""


def _agreed(file: Path) -> dict[str, bool]:
    from cloud.outcomes.convention import agreed_of

    try:
        return agreed_of(tomllib.loads(file.read_text(encoding="utf-8")))
    except OSError as error:
        raise SettingsError(f"{file}: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, AttributeError) as error:
        raise SettingsError(f"{file}: is no data definition ({error}).") from error
