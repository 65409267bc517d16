"""A block of sentences: what they all mean, and what comes of it."""

from collections.abc import Mapping
from typing import NamedTuple


class Block(NamedTuple):
    """Sentences of an intent that have one outcome."""

    intent: str
    """Empty: the name of an entry, and nothing more."""
    requires: frozenset[str]
    """Slots that must be there."""
    forbids: frozenset[str]
    """Slots that must not."""
    action: str | None
    """Name of what the board may do."""
    response: str | None
    """What may be said in answer; {slot} stands for the slot's words."""
    sure: float
    """Least confidence to act."""
    ask: float
    """Least confidence to ask back."""

    def takes(self, slots: Mapping[str, str]) -> bool:
        """Whether these slots are what it requires, and none that it forbids."""
        return self.requires <= slots.keys() and not self.forbids & slots.keys()
