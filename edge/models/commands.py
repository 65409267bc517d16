"""parrotlet-edge models: which versions of its own model the board has, whether its daemon runs or not."""

import sys
from typing import TYPE_CHECKING

import click

from common.errors import ModelError
from common.settings import Loaded
from edge import options
from edge.settings import EdgeSettings

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge.models.state import State
    from edge.models.store import Store

# What a command needs is imported in it, for the same reason as in __main__.

NOTHING_TO_DO = 1

_why = click.option("--why", default="Its owner says so.", metavar="TEXT", help="Goes into the history.")


@click.group()
def models() -> None:
    """Look at the versions of the board's own model, go back to the one before, or let it stay as it is.

    A daemon that is running notices within seconds.

    \b
    Example:
      parrotlet-edge models list
      parrotlet-edge models back --why "hears the kettle"
    """


@models.command("list")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@options.with_settings(options.LOCAL, options.STATE)
def list_(as_json: bool, loaded: Loaded[EdgeSettings]) -> None:
    """Tell what answers, what is tried and how that does, and what became of others, with the reasons.

    \b
    Example:
      parrotlet-edge models list
    """
    import msgspec

    from edge.models.serving import kept
    from edge.models.shown import state_lines
    from edge.models.state import State

    store = kept(loaded)
    state = State() if store is None else store.read()
    if as_json:
        click.echo(msgspec.json.encode(state))
    else:
        click.echo("\n".join(state_lines(state, loaded.settings.local)))


@models.command()
@_why
@options.with_settings(options.LOCAL, options.STATE)
def back(why: str, loaded: Loaded[EdgeSettings]) -> None:
    """Take back the last step: the version that is tried, else the one that answers. It is not fetched again.

    \b
    Example:
      parrotlet-edge models back --why "hears the kettle"
    """

    def go(state: "State", at_unix_us: int) -> "State":
        return state.takes_back(at_unix_us, why)

    _change(loaded, go, "The model that came with the program answers; there is nothing to go back from.")


@models.command()
@_why
@options.with_settings(options.LOCAL, options.STATE)
def pin(why: str, loaded: Loaded[EdgeSettings]) -> None:
    """Let the model stay as it is: nothing is fetched, tried or promoted.

    \b
    Example:
      parrotlet-edge models pin --why "guests until Sunday"
    """
    _change(loaded, lambda state, at: state.pinned(at, why, pinned=True), "")


@models.command()
@_why
@options.with_settings(options.LOCAL, options.STATE)
def unpin(why: str, loaded: Loaded[EdgeSettings]) -> None:
    """Let the model be kept up to date again.

    \b
    Example:
      parrotlet-edge models unpin
    """
    _change(loaded, lambda state, at: state.pinned(at, why, pinned=False), "")


@models.command()
@_why
@options.with_settings(options.LOCAL, options.STATE)
def again(why: str, loaded: Loaded[EdgeSettings]) -> None:
    """Let versions be fetched and tried again that were sent back.

    \b
    Example:
      parrotlet-edge models again
    """
    _change(loaded, lambda state, at: state.again(at, why), "")


def _change(loaded: Loaded[EdgeSettings], do: "Callable[[State, int], State]", otherwise: str) -> None:
    """Tells the newest line of the history, or otherwise what is said where nothing was changed."""
    store = _store(loaded)
    before = store.read()
    after = store.change(do)
    if after == before:
        click.echo(otherwise, err=True)
        sys.exit(NOTHING_TO_DO)
    line = after.history[-1]
    click.echo(f"{line.what} {line.model}".rstrip() + ".")


def _store(loaded: Loaded[EdgeSettings]) -> "Store":
    from edge.models.serving import kept

    if (store := kept(loaded)) is None:
        raise ModelError(
            f"No daemon has kept versions of {loaded.settings.local.model or 'a model'} yet where this user can see "
            "them; try sudo."
        )
    return store
