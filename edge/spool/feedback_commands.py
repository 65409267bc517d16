"""parrotlet-edge feedback: what a person says of an answer, without the page."""

import sys
from typing import Literal

import click

from common.settings import Loaded
from edge import options
from edge.settings import EdgeSettings

NOT_YET = 3


@click.group()
def feedback() -> None:
    """Say whether an answer was right, for the services to learn from.

    \b
    Example:
      parrotlet-edge feedback give --said "play chess"
      parrotlet-edge feedback list
    """


@feedback.command()
@click.argument("id_", metavar="[ID]", required=False)
@click.option("--right", "verdict", flag_value="right", help="The answer is what was wanted.")
@click.option("--wrong", "verdict", flag_value="wrong", help="It is not.")
@click.option("--said", metavar="TEXT", help="What was said.")
@click.option("--meant", metavar="RESULT", help="Id of the result that was meant.")
@options.with_settings(options.STATE, options.CLOUD)
def give(
    id_: str | None,
    verdict: Literal["right", "wrong"] | None,
    said: str | None,
    meant: str | None,
    loaded: Loaded[EdgeSettings],
) -> None:
    """Say something of the answer to an utterance, the latest one if no ID is given. The last word counts.

    An ID may be cut short, as long as only one utterance begins so.

    \b
    Exit status: 0  kept, and the services were told
                 2  not kept
                 3  kept; a service is told as soon as the daemon reaches it

    \b
    Example:
      parrotlet-edge feedback give --wrong
      parrotlet-edge feedback give 0193a6f2 --said "play chess"
    """
    if verdict is None and said is None and meant is None:
        raise click.UsageError("Say what: --right, --wrong, --said or --meant.")
    from edge.asking.services import chain_of
    from edge.spool.bringing import bring
    from edge.spool.giving import given
    from edge.spool.kept_list import opened

    with opened(loaded) as store:
        chain = chain_of(loaded)
        feedback = given(store, id_, verdict, said, meant)
        with store.transaction():
            store.give(feedback, [member.path for member in chain.keepers])
        _, why_not = bring(store, chain)
    click.echo(f"Kept, on {feedback.utterance_id}.")
    if why_not is not None:
        click.echo(f"The service is told as soon as the daemon reaches it. {why_not}", err=True)
        sys.exit(NOT_YET)


@feedback.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@options.with_settings(options.STATE)
def list_(as_json: bool, loaded: Loaded[EdgeSettings]) -> None:
    """List what was said of answers, in the order in which it came.

    \b
    Example:
      parrotlet-edge feedback list
    """
    import msgspec

    from common.plain_text import plain
    from edge.spool.giving import line
    from edge.spool.kept_list import opened

    with opened(loaded) as store:
        said = store.debts.feedback()
    for one in said:
        click.echo(msgspec.json.encode(one).decode() if as_json else plain(line(one)))
    if not said and not as_json:
        click.echo("Nothing was said of any answer.", err=True)
