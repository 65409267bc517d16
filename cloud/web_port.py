"""A port of the service that speaks HTTP, in a thread of its own: what is read there holds up no utterance.

uvicorn without its signals and its log; heads, connections and idle ones are bounded.
"""

import asyncio
import contextlib
import logging
import socket
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from cloud.beside import beside
from common.addresses import Address
from common.errors import SettingsError
from common.http_server import HttpServer
from common.private_files import stamp

logger = logging.getLogger(__name__)

App = Callable[..., Awaitable[Any]]
"""An ASGI application."""

CONNECTIONS_MAX = 64
BACKLOG = 64
HEAD_BYTES_MAX = 16_384
IDLE_S_MAX = 10
LOOKS_MAX = 6
"""A connection is looked at every IDLE_S_MAX, and ended after so many looks at the latest, whatever it does: who does
not read an answer holds a place as well."""
STOP_S_MAX = 2
LOOK_S = 1.0
"""How often a certificate is looked at."""


class PortDied(RuntimeError):
    """Raised where the thread of a port has ended by itself."""


class _Protocol(H11Protocol):
    """A connection that bears no request is not kept: silent ones would take all places."""

    _looks = 0
    _looking: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # As uvicorn has it.
        super().connection_made(transport)
        self._looking = self.loop.call_later(IDLE_S_MAX, self._look)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._looking is not None:
            self._looking.cancel()
        super().connection_lost(exc)

    def _look(self) -> None:
        self._looks += 1
        is_idle = self.cycle is None or self.cycle.response_complete
        if is_idle or self._looks >= LOOKS_MAX:
            self.transport.abort()
        else:
            self._looking = self.loop.call_later(IDLE_S_MAX, self._look)


class _Server(HttpServer):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """They are the service's."""
        yield


@asynccontextmanager
async def web_port(
    app: App, listen: Address, called: str, certificate_file: Path | None = None
) -> AsyncIterator[Address]:
    """Meanwhile `app` answers there; the address with the port that was picked. SettingsError if it cannot be had; a
    thread that dies is told in the log, and started again. `certificate_file`: a key and its certificate, PEM, which
    are shown from the next connection on whenever they are other ones; None: plain text."""
    with _listening(listen, called) as sock:

        async def serving() -> None:
            config = _config(app, certificate_file)
            server = _Server(config)
            shown = certificate_file and stamp(certificate_file)
            ended, loop = asyncio.Event(), asyncio.get_running_loop()
            thread = threading.Thread(target=_run, args=(server, sock.dup(), ended, loop), name=called, daemon=True)
            thread.start()
            try:
                while not ended.is_set():
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(LOOK_S if certificate_file else None):
                            await ended.wait()
                    if certificate_file and server.loop and (now := stamp(certificate_file)) != shown:
                        shown = now
                        # There, or who connects meanwhile is shown it with another's key; a closed loop has no thread.
                        with contextlib.suppress(RuntimeError):
                            server.loop.call_soon_threadsafe(_show, config, certificate_file)
            finally:
                server.end()
                await asyncio.to_thread(thread.join, STOP_S_MAX + 1)
            raise PortDied(f"Nobody answers at {called} any more.")

        async with beside(serving):
            yield Address(listen.host, sock.getsockname()[1])


def _run(server: _Server, sock: socket.socket, ended: asyncio.Event, loop: asyncio.AbstractEventLoop) -> None:
    try:
        server.run([sock])
    finally:
        # Whoever waits for it may be gone.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(ended.set)


def _listening(listen: Address, called: str) -> socket.socket:
    try:
        family = socket.AF_INET6 if ":" in listen.host else socket.AF_INET
        return socket.create_server((listen.host.strip("[]"), listen.port), family=family, backlog=BACKLOG)
    except OSError as error:
        # create_server adds the address to what it says, in its own way.
        why = (error.strerror or str(error)).partition(" (while attempting")[0]
        raise SettingsError(f"{called}: cannot listen on {listen} ({why}); is it in use, or another's?") from error


def _show(config: uvicorn.Config, certificate_file: Path) -> None:
    try:
        assert config.ssl is not None
        config.ssl.load_cert_chain(certificate_file)
    except OSError as error:
        logger.error("%s: the former certificate is used on (%s)", certificate_file, error)


def _config(app: App, certificate_file: Path | None) -> uvicorn.Config:
    config = uvicorn.Config(
        app,
        ssl_certfile=certificate_file,
        loop="asyncio",
        http=_Protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="error",
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        limit_concurrency=CONNECTIONS_MAX,
        timeout_keep_alive=IDLE_S_MAX,
        timeout_graceful_shutdown=STOP_S_MAX,
        h11_max_incomplete_event_size=HEAD_BYTES_MAX,
    )
    config.load()
    return config
