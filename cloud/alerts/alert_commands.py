"""parrotlet-cloud alerts: what the service told of changes, and what its owner thinks of it."""

import time
from datetime import datetime, timedelta
from pathlib import Path

import click

from cloud.alerts.alerts import FILE_NAME, Alert, AlertBook, Judgement, accept, find, judge, precision, snooze
from cloud.options import config_option, load_settings
from common.errors import SettingsError
from common.record import Record

LEARNING_MAX = 5
"""Boards that are named."""

_number = click.argument("number", type=click.IntRange(min=1))


@click.group(invoke_without_command=True)
@click.option("--all", "every", is_flag=True, help="Also those that are over.")
@config_option
@click.pass_context
def alerts(context: click.Context, every: bool, config_file: Path | None) -> None:
    """List what has changed and stands: once a cause, the newest last.

    \b
    Example:
      parrotlet-cloud alerts --all
    """
    if context.invoked_subcommand is not None:
        return
    book = _record(config_file).read()
    shown = [one for one in book.alerts if every or one.state == "standing"]
    for one in shown:
        click.echo(_line(one))
        for opinion in one.before if every else ():
            click.echo(f"      thought until {_moment(opinion.until_unix_us)}: {opinion.sentence}")
    if not shown:
        click.echo("Nothing has changed." if not every else "Nothing ever changed.", err=True)
    if not every and (sentence := _learning(config_file)):
        click.echo(sentence, err=True)
    right, judged = precision(book.alerts)
    if every and judged:
        click.echo(f"{right} of the {judged} that somebody looked at were right.")


@alerts.command(name="snooze")
@_number
@click.option("--hours", type=click.FloatRange(min=0.1, max=24 * 365), default=24.0, show_default=True)
@config_option
def snooze_command(number: int, hours: float, config_file: Path | None) -> None:
    """Be told nothing of the cause of alert NUMBER for a time.

    \b
    Example:
      parrotlet-cloud alerts snooze 7 --hours 72
    """
    until = datetime.now() + timedelta(hours=hours)
    with _record(config_file).change() as book:
        alert = _known(book, number)
        snooze(book, alert.cause, alert.where, round(until.timestamp() * 1e6))
    click.echo(f"Nothing is told of it until {until:%Y-%m-%d %H:%M}.")


@alerts.command()
@_number
@config_option
def right(number: int, config_file: Path | None) -> None:
    """Say that alert NUMBER was one.

    \b
    Example:
      parrotlet-cloud alerts right 7
    """
    _judge(number, "right", config_file)


@alerts.command()
@_number
@config_option
def wrong(number: int, config_file: Path | None) -> None:
    """Say that alert NUMBER was none: nothing had changed, or another thing.

    \b
    Example:
      parrotlet-cloud alerts wrong 7
    """
    _judge(number, "wrong", config_file)


@alerts.command(name="accept")
@_number
@config_option
def accept_command(number: int, config_file: Path | None) -> None:
    """Say that what alert NUMBER told is to stay: a board has another place, or another microphone.

    What is usual there is learnt anew, from two weeks or 500 utterances; nothing is told of it until then. Of a group
    it is, and of those of its boards that have changed as well.

    \b
    Example:
      parrotlet-cloud alerts accept 7
    """
    with _record(config_file).change() as book:
        alert = _known(book, number)
        if accept(book, number, time.time_ns() // 1000) is None:
            why = "is over" if alert.state == "over" else "is of a word, or of what is right: put the domain right"
            raise SettingsError(f"Alert {number} {why}.")
    click.echo(f"What is usual of {alert.where} is learnt anew; nothing is told of it until then.")


@alerts.command()
@config_option
def test(config_file: Path | None) -> None:
    """Tell everybody who is told of alerts that this is a test.

    \b
    Example:
      parrotlet-cloud alerts test
    """
    from cloud.alerts.alert_sinks import sinks_of
    from cloud.alerts.alerts import Told
    from common.errors import ActionError

    settings = load_settings(config_file, {}).settings.alerts
    told = Told("test", 0, "test", "", "This is a test; nothing has changed.", "", time.time_ns() // 1000)
    faults = []
    for sink in sinks_of(settings):
        try:
            sink.tell(told)
        except ActionError as error:
            faults.append(str(error))
        else:
            click.echo(f"{sink.name}: told.")
    if faults:
        raise SettingsError("\n".join(faults))


def _record(config_file: Path | None) -> Record[AlertBook]:
    directory = load_settings(config_file, {}).settings.storage.state_dir
    if not directory.is_dir():
        raise SettingsError(f"There is no service's folder at {directory}.")
    return Record(directory / FILE_NAME, AlertBook)


def _learning(config_file: Path | None) -> str:
    """Of which boards nobody would be told yet; "": of none."""
    from cloud.drift.following import FILE_NAME as DRIFT_FILE
    from cloud.drift.state import learning

    settings = load_settings(config_file, {}).settings
    if not settings.drift.watch:
        return "Nothing is watched: drift.watch."
    boards = learning(settings.storage.state_dir / DRIFT_FILE)
    more = f" and {len(boards) - LEARNING_MAX} more" if len(boards) > LEARNING_MAX else ""
    return f"Of {', '.join(boards[:LEARNING_MAX])}{more} it is not known yet what is usual." if boards else ""


def _known(book: AlertBook, number: int) -> Alert:
    alert = find(book, number)
    if alert is None:
        raise SettingsError(f"There is no alert {number}; `parrotlet-cloud alerts --all` lists them.")
    return alert


def _judge(number: int, judgement: Judgement, config_file: Path | None) -> None:
    with _record(config_file).change() as book:
        _known(book, number)
        judge(book, number, judgement)
    click.echo(f"Alert {number} was {judgement}.")


def _line(alert: Alert) -> str:
    when = _moment(alert.began_unix_us)
    over = "" if alert.over_unix_us is None else f", over {_moment(alert.over_unix_us)}"
    judged = f", {alert.judged}" if alert.judged else ""
    until_us = alert.snoozed_until_unix_us or 0
    snoozed = f", snoozed until {_moment(until_us)}" if until_us > time.time_ns() // 1000 else ""
    command = f"\n      {alert.command}" if alert.command else ""
    return f"{alert.number:>4}  {when}{over}{judged}{snoozed}  {alert.where or 'all'}: {alert.sentence}{command}"


def _moment(unix_us: int) -> str:
    return datetime.fromtimestamp(unix_us / 1e6).strftime("%Y-%m-%d %H:%M")
