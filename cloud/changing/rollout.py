"""A candidate's way: into the shadow, before a share of the boards, and promoted or returned. Pure.

shadow ──► canary ──► promoted
   │  └────────┬──────►
   └─► returned ◄─┘
"""

from pathlib import Path
from typing import Literal

import msgspec

from cloud.changing.gate import Rules
from common.errors import RolloutError

Kind = Literal["model", "domain", "board"]
State = Literal["shadow", "canary", "promoted", "returned"]
Action = Literal["shadow", "canary", "promote", "promote anyway", "return", "rollback"]
"""As the history has them; "promote anyway": though the gate did not let the candidate through."""

ACTIVE: tuple[State, ...] = ("shadow", "canary")

WHISPER = "whisper"
"""The subject of models: the engine whose weights may be others."""

_NEXT: dict[Action, tuple[tuple[State, ...], State]] = {
    "canary": (("shadow", "canary"), "canary"),
    "promote": (("shadow", "canary"), "promoted"),
    "promote anyway": (("shadow", "canary"), "promoted"),
    "return": (("shadow", "canary"), "returned"),
}
"""From which states an action leads to which."""

COPIES = "candidates"
"""Folder in the state directory that holds NAME-VERSION/NAME for each domain that was a candidate."""


def called(candidate: str) -> str:
    """As people read it: a copy of a domain by NAME-VERSION, wherever the service keeps it; others by what they are."""
    _, *above = Path(candidate).parts
    return above[-2] if above[-3:-2] == [COPIES] else candidate


class Subject(msgspec.Struct, frozen=True, order=True):
    """What may be another: the weights of an engine, or a domain."""

    kind: Kind
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


class Serving(msgspec.Struct, frozen=True):
    """What serves instead of what the settings say."""

    what: str
    """Name of weights, or a domain's folder."""
    version: str
    rollout: int
    """That it came by."""


class Rollout(msgspec.Struct, frozen=True):
    """One candidate."""

    number: int
    subject: Subject
    candidate: str
    """Name of weights, or a domain's folder: a copy, which nobody edits."""
    version: str
    state: State
    share: float
    """Of the boards, that the candidate answers; 0 in the shadow."""
    automatic: bool
    """Whether it is promoted as soon as the gate says so, by nobody."""
    rules: Rules
    began_at_unix_us: int

    @property
    def is_active(self) -> bool:
        return self.state in ACTIVE

    def after(self, action: Action) -> State:
        """Its state after an action. RolloutError if that is not to be had now."""
        if action not in _NEXT or self.state not in _NEXT[action][0]:
            raise RolloutError(f"{called(self.candidate)} is {self.state}; it cannot go on by: {action}.")
        return _NEXT[action][1]


class Step(msgspec.Struct, frozen=True):
    """A line of the history."""

    number: int
    at_unix_us: int
    who: str
    subject: Subject
    action: Action
    rollout: int
    """Number of the candidate's way: the same may come again."""
    candidate: str
    before: str
    """State before; empty: there was none."""
    after: str
    serves: str
    """What serves from then on; empty: what the settings say."""
    why: str
    figures: str
    """JSON; empty: there are none."""
    share: float | None = None
    """Of the boards, that it was to answer from then on; None: not some of them, or an older release did it."""
