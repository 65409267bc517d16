"""parrotlet-edge spool: what is kept on the board, whether its daemon runs or not."""

from pathlib import Path

import click
import msgspec

from common.settings import Loaded
from edge import options
from edge.settings import EdgeSettings

_json = click.option("--json", "as_json", is_flag=True, help="As JSON.")
_ids = click.argument("ids", nargs=-1, metavar="ID...")
_all = click.option("--all", "every", is_flag=True, help="Every one.")


@click.group()
def spool() -> None:
    """Look at what was said and not answered yet, and see to it.

    An ID may be cut short, as long as only one utterance begins so.

    \b
    Example:
      parrotlet-edge spool status
      parrotlet-edge spool list
    """


@spool.command()
@_json
@options.with_settings(options.STATE)
def status(as_json: bool, loaded: Loaded[EdgeSettings]) -> None:
    """Tell how much is kept.

    \b
    Example:
      parrotlet-edge spool status
    """
    import json

    from edge.spool.kept_list import opened, status_lines

    with opened(loaded) as store:
        figures, answers = store.figures(), len(store.event_numbers())
    click.echo(
        json.dumps(figures._asdict() | {"answers": answers}) if as_json else "\n".join(status_lines(figures, answers))
    )


@spool.command("list")
@_json
@options.with_settings(options.STATE)
def list_(as_json: bool, loaded: Loaded[EdgeSettings]) -> None:
    """List what is kept, the oldest first.

    \b
    Example:
      parrotlet-edge spool list
    """
    import json

    from edge.spool.kept_list import described, list_lines, opened

    with opened(loaded) as store:
        kept = store.kept()
    for line in [json.dumps(described(one)) for one in kept] if as_json else list_lines(kept):
        click.echo(line)
    if not kept and not as_json:
        click.echo("Nothing is kept: all that was said has been answered.", err=True)


@spool.command()
@click.argument("id_", metavar="ID")
@_json
@options.with_settings(options.STATE)
def show(id_: str, as_json: bool, loaded: Loaded[EdgeSettings]) -> None:
    """Show all that is known of an utterance, and what its user was told.

    \b
    Example:
      parrotlet-edge spool show 0193a6f2
    """
    import json

    from edge.spool.kept_list import chosen, described, opened, show_lines

    with opened(loaded) as store:
        (one,) = chosen(store, [id_], every=False, states=())
        events = [event for _, event in store.events() if event.utterance_id == one.head.utterance_id]
    if as_json:
        click.echo(json.dumps(described(one) | {"events": msgspec.to_builtins(events)}))
    else:
        click.echo("\n".join(show_lines(one, events)))


@spool.command()
@click.argument("folder", type=click.Path(path_type=Path))
@_ids
@_all
@options.with_settings(options.STATE)
def export(folder: Path, ids: tuple[str, ...], every: bool, loaded: Loaded[EdgeSettings]) -> None:
    """Copy utterances to FOLDER: ID.json, and ID.npy with the levels of its frames.

    Speech can be made of frames again: treat the copies as recordings.

    \b
    Example:
      parrotlet-edge spool export ./kept --all
    """
    from edge.spool import kept_list

    _some(ids, every)
    with kept_list.opened(loaded) as store:
        found = kept_list.chosen(store, ids, every=every, states=())
        for one in found:
            kept_list.export(store, one, folder)
    click.echo(f"{len(found)} utterances are in {folder}")


@spool.command()
@_ids
@_all
@options.with_settings(options.STATE)
def retry(ids: tuple[str, ...], every: bool, loaded: Loaded[EdgeSettings]) -> None:
    """Send utterances again that were set aside because the service refused them.

    \b
    Example:
      parrotlet-edge spool retry --all
    """
    from edge.spool.kept_list import chosen, opened
    from edge.spool.store import State

    _some(ids, every)
    with opened(loaded) as store:
        found = chosen(store, ids, every=every, states=(State.QUARANTINED,))
        with store.transaction():
            for one in found:
                store.retry(one.number)
    click.echo(f"{len(found)} utterances wait to be sent again.")


@spool.command()
@_ids
@_all
@options.with_settings(options.STATE)
def drop(ids: tuple[str, ...], every: bool, loaded: Loaded[EdgeSettings]) -> None:
    """Erase utterances for good. One that is being sent may still be answered.

    \b
    Example:
      parrotlet-edge spool drop 0193a6f2
    """
    from edge.spool.erasure import Erasure
    from edge.spool.kept_list import chosen, erase_sounds, opened
    from edge.spool.store import State

    _some(ids, every)
    with opened(loaded) as store:
        found = chosen(store, ids, every=every, states=(State.WAITING, State.QUARANTINED))
        for one in found:
            erase_sounds(loaded, Erasure(one.head.utterance_id))
        with store.transaction():
            for one in found:
                store.delete(one.number)
        store.truncate_log()
    click.echo(f"{len(found)} utterances are erased.")


def _some(ids: tuple[str, ...], every: bool) -> None:
    if bool(ids) == every:
        raise click.UsageError("Give IDs, as `parrotlet-edge spool list` shows them, or --all.")
