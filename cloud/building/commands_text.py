"""commands.yaml of a domain, as it is written: intents with blocks of sentence templates, lists, expansion rules.

The file is Home Assistant's, read by its own library's rules (see cloud/building/templates.py), with what a service
needs besides: what a block requires and forbids, what the board may do, what may be said, how sure it must be.
"""

from pathlib import Path
from typing import Annotated

from msgspec import Meta, field

from cloud.building.fault import Faults
from cloud.building.folder import COMMANDS
from cloud.building.shape import Placed, shaped
from cloud.building.yaml_text import read_yaml


class RangeText(Placed, frozen=True):
    """Whole numbers, both ends among them."""

    start: int = field(name="from")
    to: int
    step: int = 1


class ValueText(Placed, frozen=True, rename={"said": "in", "value": "out"}):
    """A value of a list: a template of its words, and what it is in one form."""

    said: str
    value: str | int | float | bool | None = None
    """None: the words that were said."""


class ListText(Placed, frozen=True):
    """A list: one of the three."""

    values: tuple[str | ValueText, ...] = ()
    range: RangeText | None = None
    catalogue: str | None = None
    """Titles and aliases of the entries with that tag; "*": of all. The value is an entry's id."""


class BlockText(Placed, frozen=True):
    """Sentences that have one outcome."""

    sentences: tuple[str, ...]
    slots: dict[str, str | int | float | bool] = {}
    requires: frozenset[str] = frozenset()
    forbids: frozenset[str] = frozenset()
    action: str | None = None
    """Name of what the board may do, such as "timer.start"."""
    response: str | None = None
    """What may be said in answer; {slot} stands for the slot's words."""
    sure: Annotated[float, Meta(ge=0, le=1)] = 0.5
    """Least confidence to act; more where a mistake is dear."""
    ask: Annotated[float, Meta(ge=0, le=1)] = 0.3
    """Least confidence to ask "Did you mean ...?"."""
    expansion_rules: dict[str, str] = {}
    lists: dict[str, ListText] = {}


class IntentText(Placed, frozen=True):
    data: tuple[BlockText, ...]


class CommandsText(Placed, frozen=True):
    """The file."""

    intents: dict[str, IntentText]
    language: str = "en"
    open_speech: bool = True
    """Whether other things are said as well, that are to be written down; if not, fewer are mistaken."""
    examples: tuple[str, ...] = ()
    """Sentences to begin with, for people who do not know yet what may be said."""
    lists: dict[str, ListText] = {}
    expansion_rules: dict[str, str] = {}


def read_commands(text: str, file: Path, faults: Faults) -> CommandsText | None:
    """What the text of such a file says, as far as it has the shape; None where it says nothing."""
    before = faults.count
    node = read_yaml(text, file, faults)
    if node is None and faults.count == before:
        faults.fault(file, None, "is empty. Write intents into it, or take it out of the folder.")
    return None if node is None else shaped(node, CommandsText, file, faults)


def parse_commands(text: str, file: str = COMMANDS) -> CommandsText:
    """The same, of a text that is to be whole. DomainError, a sentence a fault, if it has not the shape."""
    faults = Faults()
    commands = read_commands(text, Path(file), faults)
    faults.raise_any()
    assert commands is not None
    return commands
