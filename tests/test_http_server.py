"""The server that others serve by: it sleeps while nobody asks, and ends from any thread, at any time."""

import asyncio
import http.client
import selectors
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

from common.http_server import HttpServer

WAIT_S = 10.0
IDLE_S = 0.5


async def app(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"yo"})


def server() -> HttpServer:
    return HttpServer(uvicorn.Config(app, ws="none", lifespan="off", log_config=None, date_header=False))


class Counting(selectors.DefaultSelector):
    """How often a loop woke up."""

    times = 0

    def select(self, timeout: float | None = None) -> Any:
        self.times += 1
        return super().select(timeout)


@contextmanager
def serving(selector: Counting) -> Iterator[tuple[HttpServer, int, threading.Thread]]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        made, loop = server(), asyncio.SelectorEventLoop(selector)
        thread = threading.Thread(target=loop.run_until_complete, args=(made.serve([listening.dup()]),))
        thread.start()
        try:
            yield made, listening.getsockname()[1], thread
        finally:
            made.end()
            thread.join(WAIT_S)
            loop.close()


def answer(port: int) -> bytes:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=WAIT_S)
    connection.request("GET", "/")
    read = connection.getresponse().read()
    connection.close()
    return read


def test_it_sleeps_while_nobody_asks_and_ends_when_told() -> None:
    selector = Counting()
    with serving(selector) as (made, port, thread):
        assert answer(port) == b"yo"
        before = selector.times
        thread.join(IDLE_S)
        # The end of the connection above, perhaps.
        assert selector.times - before <= 3
        assert answer(port) == b"yo"
        made.end()
        thread.join(WAIT_S)
        assert not thread.is_alive()


def test_who_is_told_to_end_before_it_serves_does_not_serve() -> None:
    made = server()
    made.end()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        asyncio.run(made.serve([listening.dup()]))
