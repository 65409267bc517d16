"""Recognisers in order, the best first. A hedge, not a switch: when one takes too long, the next is asked besides.

Whoever answers first is shown. A better one that was still at work may answer later, and then takes its place.
"""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Protocol, Self

from edge.asking.chain_stream import Asked, ChainStream, Member
from edge.asking.network import Network
from edge.asking.own_model import OwnModel
from edge.asking.recogniser import Listener, Service, Stream
from edge.clock import Clock
from edge.speech.utterance import UtteranceHead
from edge.spool.ageing import Ageing
from edge.spool.courier import Courier, Creditor
from edge.spool.replay import Replayer, Sender
from edge.spool.spool import Spool
from protos import speech_pb2
from protos.model_card import ModelCard

if TYPE_CHECKING:
    from edge.asking.group_watch import Watcher
    from edge.models.updating import Updating


class Keeper(Asked, Sender, Creditor, Protocol):
    """A service: it writes down what it is asked."""

    device_id: str
    network: Network

    async def description(self) -> speech_pb2.DescribeResponse:
        """What it said it is. CallFailed."""

    def examples(self) -> Sequence[str]:
        """What may be said to it, as far as it has told."""

    async def watch(
        self, after: int | None, history: str | None, take: Callable[[speech_pb2.Watched], None]
    ) -> None: ...


class Chain:
    """A Recogniser. Its members share a network."""

    def __init__(
        self,
        network: Network,
        keepers: Sequence[Member[Keeper]],
        own: Member[OwnModel] | None = None,
        updating: "Updating | None" = None,
    ) -> None:
        """`own` is the board's own model, asked last; `updating` keeps it up to date once somebody replays."""
        self.network = network
        self.members: list[Member[Asked]] = [*keepers, *([own] if own else [])]
        self.keepers = keepers
        self._own = own
        self._updating = updating
        self._is_updated = False
        self._entered = ExitStack()

    @property
    def alive(self) -> bool:
        return self.network.alive and (self._own is None or self._own.service.alive)

    @property
    def own_card(self) -> ModelCard | None:
        """What the board's own model says of itself, where there is one."""
        return self._own.service.card if self._own else None

    def services(self) -> list[Service]:
        """The members, as `status` tells of them."""
        return [
            Service(
                member.path,
                member.service.address,
                str(member.link.down) if member.link.down else None,
                member.link.answered_s,
                member.service.known_as,
            )
            for member in self.members
        ]

    def examples(self) -> Sequence[str]:
        """What may be said to the best service that has told."""
        return next(filter(None, (member.service.examples() for member in self.keepers)), ())

    def replay(self, spool: Spool, clock: Clock) -> Callable[[], None]:
        """From now on, sends what is kept in the spool to the best service, and each what it is owed. What it gives is
        called, in the network's thread, when there is more to send."""
        spool.services = [member.path for member in self.keepers]
        self.network.soon(self._begin, Ageing(spool, clock))
        if not self.keepers:
            return lambda: None
        best = self.keepers[0]
        # Only whoever has the spool may change what lies beside it.
        if self._updating is not None:
            self._is_updated = True
            self.network.soon(self._begin, self._updating)
        replayer = Replayer(spool, best.path, best.service, best.link, clock)
        self.network.soon(self._begin, replayer)
        for member in self.keepers:
            self.network.soon(self._begin, Courier(spool, member.path, member.service, member.link))
        return replayer.look

    def watch(self, watcher: "Watcher") -> Callable[[], None]:
        """From now on, tells what other boards of the group are answered, as the best service knows it, until what it
        gives is called."""
        if not self.keepers:
            return lambda: None
        from edge.asking.group_watch import GroupWatch  # Most boards have no page.

        best = self.keepers[0]
        watch = GroupWatch(best.service, best.link, watcher)
        self.network.soon(watch.begin)
        return lambda: self.network.soon(watch.end)

    def __enter__(self) -> Self:
        self._entered.enter_context(self.network)
        for member in self.members:
            self._entered.enter_context(member.service)
        self._entered.callback(self.network.give_up)
        return self

    def __exit__(self, *cause: object) -> None:
        self._entered.close()

    def _begin(self, work: "Replayer | Courier | Ageing | Updating") -> None:
        self.network.begin(work.run())

    def start(self, head: UtteranceHead, listener: Listener) -> Stream:
        """Begins at once. The listener is told in the network's thread."""
        tap = self._updating.tap(listener) if self._updating is not None and self._is_updated else None
        stream = ChainStream(self.network, self.members, head, tap or listener)
        self.network.soon(stream.begin)
        if tap is None:
            return stream
        tap.stream = stream
        return tap
