"""Whoever answers utterances, as the rest of the board sees them."""

from collections.abc import Callable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, NamedTuple, Protocol, Self

from common.errors import CloudError
from edge.asking.answer import Answer, Partial, Path
from edge.clock import Clock
from edge.speech.turn import Opinion
from edge.speech.utterance import Progress, UtteranceEnd, UtteranceHead
from edge.spool.spool import Spool

if TYPE_CHECKING:
    from edge.asking.group_watch import Watcher


class Listener(Protocol):
    """Is told what comes of an utterance, in a thread of the recogniser's, and must return at once."""

    def hear_partial(self, partial: Partial) -> None: ...

    def hear_turn(self, opinion: Opinion) -> None: ...

    def settle(self, outcome: Answer | CloudError) -> None:
        """Exactly once."""

    def improve(self, answer: Answer) -> None:
        """A better answer than the one it was settled with. Perhaps, and perhaps again."""

    def be_left(self) -> None:
        """Nobody is at work on it any more. Exactly once, last."""


class Stream(Protocol):
    """An utterance on its way to a recogniser. Nothing here waits."""

    @property
    def wire_bytes(self) -> int:
        """Bytes of frames sent so far."""

    def send(self, heard: Progress) -> None: ...

    def finish(self, end: UtteranceEnd) -> None: ...


class Service(NamedTuple):
    """Somebody who is asked, as `status` tells of it."""

    path: Path
    address: str
    down: str | None
    """Why nobody waits for it; None while it answers, as far as anybody knows."""
    answered_s: float | None
    """When it last said anything, monotonic."""
    known_as: str | None = None
    """The name in the board's certificate; None: it has not enrolled there."""


class Answerer(Protocol):
    """Takes utterances and says what comes of them."""

    def start(self, head: UtteranceHead, listener: Listener) -> Stream: ...


class Recogniser(Answerer, Protocol):
    """Whoever can answer. Entered before it is asked."""

    @property
    def alive(self) -> bool:
        """False if it died, and will never answer again."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def services(self) -> list[Service]:
        """Those that are asked, the best first."""

    def examples(self) -> Sequence[str]:
        """What may be said to the best of them, a few sentences; none before it has told."""

    def replay(self, spool: Spool, clock: Clock) -> Callable[[], None]:
        """From now on, sends what is kept in the spool. What it gives is to be called when there is more."""

    def watch(self, watcher: "Watcher") -> Callable[[], None]:
        """From now on, tells what other boards of the group are answered, until what it gives is called. Entered."""
