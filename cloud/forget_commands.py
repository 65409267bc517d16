"""parrotlet-cloud forget: erases answers for good, whether the service runs or not."""

import sqlite3
from contextlib import closing
from pathlib import Path

import click

from cloud.options import config_option, load_settings
from common.commands import MOMENT
from common.errors import SettingsError


@click.command()
@click.option("--device", metavar="ID", help="Of this board.")
@click.option("--utterance", metavar="ID", help="This utterance.")
@click.option("--since", type=MOMENT, help="Spoken from then on.")
@click.option("--until", type=MOMENT, help="Spoken before then.")
@click.option("--all", "every", is_flag=True, help="Of every board.")
@config_option
def forget(
    device: str | None,
    utterance: str | None,
    since: int | None,
    until: int | None,
    every: bool,
    config_file: Path | None,
) -> None:
    """Erase what the service keeps of utterances: those that fit all that is given.

    A TIME is such as 2026-11-24 or 2026-11-24T18:30, local where it says no zone. Copies that were made by `log backup`
    are not reached.

    \b
    Example:
      parrotlet-cloud forget --device kitchen --since 2026-11-24T18:00
    """
    from cloud.changing.shadow_store import forget_in_shadow
    from cloud.log.answer_log import FILE_NAME
    from cloud.log.answer_store import AnswerStore, Span

    chosen = device is not None or utterance is not None or since is not None or until is not None
    if chosen == every:
        raise click.UsageError("Say what: --device, --utterance, --since, --until; or --all.")
    file = load_settings(config_file, {}).settings.storage.state_dir / FILE_NAME
    if not file.exists():
        raise SettingsError(f"There is no utterance log at {file}.")
    try:
        with closing(AnswerStore(file)) as store:
            erased = store.forget(device, utterance, Span(since, until))
            forget_in_shadow(file.parent, device, utterance, Span(since, until))
            if not store.scrub(waits=True):
                raise SettingsError(f"{file}: somebody reads it; try again, so that no copy is left beside it.")
    except (sqlite3.Error, OSError) as error:
        raise SettingsError(f"{file}: cannot be used ({error}); try sudo.") from error
    click.echo(f"{erased} answers are erased.")
