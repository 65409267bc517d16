"""The page's server: a thread with an event loop, which tells the story of the board and takes phones' microphones."""

import asyncio
import logging
import socket
from contextlib import suppress
from typing import Any

import uvicorn

from common.addresses import Address, parse_address
from common.errors import SettingsError
from edge.page.host import Hosts
from edge.worker import Worker

logger = logging.getLogger(__name__)

START_S_MAX = 10.0
STOP_S_MAX = 5.0
LINGER_S = 2
"""Streams that do not end by themselves are cut off after so long."""
KEEP_ALIVE_S = 30
BACKLOG = 128


class Page:
    """A context manager: while it is entered, the page is served."""

    def __init__(self, address: Address, hosts: Hosts, asgi: Any, tls: tuple[str, str] | None = None) -> None:
        """`asgi`: the application, guard and all; `tls`: files of the certificate and of its key."""
        self._address = address
        self._hosts = hosts
        self._asgi = asgi
        self._tls = tls
        self._socket: socket.socket
        self._server: uvicorn.Server
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self.worker = Worker("page", self._serve)

    @property
    def port(self) -> int:
        """The one that was picked, where none was given."""
        return int(self._socket.getsockname()[1])

    def __enter__(self) -> "Page":
        """SettingsError, a sentence, if it cannot listen there."""
        host = self._address.host.strip("[]")
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        try:
            self._socket = socket.create_server((host, self._address.port), family=family, backlog=BACKLOG)
        except OSError as error:
            raise SettingsError(
                f"page.listen = {self._address}: it cannot be listened there: {error.strerror or error}."
            ) from error
        certificate, key = self._tls or (None, None)
        config = uvicorn.Config(
            self._asgi,
            log_config=None,
            access_log=False,
            server_header=False,
            lifespan="off",
            # Whoever asks is who the connection says.
            proxy_headers=False,
            ws="websockets-sansio",
            ws_max_size=1 << 17,
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=LINGER_S,
            ssl_certfile=certificate,
            ssl_keyfile=key,
        )
        config.load()
        self._server = uvicorn.Server(config)
        self.worker.start()
        logger.info("the page is served on port %d", self.port)
        return self

    def __exit__(self, *cause: object) -> None:
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._stop.set)
        self.worker.join(STOP_S_MAX)
        self._socket.close()

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._run())
        finally:
            self._loop.close()

    async def _run(self) -> None:
        telling = asyncio.ensure_future(self._hosts.run())
        serving = asyncio.ensure_future(self._server.serve(sockets=[self._socket]))
        stopping = asyncio.ensure_future(self._stop.wait())
        try:
            await asyncio.wait((telling, serving, stopping), return_when=asyncio.FIRST_COMPLETED)
            # Neither of them ends by itself.
            for died in (telling, serving):
                if died.done():
                    await died
        finally:
            stopping.cancel()
            # Streams end with it, and so does the server.
            telling.cancel()
            with suppress(asyncio.CancelledError):
                await telling
            self._server.should_exit = True
            await serving
            # What libraries have begun for themselves.
            rest = asyncio.all_tasks() - {asyncio.current_task()}
            for task in rest:
                task.cancel()
            await asyncio.gather(*rest, return_exceptions=True)


def page_address(listen: str) -> Address:
    """SettingsError if that is no address."""
    return parse_address(listen, called="page.listen", port_min=0)
