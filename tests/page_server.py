"""The page's guard before a small application, served by uvicorn on loopback, and a phone that asks it."""

import asyncio
import functools
import http.client
import json
import socket
import ssl
import threading
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from common.addresses import Address
from common.rates import Guesses
from edge.page.serving import page_server
from edge.phones.certificate import own_certificate
from edge.phones.cookie import cookie_name
from edge.phones.door import Bounds, Door
from edge.phones.guard import Guard, Limits
from edge.phones.host_names import own_names
from edge.phones.invitations import Invitations
from edge.phones.pairing import Pairing
from edge.phones.phones import Phones
from edge.phones.shown_certificate import ShownCertificate

WAIT_S = 10.0


class Answered(NamedTuple):
    """What came back."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def sentence(self) -> str:
        said: str = json.loads(self.body)["sentence"]
        return said

    @property
    def cookie(self) -> str:
        """NAME=VALUE that it gave."""
        return (self.headers["Set-Cookie"] or "").partition(";")[0]


class Board:
    """A page that is served, and how a phone reaches it."""

    def __init__(self, door: Door, shown: ShownCertificate | None, phones: Phones, invitations: Invitations) -> None:
        self.port, self.door, self.phones, self.invitations = door.port, door, phones, invitations
        self.shown = shown
        self.scheme = "https" if shown else "http"
        self.host = f"localhost:{self.port}"
        self.origin = f"{self.scheme}://{self.host}"
        self.context = ssl.create_default_context(cafile=shown.certificate_file) if shown else None

    def connect(self, source: str = "127.0.0.1") -> socket.socket:
        """A connection, by TLS where it is."""
        plain = socket.create_connection(("127.0.0.1", self.port), WAIT_S, source_address=(source, 0))
        return self.context.wrap_socket(plain, server_hostname="localhost") if self.context else plain

    def ask(
        self,
        path: str,
        method: str = "GET",
        *,
        cookie: str = "",
        body: bytes | Iterator[bytes] | None = None,
        source: str = "127.0.0.1",
        **headers: str,
    ) -> Answered:
        """As a phone's own page asks; `headers` come in place of what it would say, with _ for -."""
        said = {"Host": self.host, **({"Origin": self.origin} if method == "POST" else {})}
        said |= {"Cookie": cookie} if cookie else {}
        said |= {name.replace("_", "-"): value for name, value in headers.items()}
        with self.connect(source) as connection:
            asking = http.client.HTTPConnection("127.0.0.1", self.port)
            asking.sock = connection
            given = {name: value for name, value in said.items() if value}
            asking.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for name, value in given.items():
                asking.putheader(name, value)
            if isinstance(body, bytes):
                asking.putheader("Content-Length", str(len(body)))
            elif body is not None:
                asking.putheader("Transfer-Encoding", "chunked")
            asking.endheaders(body, encode_chunked=body is not None and not isinstance(body, bytes))
            answer = asking.getresponse()
            return Answered(answer.status, answer.headers, answer.read())

    def post(self, path: str, content: Mapping[str, Any], **more: Any) -> Answered:
        return self.ask(path, "POST", body=json.dumps(content).encode(), **more)

    def paired(self, name: str = "Ada's phone") -> str:
        """The cookie of a phone that is paired now."""
        admitted = self.invitations.accept(self.invitations.invite().token, name, peer="here")
        return f"{cookie_name(self.shown is not None)}={admitted.cookie}"


async def _me(request: Request) -> Response:
    body = await request.body()
    phone = request.state.phone
    return PlainTextResponse(f"{phone.name if phone else 'nobody'} {len(body)}")


async def _stream(request: Request) -> Response:
    async def events() -> AsyncIterator[bytes]:
        while True:
            yield b"data: 1\n\n"
            await asyncio.sleep(0.05)

    return StreamingResponse(events(), media_type="text/event-stream")


async def _echo(websocket: WebSocket) -> None:
    await websocket.accept()
    with suppress(Exception):
        while True:
            await websocket.send_text(await websocket.receive_text())


@contextmanager
def served(
    tmp_path: Path,
    *,
    tls: bool = True,
    limits: Limits | None = None,
    bounds: Bounds | None = None,
    guesses: Guesses | None = None,
    look_s: float = 0.05,
) -> Iterator[Board]:
    """A board's page in a thread."""
    phones = Phones(tmp_path / "page")
    invitations = Invitations(phones, phones_max=5)
    door = Door(Address("127.0.0.1", 0), bounds)
    shown = (
        own_certificate(tmp_path / "page", "board-1", own_names(), ["127.0.0.1"], time.time_ns() // 1000)
        if tls
        else None
    )
    board = Board(door, shown, phones, invitations)
    (tmp_path / "pair.html").write_text("<p>Pair</p>")
    pairing = Pairing(phones, invitations, tmp_path, tls=tls, guesses=guesses)

    async def front(request: Request) -> Response:
        return await (_me if request.state.phone else pairing.page)(request)

    routes = [
        *pairing.routes,
        Route("/", front),
        Route("/static/{name:path}", _me),
        Route("/me", _me, methods=["GET", "POST"]),
        Route("/events", _stream),
        WebSocketRoute("/microphone", _echo),
    ]
    guard = Guard(Starlette(routes=routes), phones, door, names=own_names(), tls=tls, limits=limits)
    server = page_server(guard, door, shown.context() if shown else None)

    async def serve() -> None:
        watching = asyncio.ensure_future(guard.watch(look_s))
        try:
            await server.serve(sockets=[door])
        finally:
            watching.cancel()

    thread = threading.Thread(target=functools.partial(asyncio.run, serve()), daemon=True)
    thread.start()
    try:
        yield board
    finally:
        server.end()
        thread.join(WAIT_S)
        door.close()
        assert not thread.is_alive()
