"""Connections of Wyoming clients: so many at a time, and no one of them for ever.

Nobody is asked who they are, so a bound must not be a way to shut others out: when all places are taken, whoever has
been silent longest makes room, unless speech of theirs is under way.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Self

from wyoming.error import Error
from wyoming.event import Event, async_write_event

from common.addresses import Address
from common.errors import InputError, ParrotletError, SettingsError
from edge.wyoming.event_reader import LINE_BYTES_MAX, EventReader

logger = logging.getLogger(__name__)

CONNECTIONS_MAX = 64
WRITE_S_MAX = 10.0
"""Whoever does not read what they are sent for so long is let go."""


class Connection:
    """One client. Its errors are ConnectionError, and InputError for what is no event."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.busy = False
        """Speech is under way: not let go for somebody else."""
        self.heard_s = time.monotonic()
        """When anything came last."""
        self._events = EventReader(reader)
        self._writer = writer

    async def next(self, idle_s_max: float, sound_bytes_max: int) -> Event | None:
        """See EventReader."""
        event = await self._events.next(idle_s_max, sound_bytes_max)
        self.heard_s = time.monotonic()
        return event

    async def write(self, event: Event) -> None:
        try:
            async with asyncio.timeout(WRITE_S_MAX):
                await async_write_event(event, self._writer)
        except TimeoutError as error:
            raise ConnectionResetError("what is sent is not read") from error

    async def complain(self, error: ParrotletError) -> None:
        """Tells what is wrong, as the event `error` with a sentence."""
        await self.write(Error(str(error), type(error).__name__).event())

    async def close(self) -> None:
        self._writer.close()
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(1.0):
                await self._writer.wait_closed()


class Connections:
    """Listens, and serves each connection by a task; an async context manager."""

    def __init__(
        self, address: Address, serve: Callable[[Connection], Awaitable[None]], connections_max: int = CONNECTIONS_MAX
    ) -> None:
        self._wanted = address
        self._serve = serve
        self._connections_max = connections_max
        self._open: dict[Connection, asyncio.Task[None]] = {}
        self._server: asyncio.Server

    async def __aenter__(self) -> Self:
        """SettingsError, a sentence, if it cannot listen there."""
        host = self._wanted.host.strip("[]")
        try:
            self._server = await asyncio.start_server(self._accept, host, self._wanted.port, limit=LINE_BYTES_MAX)
        except OSError as error:
            reason = error.strerror or str(error)
            raise SettingsError(f"wyoming.listen is {self._wanted}: it cannot be listened on: {reason}.") from error
        return self

    async def __aexit__(self, *cause: object) -> None:
        self._server.close()
        for task in self._open.values():
            task.cancel()
        await asyncio.gather(*self._open.values(), return_exceptions=True)

    @property
    def address(self) -> Address:
        """With the port that was picked where 0 was asked for."""
        return Address(self._wanted.host, self._server.sockets[0].getsockname()[1])

    def __len__(self) -> int:
        return len(self._open)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = Connection(reader, writer)
        if len(self._open) >= self._connections_max and not self._make_room():
            # No more than that: a stranger shall not fill the log.
            logger.debug("a client was turned away: speech of %d others is under way", len(self._open))
            writer.close()
            return
        task = asyncio.ensure_future(self._hold(connection))
        self._open[connection] = task
        task.add_done_callback(lambda task: self._forget(connection, task))

    def _forget(self, connection: Connection, task: "asyncio.Task[None]") -> None:
        self._open.pop(connection, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("a client's connection ended with %s (%s)", type(error).__name__, error)
            logger.debug("there", exc_info=error)

    def _make_room(self) -> bool:
        idle = [connection for connection in self._open if not connection.busy]
        if not idle:
            return False
        self._open.pop(min(idle, key=lambda connection: connection.heard_s)).cancel()
        return True

    async def _hold(self, connection: Connection) -> None:
        try:
            await self._serve(connection)
        except InputError as error:
            logger.debug("a client was let go: %s", error)
            with suppress(ConnectionError):
                await connection.complain(error)
        except ConnectionError as error:
            logger.debug("a client went away: %s", error)
        finally:
            await connection.close()
