"""parrotlet-cloud models and domains: a candidate in the shadow, before some boards, promoted, taken back."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from cloud.changing.board_commands import boards
from cloud.options import config_option, load_settings

if TYPE_CHECKING:
    from cloud.changing.gate import Rules
    from cloud.changing.operations import Operations
    from cloud.changing.rollout import Kind, Rollout, Subject

# What a command needs is imported in it, for the same reason as in __main__.

F = TypeVar("F", bound=Callable[..., Any])

SEEN_POINTS = 5.0

_why = click.option("--why", required=True, metavar="TEXT", help="Goes into the history, with who you are and when.")
_share = click.option(
    "--share",
    type=click.FloatRange(0.01, 0.9),
    default=0.2,
    show_default=True,
    help="Of the boards, always the same ones.",
)
_automatic = click.option("--automatic", is_flag=True, help="Promoted as soon as the gate lets it through.")
_anyway = click.option("--anyway", is_flag=True, help="Though the gate does not let it through.")
_as_json = click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
_points = click.option(
    "--see",
    type=click.FloatRange(0.1, 100),
    default=SEEN_POINTS,
    show_default=True,
    help="Tell how many utterances it takes to see a difference of so many points.",
)


def _margins(command: F) -> F:
    margin = click.option(
        "--margin",
        type=click.FloatRange(0, 0.5),
        default=0.0,
        show_default=True,
        help="Share of utterances that it may err more often; 0: it must be better.",
    )
    slice_margin = click.option(
        "--slice-margin",
        type=click.FloatRange(0.01, 0.5),
        default=0.05,
        show_default=True,
        help="It must be shown not to err so much more often, over that, in any slice.",
    )
    return margin(slice_margin(command))


@click.group()
def models() -> None:
    """Try other weights of Whisper beside those that serve, and change to them without fear.

    \b
    Example:
      parrotlet-cloud models shadow base --why "knows more languages"
      parrotlet-cloud models list
    """


@click.group()
def domains() -> None:
    """Try another version of a domain beside the one that serves, and change to it without fear.

    \b
    Example:
      parrotlet-cloud domains shadow ./next/coffee --why "the winter menu"
      parrotlet-cloud domains list
    """


@models.command(name="list")
@_points
@_as_json
@config_option
def list_models(see: float, as_json: bool, config_file: Path | None) -> None:
    """Tell which weights serve, which are tried, what their gate says, and how long it will take.

    \b
    Example:
      parrotlet-cloud models list --see 3
    """
    _list(_operations(config_file), "model", see, as_json=as_json)


@domains.command(name="list")
@_points
@_as_json
@config_option
def list_domains(see: float, as_json: bool, config_file: Path | None) -> None:
    """Tell which domains serve, which are tried, what their gate says, and how long it will take.

    \b
    Example:
      parrotlet-cloud domains list
    """
    _list(_operations(config_file), "domain", see, as_json=as_json)


@models.command(name="shadow")
@click.argument("name")
@_margins
@_automatic
@_why
@config_option
def shadow_model(
    name: str, margin: float, slice_margin: float, automatic: bool, why: str, config_file: Path | None
) -> None:
    """Have weights hear what those that serve answer: after and below them, answering nobody.

    NAME is as `parrotlet-cloud engines` lists them, and must be fetched.

    \b
    Example:
      parrotlet-cloud models shadow base --why "knows more languages"
    """
    _say(_operations(config_file).begin_model(name, 0.0, why, _rules(margin, slice_margin), automatic=automatic))


@domains.command(name="shadow")
@click.argument("folder", metavar="DIR")
@_margins
@_automatic
@_why
@config_option
def shadow_domain(
    folder: str, margin: float, slice_margin: float, automatic: bool, why: str, config_file: Path | None
) -> None:
    """Have a domain's next version understand what the one that serves answers, answering nobody.

    DIR is named like the domain, and is copied: what is edited in it afterwards is another candidate.

    \b
    Example:
      parrotlet-cloud domains shadow ./next/coffee --why "the winter menu"
    """
    _say(_operations(config_file).begin_domain(folder, 0.0, why, _rules(margin, slice_margin), automatic=automatic))


@models.command(name="canary")
@click.argument("name", required=False)
@_share
@_margins
@_automatic
@_why
@config_option
def canary_model(
    name: str | None,
    share: float,
    margin: float,
    slice_margin: float,
    automatic: bool,
    why: str,
    config_file: Path | None,
) -> None:
    """Have the candidate answer a share of the boards. It is returned by itself if it turns out to be worse.

    NAME is that of weights; without it, it is the one that is tried already, whose margins stay.

    \b
    Example:
      parrotlet-cloud models canary --share 0.2 --why "better in the shadow for a week"
    """
    operations = _operations(config_file)
    if name is None or name == operations.candidate(_whisper()):
        _say(operations.canary(_whisper(), share, why, automatic=automatic))
    else:
        _say(operations.begin_model(name, share, why, _rules(margin, slice_margin), automatic=automatic))


@domains.command(name="canary")
@click.argument("name", metavar="NAME|DIR")
@_share
@_margins
@_automatic
@_why
@config_option
def canary_domain(
    name: str, share: float, margin: float, slice_margin: float, automatic: bool, why: str, config_file: Path | None
) -> None:
    """Have a domain's candidate answer a share of the boards. It is returned by itself if it turns out to be worse.

    NAME is a domain whose candidate is in the shadow and keeps its margins; DIR is a new candidate.

    \b
    Example:
      parrotlet-cloud domains canary coffee --share 0.1 --why "better in the shadow"
    """
    operations = _operations(config_file)
    if operations.candidate(_domain(name)) is not None:
        _say(operations.canary(_domain(name), share, why, automatic=automatic))
    else:
        _say(operations.begin_domain(name, share, why, _rules(margin, slice_margin), automatic=automatic))


@models.command(name="promote")
@_anyway
@_why
@config_option
def promote_model(anyway: bool, why: str, config_file: Path | None) -> None:
    """Have the candidate serve from now on, if its gate lets it through.

    \b
    Example:
      parrotlet-cloud models promote --why "fewer errors, none of them new"
    """
    _promote(_operations(config_file), _whisper(), why, anyway=anyway)


@domains.command(name="promote")
@click.argument("name")
@_anyway
@_why
@config_option
def promote_domain(name: str, anyway: bool, why: str, config_file: Path | None) -> None:
    """Have a domain's candidate serve from now on, if its gate lets it through.

    \b
    Example:
      parrotlet-cloud domains promote coffee --why "the winter menu is on"
    """
    _promote(_operations(config_file), _domain(name), why, anyway=anyway)


@models.command(name="rollback")
@_why
@config_option
def rollback_model(why: str, config_file: Path | None) -> None:
    """Take back the last step: the candidate that is being tried, else the promotion.

    \b
    Example:
      parrotlet-cloud models rollback --why "it is slow in the evening"
    """
    _roll_back(_operations(config_file), _whisper(), why)


@domains.command(name="rollback")
@click.argument("name")
@_why
@config_option
def rollback_domain(name: str, why: str, config_file: Path | None) -> None:
    """Take back a domain's last step: the candidate that is being tried, else the promotion.

    \b
    Example:
      parrotlet-cloud domains rollback coffee --why "two drinks are missing"
    """
    _roll_back(_operations(config_file), _domain(name), why)


@models.command(name="history")
@_as_json
@config_option
def history_of_models(as_json: bool, config_file: Path | None) -> None:
    """Tell what was changed: when, by whom, why, and by which figures.

    \b
    Example:
      parrotlet-cloud models history
    """
    _history(_operations(config_file), "model", None, as_json=as_json)


@domains.command(name="history")
@click.argument("name", required=False)
@_as_json
@config_option
def history_of_domains(name: str | None, as_json: bool, config_file: Path | None) -> None:
    """Tell what was changed: when, by whom, why, and by which figures.

    \b
    Example:
      parrotlet-cloud domains history coffee
    """
    _history(_operations(config_file), "domain", name, as_json=as_json)


models.add_command(boards)


def _operations(config_file: Path | None) -> "Operations":
    from cloud.changing.operations import Operations

    return Operations(load_settings(config_file, {}).settings)


def _rules(margin: float, slice_margin: float) -> "Rules":
    from cloud.changing.gate import Rules

    return Rules(margin=margin, slice_margin=slice_margin)


def _whisper() -> "Subject":
    from cloud.changing.operations import WHISPER_SUBJECT

    return WHISPER_SUBJECT


def _domain(name: str) -> "Subject":
    from cloud.changing.rollout import Subject

    return Subject("domain", name)


def _say(rollout: "Rollout") -> None:
    if rollout.state == "canary":
        click.echo(f"{rollout.candidate} answers {rollout.share:.0%} of the boards.")
    else:
        click.echo(f"{rollout.candidate} is in the shadow.")
    click.echo("A service that is running notices within seconds.", err=True)


def _promote(operations: "Operations", subject: "Subject", why: str, *, anyway: bool) -> None:
    click.echo(f"{operations.promote(subject, why, anyway=anyway).candidate} serves.")
    click.echo("A service that is running notices within seconds.", err=True)


def _roll_back(operations: "Operations", subject: "Subject", why: str) -> None:
    step = operations.rollback(subject, why)
    click.echo(f"{step.candidate} is returned; {step.serves or 'what the settings say'} serves.")
    click.echo("A service that is running notices within seconds.", err=True)


def _list(operations: "Operations", kind: "Kind", see: float, *, as_json: bool) -> None:
    import msgspec

    from cloud.changing.listing import told_lines

    for told in operations.told(kind, see / 100):
        if as_json:
            click.echo(msgspec.json.encode(told))
        else:
            for line in told_lines(told, see / 100):
                click.echo(line)


def _history(operations: "Operations", kind: "Kind", name: str | None, *, as_json: bool) -> None:
    import msgspec

    from cloud.changing.listing import step_lines

    for step in operations.history(kind, name):
        if as_json:
            click.echo(msgspec.json.encode(step))
        else:
            for line in step_lines(step):
                click.echo(line)
