"""The commands for candidates, the same for weights and for domains: tried, promoted, taken back, told of."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from cloud.options import config_option, json_option, load_settings, why_option

if TYPE_CHECKING:
    from cloud.changing.gate import Rules
    from cloud.changing.operations import Operations
    from cloud.changing.rollout import Kind, Rollout, Subject

# What a command needs is imported in it, for the same reason as in __main__.

F = TypeVar("F", bound=Callable[..., Any])

SEEN_POINTS = 5.0

_share = click.option(
    "--share",
    type=click.FloatRange(0.01, 0.9),
    default=0.2,
    show_default=True,
    help="Of the boards, always the same ones.",
)
_automatic = click.option("--automatic", is_flag=True, help="Promoted as soon as the gate lets it through.")
_anyway = click.option("--anyway", is_flag=True, help="Though the gate does not let it through.")
_points = click.option(
    "--see",
    type=click.FloatRange(0.1, 100),
    default=SEEN_POINTS,
    show_default=True,
    help="Tell how many utterances it takes to see a difference of so many points.",
)


def candidate_group(kind: "Kind", helps: Mapping[str, str]) -> click.Group:
    """All of them for one kind, "model" or "domain". `helps` by their names; the group's own under its name."""
    group = click.Group(f"{kind}s", help=helps[f"{kind}s"])
    _add_trying(group, kind, helps)
    _add_deciding(group, kind, helps)
    _add_telling(group, kind, helps)
    return group


def _add_trying(group: click.Group, kind: "Kind", helps: Mapping[str, str]) -> None:
    is_model = kind == "model"

    @group.command(help=helps["shadow"])
    @click.argument("candidate", metavar="NAME" if is_model else "DIR")
    @_margins
    @_automatic
    @why_option
    @config_option
    def shadow(
        candidate: str, margin: float, slice_margin: float, automatic: bool, why: str, config_file: Path | None
    ) -> None:
        begin = _begin(_operations(config_file), kind)
        _say(begin(candidate, 0.0, why, _rules(margin, slice_margin), automatic=automatic))

    @group.command(help=helps["canary"])
    @click.argument("candidate", metavar="[NAME]" if is_model else "NAME|DIR", required=not is_model)
    @_share
    @_margins
    @_automatic
    @why_option
    @config_option
    def canary(
        candidate: str | None,
        share: float,
        margin: float,
        slice_margin: float,
        automatic: bool,
        why: str,
        config_file: Path | None,
    ) -> None:
        operations = _operations(config_file)
        tried = _tried(operations, kind, candidate)
        if tried is not None:
            _say(operations.canary(tried, share, why, automatic=automatic))
        else:
            begin = _begin(operations, kind)
            _say(begin(candidate, share, why, _rules(margin, slice_margin), automatic=automatic))


def _add_deciding(group: click.Group, kind: "Kind", helps: Mapping[str, str]) -> None:
    @group.command(help=helps["promote"])
    @_subject_argument(kind)
    @_anyway
    @why_option
    @config_option
    def promote(anyway: bool, why: str, config_file: Path | None, name: str = "") -> None:
        from cloud.changing.rollout import called

        promoted = _operations(config_file).promote(_subject(kind, name), why, anyway=anyway)
        click.echo(f"{called(promoted.candidate)} serves.")
        _tell_when()

    @group.command(help=helps["rollback"])
    @_subject_argument(kind)
    @why_option
    @config_option
    def rollback(why: str, config_file: Path | None, name: str = "") -> None:
        from cloud.changing.rollout import called

        step = _operations(config_file).rollback(_subject(kind, name), why)
        serves = called(step.serves) if step.serves else "what the settings say"
        click.echo(f"{called(step.candidate)} is returned; {serves} serves.")
        _tell_when()


def _add_telling(group: click.Group, kind: "Kind", helps: Mapping[str, str]) -> None:
    @group.command("list", help=helps["list"])
    @_points
    @json_option
    @config_option
    def list_(see: float, as_json: bool, config_file: Path | None) -> None:
        import msgspec

        from cloud.changing.listing import told_lines

        for told in _operations(config_file).told(kind, see / 100):
            click.echo(msgspec.json.encode(told) if as_json else "\n".join(told_lines(told, see / 100)))

    @group.command(help=helps["history"])
    @_subject_argument(kind, required=False)
    @json_option
    @config_option
    def history(as_json: bool, config_file: Path | None, name: str | None = None) -> None:
        import msgspec

        from cloud.changing.listing import step_lines

        steps = _operations(config_file).history(kind, name)
        for step in steps:
            click.echo(msgspec.json.encode(step) if as_json else "\n".join(step_lines(step)))
        if not steps:
            click.echo("Nothing was changed yet.", err=True)


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


def _subject_argument(kind: "Kind", *, required: bool = True) -> Callable[[F], F]:
    """A domain's name; of models there is but one subject."""
    return (lambda command: command) if kind == "model" else click.argument("name", required=required)


def _subject(kind: "Kind", name: str) -> "Subject":
    from cloud.changing.operations import WHISPER_SUBJECT
    from cloud.changing.rollout import Subject

    return WHISPER_SUBJECT if kind == "model" else Subject(kind, name)


def _tried(operations: "Operations", kind: "Kind", candidate: str | None) -> "Subject | None":
    """Whose candidate it is that is being tried already: of weights the same or none named, else a domain's name."""
    subject = _subject(kind, candidate or "")
    tried = operations.candidate(subject)
    if kind == "model":
        return subject if candidate in (None, tried) else None
    return None if tried is None else subject


def _operations(config_file: Path | None) -> "Operations":
    from cloud.changing.operations import Operations

    return Operations(load_settings(config_file, {}).settings)


def _begin(operations: "Operations", kind: "Kind") -> Callable[..., "Rollout"]:
    return operations.begin_model if kind == "model" else operations.begin_domain


def _rules(margin: float, slice_margin: float) -> "Rules":
    from cloud.changing.gate import Rules

    return Rules(margin=margin, slice_margin=slice_margin)


def _say(rollout: "Rollout") -> None:
    from cloud.changing.rollout import called

    does = f"answers {rollout.share:.0%} of the boards" if rollout.state == "canary" else "is in the shadow"
    click.echo(f"{called(rollout.candidate)} {does}.")
    _tell_when()


def _tell_when() -> None:
    click.echo("A service that is running notices within seconds.", err=True)
