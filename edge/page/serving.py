"""uvicorn, as the page runs it: no signals, no log of requests, bounded heads and messages, behind the door."""

import ssl
from asyncio import BaseTransport, Transport
from asyncio.sslproto import SSLProtocol
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from common.http_server import HttpServer
from edge.phones.door import Door
from edge.phones.guard import Guard

HEAD_BYTES_MAX = 16_384
MESSAGE_BYTES_MAX = 65_536
TLS_BUFFER_BYTES = 32_768
"""Python's own is 256 kB."""
STOP_S_MAX = 2
IDLE_S_MAX = 10
"""How long a connection is kept for the next request."""


def page_server(guard: Guard, door: Door, context: ssl.SSLContext | None) -> HttpServer:
    """For `serve(sockets=[door])`, in a thread that is not the main one: there it would take signals. context: None
    without TLS."""
    config = uvicorn.Config(
        guard,
        loop="asyncio",
        http=_protocol(door),
        ws="websockets-sansio",
        ws_max_size=MESSAGE_BYTES_MAX,
        ws_per_message_deflate=False,
        lifespan="off",
        log_config=None,
        # A stranger's nonsense is a warning there, and shall not fill the log.
        log_level="error",
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        timeout_keep_alive=IDLE_S_MAX,
        timeout_graceful_shutdown=STOP_S_MAX,
        h11_max_incomplete_event_size=HEAD_BYTES_MAX,
    )
    # Of each connection, all of it resident; a record of TLS has 16 kB.
    SSLProtocol.max_size = TLS_BUFFER_BYTES
    config.load()
    config.ssl = context
    return HttpServer(config)


def _protocol(door: Door) -> type[H11Protocol]:
    class Protocol(H11Protocol):
        """Tells the door how to end the connection."""

        def connection_made(self, transport: BaseTransport, *more: Any) -> None:
            assert isinstance(transport, Transport)
            super().connection_made(transport)
            door.serves(self.client, transport)

    return Protocol
