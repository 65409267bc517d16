"""uvicorn that sleeps until somebody asks or it is to end.

Its own loop wakes up ten times a second, to look whether it is to end and to write the date anew: 2 ms of a processor
each second, more than all else of an idle service or board.
"""

import asyncio
import socket
from contextlib import suppress

import uvicorn


class HttpServer(uvicorn.Server):
    """`config` has no date header: nobody would write it anew."""

    def __init__(self, config: uvicorn.Config) -> None:
        assert not config.date_header
        super().__init__(config)
        self._ending = asyncio.Event()
        self.loop: asyncio.AbstractEventLoop | None = None
        """In which it serves; None before."""

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        """Until `end`."""
        self.loop = asyncio.get_running_loop()
        await super().serve(sockets)

    async def main_loop(self) -> None:
        """What uvicorn does once it listens."""
        await self.on_tick(0)
        await self._ending.wait()

    def end(self) -> None:
        """From any thread, at any time; what is being answered has its end."""
        self.should_exit = True
        if self.loop is not None:
            with suppress(RuntimeError):
                self.loop.call_soon_threadsafe(self._ending.set)
