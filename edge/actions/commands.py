"""parrotlet-edge actions: what was done, and trying out what would be."""

import secrets
import sys
import time

import click

from common.plain_text import plain
from common.settings import Loaded
from edge import options
from edge.settings import EdgeSettings

NOT_DONE = 3


@click.group()
def actions() -> None:
    """See what was done of what was said, and try out the settings under [actions] and [mqtt].

    \b
    Example:
      parrotlet-edge actions list
      parrotlet-edge actions try --dry-run light.on room=kitchen
    """


@actions.command("list")
@click.option("--json", "as_json", is_flag=True, help="As JSON, a line an entry.")
@click.option("--number", type=click.IntRange(min=1), default=50, show_default=True, help="How many, the newest.")
@options.with_settings(options.STATE)
def list_(as_json: bool, number: int, loaded: Loaded[EdgeSettings]) -> None:
    """List what was done, when, by what, and what came of it; the newest last.

    \b
    Example:
      parrotlet-edge actions list
      parrotlet-edge actions list --json --number 1000
    """
    import json

    from edge.actions.action_lines import entry_lines, logged, why_none

    with logged(loaded) as log:
        entries = log.entries(number) if log else []
    for line in [json.dumps(entry._asdict()) for entry in entries] if as_json else entry_lines(entries):
        click.echo(line)
    if not entries and not as_json:
        click.echo(why_none(loaded), err=True)


@actions.command("try")
@click.argument("name")
@click.argument("values", nargs=-1, metavar="[KEY=VALUE]...")
@click.option("--dry-run", is_flag=True, help="Tell what would be done.")
@options.with_settings()
def try_(name: str, values: tuple[str, ...], dry_run: bool, loaded: Loaded[EdgeSettings]) -> None:
    """Do the action NAME as if it had been said, with values for its slots. It is not put into the log.

    \b
    Exit status: 0  done
                 2  settings that cannot be used
                 3  not done, or nothing wants such an action

    \b
    Example:
      parrotlet-edge actions try light.on room=kitchen
    """
    from edge.actions.action import Action
    from edge.actions.trying import Trying
    from edge.device_id import device_id

    pairs = [value.partition("=") for value in values]
    if bad := [key for key, equals, _ in pairs if not (key and equals)]:
        raise click.UsageError(f"{bad[0]!r} is no KEY=VALUE.")
    action = Action(
        utterance_id=f"try-{secrets.token_hex(8)}",
        device_id=device_id(loaded.settings.device.id),
        name=name,
        spoken_at_unix_us=time.time_ns() // 1000,
        values={key: value for key, _, value in pairs},
    )
    with Trying(loaded.settings, dry_run=dry_run) as trying:
        tried = []
        for one in trying.run(action):
            click.echo(plain(f"{one.sink}: {one.sentence}"))
            tried.append(one)
    if not tried:
        click.echo(f"Nothing wants {name}; see actions.webhooks, actions.programs and mqtt in the settings.", err=True)
    if not tried or not all(one.done for one in tried):
        sys.exit(NOT_DONE)
