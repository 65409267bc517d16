"""What the operator's page is told by others. Each may be missing; the page says so then."""

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple, Protocol

from markupsafe import Markup

from common.errors import SettingsError


class Workers(NamedTuple):
    """Processes of one engine."""

    engine: str
    there: int
    missing: int
    waiting: int
    """Utterances."""


class Load(NamedTuple):
    """What the service is doing now."""

    workers: Sequence[Workers]
    in_work: int
    """Utterances under way."""
    streams_max: int
    refusals: Mapping[str, int]
    """Since the start, by code."""
    log_trouble: str | None
    log_lost: int
    ailments: Sequence[str]
    shadow: Mapping[str, int] = {}
    """What became of the utterances that candidates were to hear, since the start; see `cloud.changing.shadow`."""


class Running(Protocol):
    """The service, asked from another thread."""

    def load(self) -> Load:
        """As it is now."""


class Plot(NamedTuple):
    """A picture."""

    heading: str
    """With the unit."""
    meaning: str
    picture: Markup


class Command(NamedTuple):
    """Something to type."""

    what: str
    """It is good for."""
    command: str


class Drifted(NamedTuple):
    """Something that is not as it was."""

    stream: str
    """A board, a group, or all boards."""
    board: str | None
    """Its id, where it is one."""
    sentence: str
    """Its likeliest cause, and what to do."""
    told_unix_us: int
    since_unix_us: int | None
    commands: Sequence[Command] = ()
    plots: Sequence[Plot] = ()
    """What shows it, the cause first."""
    is_of_answers: bool = False
    """Not of what comes in, but of what is right."""
    before: Sequence[str] = ()
    """What its cause was thought to be, a sentence each, the last first."""
    came_of_it: str = ""
    """How many answers are wrong since, a sentence; "": nobody knows."""


class Drift(Protocol):
    """Watches the log; asked from another thread."""

    def drifted(self) -> Sequence[Drifted]:
        """All that is so now, the newest first."""


class ToLabel(NamedTuple):
    """An utterance that somebody should listen to, or read."""

    device_id: str
    utterance_id: str
    transcript: str
    why: str
    """It was chosen."""


Says = Literal["right", "wrong", "text", "unclear", "skip"]
"""Of an utterance: it was heard right, or wrong, or this was said, or nobody can tell, or somebody else may."""


class Labels(Protocol):
    """Which utterances wait for a label; asked from another thread."""

    def waiting(self, limit: int) -> Sequence[ToLabel]:
        """So many of them, the first ones first."""

    def draw(self) -> int:
        """Chooses of what was answered since that was done last; how many."""

    def needs(self) -> str:
        """How many labels the estimates still want, a sentence."""

    def take(self, device_id: str, utterance_id: str, says: Says, text: str, who: str) -> None:
        """Keeps a label; `text` is what was said, where that is what it says. ParrotletError if it waits for none."""


class NoDrift:
    """Nobody watches."""

    def drifted(self) -> Sequence[Drifted]:
        return ()


class NoLabels:
    """Nobody chooses."""

    def waiting(self, limit: int) -> Sequence[ToLabel]:
        return ()

    def draw(self) -> int:
        return 0

    def needs(self) -> str:
        return ""

    def take(self, device_id: str, utterance_id: str, says: Says, text: str, who: str) -> None:
        raise SettingsError("Labels are not kept here.")
