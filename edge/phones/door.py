"""Who may have a connection: the page's listening socket, which bounds what comes in before a byte of it is read.

Whoever connects is a stranger until a request of theirs shows a paired phone's cookie. Strangers have few places, of
one address fewer: who comes when all are taken makes the oldest of whoever has the most give way, so that silent ones
shut nobody out. Paired phones have places of their own.
"""

import asyncio
import socket
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NamedTuple

from common.addresses import Address
from common.errors import SettingsError
from common.rates import Rate, Rates

BACKLOG = 512

Peer = tuple[str, int]
"""Address and port of who connected, as ASGI has it in `client`."""


class Bounds(NamedTuple):
    """Of connections."""

    strangers_max: int = 128
    strangers_each_max: int = 16
    """Of one address, and as many again for each paired phone that came from it. A browser opens six."""
    phone_max: int = 16
    """Of one phone, which may have several tabs."""
    rate_each: Rate = Rate(60, 20.0)
    """New ones of one address, and as often again for each phone: a TLS handshake takes a small board 5 ms."""
    rate_strange: Rate = Rate(200, 50.0)
    """New ones of all addresses together that no paired phone came from."""
    silence_s_max: float = 15.0
    """Without a whole request; also for the handshake."""
    stranger_s_max: float = 30.0
    """For one request of a stranger and the answer to it, if it is not read."""


class _Connection(socket.socket):
    """An accepted one, which says when it is closed."""

    peer: Peer
    phone: str = ""
    """Id of the phone that has shown its cookie on it."""
    transport: asyncio.Transport | None = None
    """Known from the end of the handshake on."""
    timer: asyncio.TimerHandle | None = None
    on_close: Callable[["_Connection"], None] | None = None

    def close(self) -> None:
        super().close()
        if self.on_close is not None:
            self.on_close(self)
            self.on_close = None

    def cut(self) -> None:
        """Ends it at once."""
        if self.transport is not None:
            # Also where nothing is read from it, as from who sends too much.
            self.transport.abort()
            return
        with suppress(OSError):
            self.shutdown(socket.SHUT_RDWR)


class Door(socket.socket):
    """A listening socket for an asyncio server in one thread."""

    def __init__(self, listen: Address, bounds: Bounds | None = None) -> None:
        """SettingsError, a sentence, if nobody can listen there."""
        self._bounds = bounds or Bounds()
        self._open: dict[Peer, _Connection] = {}
        self._known_hosts: dict[str, str] = {}
        """Address that a paired phone came from last, by its id."""
        self._rates = Rates(self._bounds.rate_each)
        self._strange = Rates(self._bounds.rate_strange)
        host = listen.host.strip("[]")
        try:
            family, _, _, _, place = socket.getaddrinfo(
                host, listen.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            )[0]
            # asyncio sends at once, and not 40 ms later, only where the protocol is named.
            super().__init__(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
            self.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                # [::] is every address of this machine.
                self.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            self.bind(place)
            self.listen(BACKLOG)
            self.setblocking(False)
        except (OSError, UnicodeError) as error:
            if isinstance(error, OSError) and self.fileno() >= 0:
                self.close()
            reason = getattr(error, "strerror", None) or str(error)
            raise SettingsError(f"page.listen is {listen}: it cannot be listened on: {reason}.") from error

    @property
    def port(self) -> int:
        """The one that was picked where 0 was asked for."""
        port: int = self.getsockname()[1]
        return port

    def __len__(self) -> int:
        """Connections."""
        return len(self._open)

    def accept(self) -> tuple[socket.socket, Any]:
        """Who may come in, as asyncio asks for it; who may not is sent away. Called in the event loop's thread."""
        # No flood keeps the loop here.
        for _ in range(64):
            plain, peer = super().accept()
            if self._may(peer[0]):
                connection = _Connection(self.family, self.type, self.proto, fileno=plain.detach())
                connection.peer, connection.on_close = (peer[0], peer[1]), self._forget
                self._open[connection.peer] = connection
                self._make_room(peer[0])
                self._limit(connection, self._bounds.silence_s_max)
                return connection, peer
            plain.close()
        raise BlockingIOError

    def serves(self, peer: Peer | None, transport: asyncio.Transport) -> None:
        """The handshake is over."""
        if (connection := self._at(peer)) is not None:
            connection.transport = transport
        else:
            # It had to make room meanwhile.
            transport.abort()

    def begins(self, peer: Peer | None, phone: str) -> None:
        """A request came whole, of a phone or, with "", a stranger."""
        if (connection := self._at(peer)) is None:
            return
        self._limit(connection, None if phone else self._bounds.stranger_s_max)
        connection.phone = phone
        if not phone:
            return
        self._known_hosts[phone] = connection.peer[0]
        own = [each for each in self._open.values() if each.phone == phone]
        if len(own) > self._bounds.phone_max:
            self._cut(own[0])

    def ends(self, peer: Peer | None) -> None:
        """The answer was sent."""
        if (connection := self._at(peer)) is not None:
            self._limit(connection, self._bounds.silence_s_max)

    def cut_unknown(self, is_known: Callable[[str], bool]) -> None:
        """Ends connections of phones that are not paired any more."""
        here = {each.phone for each in self._open.values()} - {""} | set(self._known_hosts)
        gone = {phone for phone in here if not is_known(phone)}
        for phone in gone:
            self._known_hosts.pop(phone, None)
        for each in [each for each in self._open.values() if each.phone in gone]:
            self._cut(each)

    def _at(self, peer: Peer | None) -> _Connection | None:
        return self._open.get((peer[0], peer[1])) if peer is not None else None

    def _may(self, host: str) -> bool:
        phones = self._phones_at(host)
        if all(self._rates.wait_s(f"{host} {number}") for number in range(1 + phones)):
            return False
        return phones > 0 or not self._strange.wait_s("")

    def _phones_at(self, host: str) -> int:
        """How many paired phones came from this address last."""
        return sum(known == host for known in self._known_hosts.values())

    def _make_room(self, host: str) -> None:
        """Somebody of this address came in."""
        strangers = [each for each in self._open.values() if not each.phone]
        by_host = Counter(each.peer[0] for each in strangers)
        crowd = host
        if by_host[host] <= self._bounds.strangers_each_max * (1 + self._phones_at(host)):
            if len(strangers) <= self._bounds.strangers_max:
                return
            crowd = by_host.most_common(1)[0][0]
        # The oldest stands first.
        self._cut(next(each for each in strangers if each.peer[0] == crowd))

    def _limit(self, connection: _Connection, seconds: float | None) -> None:
        """From now on it has so long; None: as long as it likes."""
        if connection.timer is not None:
            connection.timer.cancel()
            connection.timer = None
        if seconds is not None:
            connection.timer = asyncio.get_running_loop().call_later(seconds, self._cut, connection)

    def _cut(self, connection: _Connection) -> None:
        # It counts no more, though its transport may take a moment to see it.
        self._forget(connection)
        connection.cut()

    def _forget(self, connection: _Connection) -> None:
        if connection.timer is not None:
            connection.timer.cancel()
            connection.timer = None
        if self._open.get(connection.peer) is connection:
            del self._open[connection.peer]
