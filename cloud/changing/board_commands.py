"""parrotlet-cloud models boards: models that boards run themselves, offered to some, to all, taken back."""

import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cloud.options import config_option, json_option, load_settings, why_option

if TYPE_CHECKING:
    from cloud.changing.board_operations import BoardOperations, Offered
    from cloud.changing.rollout import Rollout

# What a command needs is imported in it, for the same reason as in __main__.

_share = click.option(
    "--share",
    type=click.FloatRange(0.01, 1),
    default=1.0,
    show_default=True,
    help="Of the boards, always the same ones; 1: all of them.",
)


@click.group()
def boards() -> None:
    """Offer boards models that they run themselves. Each board tries one before it answers by it, and beside the cloud
    after that; one that is worse than what it had goes back by itself.

    \b
    Example:
      parrotlet-cloud models boards offer ./home-v2 --share 0.2 --why "knows the new lamps"
      parrotlet-cloud models boards list
    """


@boards.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@_share
@why_option
@config_option
def offer(folder: Path, share: float, why: str, config_file: Path | None) -> None:
    """Offer boards a model: DIR holds model.tflite and card.json, and is copied.

    Boards whose local.model is the name in its card take it.

    \b
    Example:
      parrotlet-cloud models boards offer ./home-v2 --share 0.2 --why "knows the new lamps"
    """
    _say(_operations(config_file).offer(folder, share, why))


@boards.command()
@click.argument("name")
@_share
@why_option
@config_option
def widen(name: str, share: float, why: str, config_file: Path | None) -> None:
    """Offer a larger share of the boards what some are offered already.

    \b
    Example:
      parrotlet-cloud models boards widen home-v1 --why "kept by 19 of 20 boards"
    """
    _say(_operations(config_file).widen(name, share, why))


@boards.command()
@click.argument("name")
@why_option
@config_option
def withdraw(name: str, why: str, config_file: Path | None) -> None:
    """Take back the last step: what is offered to some boards, else what is offered to all.

    Boards that run it already go back to the model before.

    \b
    Example:
      parrotlet-cloud models boards withdraw home-v1 --why "hears every door as a command"
    """
    step = _operations(config_file).withdraw(name, why)
    click.echo(f"{step.candidate} is withdrawn; boards are offered {step.serves or 'nothing in its place'}.")
    _tell_when()


@boards.command("list")
@json_option
@config_option
def list_(as_json: bool, config_file: Path | None) -> None:
    """Tell what boards are offered.

    \b
    Example:
      parrotlet-cloud models boards list
    """
    import msgspec

    all_offered = _operations(config_file).offered()
    for offered in all_offered:
        click.echo(msgspec.json.encode(offered) if as_json else "\n".join(_lines(offered)))
    if not all_offered:
        click.echo("Boards are offered nothing.", err=True)


@boards.command()
@click.argument("name", required=False)
@json_option
@config_option
def history(name: str | None, as_json: bool, config_file: Path | None) -> None:
    """Tell what was offered and taken back: when, by whom, and why.

    \b
    Example:
      parrotlet-cloud models boards history
    """
    import msgspec

    from cloud.changing.listing import done

    steps = _operations(config_file).history(name)
    for step in steps:
        if as_json:
            click.echo(msgspec.json.encode(step))
        else:
            when = datetime.datetime.fromtimestamp(step.at_unix_us / 1e6)
            click.echo(f"{when:%Y-%m-%d %H:%M}  {step.who}  {done(step)}: {step.why}")
    if not steps:
        click.echo("Nothing was offered yet.", err=True)


def _operations(config_file: Path | None) -> "BoardOperations":
    from cloud.changing.board_operations import BoardOperations

    return BoardOperations(load_settings(config_file, {}).settings)


def _lines(offered: "Offered") -> list[str]:
    some, everybody = offered.for_some, offered.for_all
    return [
        f"{offered.name}: {everybody.what if everybody else 'nothing'} is offered to all boards",
        *([f"  {some.candidate} to {some.share:.0%} of them"] if some else []),
    ]


def _say(rollout: "Rollout") -> None:
    whom = "all boards" if rollout.state == "promoted" else f"{rollout.share:.0%} of the boards"
    click.echo(f"{rollout.candidate} is offered to {whom}.")
    _tell_when()


def _tell_when() -> None:
    click.echo("A service that is running notices within seconds; boards ask every quarter of an hour.", err=True)
