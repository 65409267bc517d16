"""A request as ASGI tells it, and an answer with the headers that each one has."""

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

from edge.phones.refusal import Refused

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_SAFE = frozenset({"GET", "HEAD"})

CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; worker-src 'self'; "
    "manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "content-security-policy": CONTENT_POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "permissions-policy": "microphone=(self), camera=(), geolocation=(), payment=(), usb=()",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    # What is public says otherwise itself.
    "cache-control": "no-store",
}


class Request:
    """What ASGI tells of one, by name."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.path: str = scope["path"]
        self.is_websocket = scope["type"] == "websocket"
        self.changes = self.is_websocket or scope["method"] not in _SAFE
        self._headers: list[tuple[bytes, bytes]] = list(scope["headers"])

    def every(self, name: str) -> list[str]:
        return [value.decode("latin-1").strip() for key, value in self._headers if key.lower() == name.encode()]

    def one(self, name: str) -> str | None:
        """None also where there are several: who says two things says nothing."""
        values = self.every(name)
        return values[0] if len(values) == 1 else None

    @property
    def has_body(self) -> bool:
        return not self.is_websocket and bool(self.every("content-length") or self.every("transfer-encoding"))

    def cookie(self, name: str) -> str | None:
        """The first of that name."""
        for pair in ";".join(self.every("cookie")).split(";"):
            key, mark, value = pair.strip().partition("=")
            if mark and key == name:
                return value
        return None


class Answer:
    """Sends, with the headers that each answer has."""

    def __init__(self, send: Send, request: Request) -> None:
        self._send, self._request = send, request
        self.cookie: str | None = None
        self._begun = False

    async def send(self, message: Message) -> None:
        if message["type"] in ("http.response.start", "websocket.http.response.start"):
            self._begun = True
            message = {**message, "headers": list(self._with_ours(message.get("headers", ())))}
        elif message["type"] in ("websocket.accept", "websocket.close"):
            self._begun = True
        await self._send(message)

    def _with_ours(self, headers: Iterable[tuple[bytes, bytes]]) -> Iterable[tuple[bytes, bytes]]:
        theirs = {key.lower() for key, _ in headers}
        yield from headers
        for key, value in _HEADERS.items():
            if key.encode() not in theirs:
                yield key.encode(), value.encode()
        if self.cookie is not None and b"set-cookie" not in theirs:
            yield b"set-cookie", self.cookie.encode()

    async def refuse(self, refused: Refused) -> None:
        """With its status and sentence, if nothing was sent yet."""
        if self._begun:
            return
        prefix = ""
        if self._request.is_websocket:
            if "websocket.http.response" not in self._request.scope.get("extensions", {}):
                await self._send({"type": "websocket.close", "code": 1008})
                return
            prefix = "websocket."
        headers = {"Content-Type": "application/json", "Content-Length": str(len(refused.body)), **refused.headers}
        pairs = [(key.lower().encode(), value.encode()) for key, value in headers.items()]
        await self.send({"type": f"{prefix}http.response.start", "status": refused.status, "headers": pairs})
        await self.send({"type": f"{prefix}http.response.body", "body": refused.body})
