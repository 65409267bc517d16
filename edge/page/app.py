"""What the page answers to whom the guard has let in. Each fault is a sentence."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

import msgspec
from sse_starlette.sse import EventSourceResponse
from starlette.applications import Starlette
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import HTTPConnection, Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocket

from common import VERSION
from common.errors import InputError, ParrotletError, SpoolError
from edge.board.control import Command
from edge.page.card import has_words
from edge.page.microphone import Microphones
from edge.page.story import Kept, Story
from edge.page.stream import RETRY_MS, Wanted, stream

logger = logging.getLogger(__name__)

T = TypeVar("T")

STATIC = Path(__file__).parent / "static"
PING_S = 15
"""An idle stream says so often that it lives; routers forget connections that say nothing."""
ANSWERS_MAX = 200
"""Of one request for older ones."""
WORDS_CHARS_MAX = 200
GZIP_BYTES_MIN = 1000

DOABLE = ("mute", "unmute", "press")


class Host(Protocol):
    """The board behind the page."""

    name: str
    story: Story
    microphones: Microphones
    commands: Mapping[str, Command]

    def examples(self) -> Sequence[str]:
        """What may be said, a few sentences."""

    def forget(self, utterance_id: str | None) -> int:
        """Erases an utterance, or everything; of how many something was kept. Waits; ParrotletError."""


class _Forget(msgspec.Struct, frozen=True):
    utterance_id: str | None = None
    everything: bool = False


class _Static(StaticFiles):
    """What is the same for everybody: asked again whether it has changed, as an update changes it."""

    def file_response(self, *asked: Any, **how: Any) -> Response:
        response = super().file_response(*asked, **how)
        response.headers["Cache-Control"] = "no-cache"
        # What keeps the page for when the board is away is to see all of it.
        response.headers["Service-Worker-Allowed"] = "/"
        return response


def app(host: Host, more: Sequence[BaseRoute] = ()) -> Starlette:
    """`more`: routes that come before ours. Who asks is in the request's state, as `phone`."""
    return Starlette(
        routes=[
            *more,
            Route("/", _index),
            Route("/events", _told(_events, host)),
            Route("/answers", _told(_answers, host)),
            Route("/do/{what}", _told(_do, host), methods=["POST"]),
            Route("/forget", _told(_forget, host), methods=["POST"]),
            WebSocketRoute("/microphone", _microphone(host)),
            Mount("/static", GZipMiddleware(_Static(directory=STATIC), minimum_size=GZIP_BYTES_MIN)),
        ],
        exception_handlers={ParrotletError: _refused},
    )


def _told(
    handle: Callable[[Host, Request], Awaitable[Response]], host: Host
) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        return await handle(host, request)

    return endpoint


async def _index(request: Request) -> Response:
    return FileResponse(STATIC / "index.html", headers={"Cache-Control": "no-store"})


async def _events(host: Host, request: Request) -> Response:
    phone = _phone(request)

    def hello(kept: Kept | None) -> dict[str, Any]:
        return {
            "board": host.name,
            "version": VERSION,
            "phone": phone,
            "first": kept.first if kept else None,
            "last": kept.last if kept else None,
            "history": kept.history if kept else None,
            "examples": host.examples(),
            "microphone": host.microphones.allowed,
            "retry_ms": RETRY_MS,
        }

    try:
        wanted = Wanted(request)
    except ValueError:
        raise InputError("An event has a number.") from None
    return EventSourceResponse(stream(host.story, wanted, hello), ping=PING_S, headers={"Cache-Control": "no-store"})


async def _answers(host: Host, request: Request) -> Response:
    try:
        before = int(request.query_params.get("before", "0"))
        limit = min(int(request.query_params.get("limit", "50")), ANSWERS_MAX)
    except ValueError:
        raise InputError("before and limit are numbers.") from None
    words = request.query_params.get("search", "")[:WORDS_CHARS_MAX].lower().split()
    found = [
        {"id": item.number, **shown}
        for item in reversed(await host.story.events())
        if (not before or (item.number or 0) < before) and has_words(shown := msgspec.json.decode(item.data), words)
    ]
    return JSONResponse({"answers": found[:limit], "more": len(found) > limit})


async def _do(host: Host, request: Request) -> Response:
    what = request.path_params["what"]
    if what not in DOABLE:
        raise InputError(f"There is nothing called so to do; there is {', '.join(DOABLE)}.")
    await asyncio.to_thread(host.commands[what])
    return Response(status_code=204)


async def _forget(host: Host, request: Request) -> Response:
    wanted = await _body(request, _Forget)
    if (wanted.utterance_id is None) is not wanted.everything:
        raise InputError("Name an utterance, or everything.")
    here = await asyncio.to_thread(host.forget, wanted.utterance_id)
    return JSONResponse({"here": here})


def _microphone(host: Host) -> Callable[[WebSocket], Awaitable[None]]:
    async def endpoint(socket: WebSocket) -> None:
        await host.microphones.serve(socket, _phone(socket))

    return endpoint


def _phone(asking: HTTPConnection) -> str:
    """Whom the guard has let in."""
    return str(getattr(asking.state, "phone", "phone"))


async def _body(request: Request, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(await request.body(), type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InputError(f"That cannot be read: {error}.") from error


async def _refused(request: Request, error: Exception) -> Response:
    status = 400 if isinstance(error, InputError) else 503 if isinstance(error, SpoolError) else 409
    return JSONResponse({"sentence": str(error)}, status_code=status)
