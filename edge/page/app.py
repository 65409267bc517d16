"""What the page answers to whom the guard has let in. Each fault is a sentence."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Literal, TypeVar

import msgspec
from sse_starlette.sse import EventSourceResponse
from starlette.applications import Starlette
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import HTTPConnection, Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from common import VERSION
from common.errors import InputError, ParrotletError, SpoolError
from edge.board.control import UNREADABLE
from edge.page.card import has_words
from edge.page.host import Host, Hosts
from edge.page.microphone import close
from edge.page.story import Kept
from edge.page.stream import RETRY_MS, Wanted, stream
from edge.phones.pairing import Pairing
from edge.phones.phones import Phone
from edge.phones.refusal import Refused
from edge.spool.feedback import Feedback

logger = logging.getLogger(__name__)

T = TypeVar("T")

STATIC = Path(__file__).parent / "static"
PING_S = 15
"""An idle stream says so often that it lives; routers forget connections that say nothing."""
ANSWERS_MAX = 200
"""Of one request for older ones."""
NUMBER_MAX = (1 << 63) - 1
"""The database knows no greater one."""
WORDS_CHARS_MAX = 200
GZIP_BYTES_MIN = 1000

DOABLE = frozenset({"mute", "unmute", "press"})


class _Forget(msgspec.Struct, frozen=True):
    utterance_id: str | None = None
    everything: bool = False


class _Feedback(msgspec.Struct, frozen=True):
    feedback_id: str
    utterance_id: str
    given_at_unix_ms: int
    verdict: Literal["right", "wrong"] | None = None
    transcript: str | None = None
    result_id: str | None = None
    choice: int | None = None


class _Static(StaticFiles):
    """What is the same for everybody: asked again whether it has changed, as an update changes it."""

    def file_response(self, *asked: Any, **how: Any) -> Response:
        response = super().file_response(*asked, **how)
        response.headers["Cache-Control"] = "no-cache"
        # What keeps the page for when the board is away is to see all of it.
        response.headers["Service-Worker-Allowed"] = "/"
        return response


class _Stream(EventSourceResponse):
    """Lets go of what is held for it, also where the phone was gone before the first event."""

    def __init__(self, held: AsyncExitStack, *given: Any, **how: Any) -> None:
        super().__init__(*given, **how)
        self._held = held

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self._held:
            await super().__call__(scope, receive, send)


def app(hosts: Hosts, pairing: Pairing) -> Starlette:
    """Behind the guard, which says in the request's state who asks, as `phone`."""
    return Starlette(
        routes=[
            *pairing.routes,
            Route("/", _index(pairing)),
            Route("/events", _events(hosts)),
            Route("/answers", _asked(_answers, hosts)),
            Route("/do/{what}", _asked(_do, hosts), methods=["POST"]),
            Route("/feedback", _asked(_feedback, hosts), methods=["POST"]),
            Route("/forget", _asked(_forget, hosts), methods=["POST"]),
            WebSocketRoute("/microphone", _microphone(hosts)),
            Mount("/static", GZipMiddleware(_Static(directory=STATIC), minimum_size=GZIP_BYTES_MIN)),
        ],
        exception_handlers={ParrotletError: _failed, Refused: _refused},
    )


def _asked(
    handle: Callable[[Host, Request], Awaitable[Response]], hosts: Hosts
) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        async with hosts.of(_phone(request)) as host:
            return await handle(host, request)

    return endpoint


def _index(pairing: Pairing) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        if request.state.phone is None:
            return await pairing.page(request)
        return FileResponse(STATIC / "index.html", headers={"Cache-Control": "no-store"})

    return endpoint


def _events(hosts: Hosts) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        try:
            wanted = Wanted(request)
        except ValueError:
            raise InputError("An event has a number.") from None
        phone = _phone(request)
        # Before the first byte: what cannot be is told with its status.
        held = AsyncExitStack()
        host = await held.enter_async_context(hosts.of(phone))

        events = stream(host.story, wanted, lambda kept: _hello(host, phone, kept))
        return _Stream(held, events, ping=PING_S, headers={"Cache-Control": "no-store"})

    return endpoint


def _hello(host: Host, phone: str, kept: Kept | None) -> dict[str, Any]:
    return {
        "board": host.name,
        "version": VERSION,
        "phone": phone,
        "first": kept.first if kept else None,
        "last": kept.last if kept else None,
        "history": kept.history if kept else None,
        "examples": host.examples(),
        "microphone": host.microphones.allowed,
        "can": sorted(DOABLE & host.commands.keys()),
        "retry_ms": RETRY_MS,
    }


async def _answers(host: Host, request: Request) -> Response:
    try:
        before = max(0, min(int(request.query_params.get("before", "0")), NUMBER_MAX))
        limit = max(0, min(int(request.query_params.get("limit", "50")), ANSWERS_MAX))
    except ValueError:
        raise InputError("before and limit are numbers.") from None
    words = request.query_params.get("search", "")[:WORDS_CHARS_MAX].lower().split()
    # One more tells whether there are more; who searches looks through all of them.
    items = await host.story.events(before=before or None, last=None if words else limit + 1)
    found = [
        {"id": item.number, **shown}
        for item in reversed(items)
        if has_words(shown := msgspec.json.decode(item.data), words)
    ]
    return JSONResponse({"answers": found[:limit], "more": len(found) > limit})


async def _do(host: Host, request: Request) -> Response:
    what = request.path_params["what"]
    if what not in DOABLE & host.commands.keys():
        raise InputError("There is no board here that could do that.")
    await asyncio.to_thread(host.commands[what])
    return Response(status_code=204)


async def _feedback(host: Host, request: Request) -> Response:
    said = await _body(request, _Feedback)
    feedback = Feedback(
        said.feedback_id,
        said.utterance_id,
        1000 * said.given_at_unix_ms,
        said.verdict,
        said.transcript,
        said.result_id,
        said.choice,
        given_by=_phone(request),
    )
    if feedback.fault is not None:
        raise InputError(feedback.fault)
    host.give(feedback)
    return Response(status_code=202)


async def _forget(host: Host, request: Request) -> Response:
    wanted = await _body(request, _Forget)
    if (wanted.utterance_id is None) is not wanted.everything:
        raise InputError("Name an utterance, or everything.")
    here = await asyncio.to_thread(host.forget, wanted.utterance_id)
    return JSONResponse({"here": here})


def _microphone(hosts: Hosts) -> Callable[[WebSocket], Awaitable[None]]:
    async def endpoint(socket: WebSocket) -> None:
        await socket.accept()
        try:
            async with hosts.of(_phone(socket)) as host:
                await host.microphones.serve(socket, _phone(socket))
        except ParrotletError as error:
            await close(socket, str(error))

    return endpoint


def _phone(asking: HTTPConnection) -> str:
    """Whom the guard has let in."""
    phone: Phone = asking.state.phone
    return phone.id


async def _body(request: Request, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(await request.body(), type=kind)
    except UNREADABLE as error:
        raise InputError(f"That cannot be read: {error}.") from error


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    return Response(error.body, error.status, headers=error.headers, media_type="application/json")


async def _failed(request: Request, error: Exception) -> Response:
    status = 400 if isinstance(error, InputError) else 503 if isinstance(error, SpoolError) else 409
    return JSONResponse({"sentence": str(error)}, status_code=status)
