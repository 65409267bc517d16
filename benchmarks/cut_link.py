"""A port before a service that goes away and comes back, as a network does; or that says nothing for a while."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import closing, contextmanager, suppress
from typing import Any

OUTAGE_SHARE = 1 / 6


class Link:
    """A port before the service that can be away. Runs in a loop of its own, in which all of it is to be called."""

    def __init__(self, address: str, port: int = 0) -> None:
        """port: its own, on 127.0.0.1; 0: one is picked."""
        self.host, service_port = address.rsplit(":", 1)
        self.port = int(service_port)
        self.away = False
        self._own_port = port
        self._connections: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._passes = asyncio.Event()
        self._passes.set()

    async def serve(self, ready: "asyncio.Future[str]") -> None:
        server = await asyncio.start_server(self._connected, "127.0.0.1", self._own_port)
        ready.set_result(f"127.0.0.1:{server.sockets[0].getsockname()[1]}")
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            server.close()
            self.flow()
            self.cut()
            if self._connections:
                await asyncio.wait(self._connections)

    def cut(self) -> None:
        """What is open breaks off, what comes is not let in."""
        self.away = True
        for writer in self._writers:
            writer.transport.abort()

    def mend(self) -> None:
        self.away = False

    def stall(self) -> None:
        """Nothing comes through, and nobody is told so."""
        self._passes.clear()

    def flow(self) -> None:
        """What was held up comes through."""
        self._passes.set()

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._accept(reader, writer))
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        both = {writer}
        self._writers.add(writer)
        try:
            if self.away:
                return
            service_reader, service_writer = await asyncio.open_connection(self.host, self.port)
            both.add(service_writer)
            self._writers.add(service_writer)
            if not self.away:
                await asyncio.gather(self._pass(reader, service_writer), self._pass(service_reader, writer))
        except OSError:
            return
        finally:
            for one in both:
                one.close()
            for one in both:
                with suppress(OSError):
                    await one.wait_closed()
            self._writers -= both

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(1 << 16):
                await self._passes.wait()
                writer.write(data)
                await writer.drain()
            await self._passes.wait()
            writer.close()


@contextmanager
def away_now_and_then(address: str, period_s: float, periods: int) -> Iterator[str]:
    """The address of a link to a service; it is away for the last part of so many periods, and then stays."""
    link, loop = Link(address), asyncio.new_event_loop()
    ready: asyncio.Future[str] = loop.create_future()

    async def run() -> None:
        serving = asyncio.create_task(link.serve(ready))
        try:
            for _ in range(periods):
                await asyncio.sleep(period_s * (1 - OUTAGE_SHARE))
                link.cut()
                await asyncio.sleep(period_s * OUTAGE_SHARE)
                link.mend()
            await serving
        finally:
            serving.cancel()

    with looped(loop, run()):
        yield asyncio.run_coroutine_threadsafe(_wait(ready), loop).result(10)


@contextmanager
def linked(address: str, port: int = 0) -> Iterator[Callable[[Callable[[Link], None]], None]]:
    """A link; gives what does something with it, such as `do(Link.cut)`."""
    link, loop = Link(address, port), asyncio.new_event_loop()
    ready: asyncio.Future[str] = loop.create_future()

    async def done(what: Callable[[Link], None]) -> None:
        what(link)

    def do(what: Callable[[Link], None]) -> None:
        asyncio.run_coroutine_threadsafe(done(what), loop).result(10)

    with looped(loop, link.serve(ready)):
        asyncio.run_coroutine_threadsafe(_wait(ready), loop).result(10)
        yield do


@contextmanager
def looped(loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, None]) -> Iterator[None]:
    """Work in a loop in a thread, cancelled in the end."""
    task: asyncio.Task[None] = loop.create_task(work)

    def run() -> None:
        with closing(loop), suppress(asyncio.CancelledError):
            loop.run_until_complete(task)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(task.cancel)
        thread.join(10)


async def _wait(ready: "asyncio.Future[str]") -> str:
    return await ready
