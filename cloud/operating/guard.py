"""Stands before the operator's page: who did not sign in, or a page of somebody else's, gets one sentence.

An ASGI application around another. What it lets through has `scope["state"]["session"]`, a Session or None, and a body
that is bounded.
"""

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable, Collection, MutableMapping
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response

from cloud.operating.operators import SESSION_S, Operators, Session
from common.errors import IdentityError
from common.host_header import is_ours
from common.rates import Rate, Rates

logger = logging.getLogger(__name__)

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

BODY_BYTES_MAX = 16_384
BODY_S_MAX = 10.0

OPERATOR_RATE = Rate(120, 20.0)
STRANGER_RATE, STRANGERS_RATE = Rate(30, 1.0), Rate(100, 10.0)
"""Of one address, and of all together. A link has too many bits to be guessed; this is for the processor."""

OPEN_PATHS = ("/enter", "/static/operating.css", "/static/icon.svg")
AGAIN = "again"
"""In the query of a request that our own page made, in place of another's that led here."""

STRANGER = (
    "This page is its operator's: parrotlet-cloud operate, on the service's machine, prints a link that signs a "
    "browser in."
)

HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    # With "no-referrer" a form would not say whose page it is on.
    "referrer-policy": "same-origin",
    "permissions-policy": "microphone=(), camera=(), geolocation=(), payment=(), usb=()",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}


class _Refused(Exception):
    def __init__(self, status: int, sentence: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(sentence)
        self.response = PlainTextResponse(f"{sentence}\n", status, headers)


class Guard:
    """Before an application; all of it runs in one thread."""

    def __init__(
        self,
        app: App,
        operators: Operators,
        *,
        names: Collection[str],
        tls: bool,
        page: str = "",
    ) -> None:
        """names: of this machine, lower case, IPv6 in brackets; the address it is reached at need not be among them.
        `page`: STRANGER as a browser shows it."""
        self._app, self._operators, self._page = app, operators, page
        self._names, self._tls = frozenset(names), tls
        self._operator_rates = Rates(OPERATOR_RATE)
        self._stranger_rates = Rates(STRANGER_RATE, STRANGERS_RATE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_ours(message: Message) -> None:
            if message["type"] == "http.response.start":
                theirs = {key.lower() for key, _ in message.get("headers", ())}
                ours = [(key.encode(), value.encode()) for key, value in HEADERS.items() if key.encode() not in theirs]
                message = {**message, "headers": [*message.get("headers", ()), *ours]}
            await send(message)

        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        try:
            session = scope.setdefault("state", {})["session"] = self._admitted(request)
            if session is not None and not self._operators.is_seen_today(session):
                await self._seen(session)
            receive = await self._body(request, receive)
        except _Refused as refused:
            response: Response = refused.response
            if self._page and response.status_code == 401 and "text/html" in request.headers.get("accept", ""):
                again = {name: value for name, value in response.headers.items() if name == "refresh"}
                response = HTMLResponse(self._page, 401, again)
            await response(scope, receive, send_ours)
        else:
            await self._app(scope, receive, send_ours)

    def _admitted(self, request: Request) -> Session | None:
        """Whose browser asks; None: a stranger's, who may. _Refused."""
        address, port = request.scope.get("server") or ("", None)
        hosts = request.headers.getlist("host")
        default_port = 443 if self._tls else 80
        if len(hosts) != 1 or not is_ours(
            hosts[0], names=self._names, address=address, port=port or 0, default_port=default_port
        ):
            raise _Refused(421, "This service is not called so; add the name to server.names if it should be.")
        session = self._session(request)
        client = request.client.host if request.client else ""
        rates, who = (self._stranger_rates, client) if session is None else (self._operator_rates, session.id)
        if wait_s := rates.wait_s(who):
            whole_s = max(1, math.ceil(wait_s))
            raise _Refused(429, f"That is too often. Try again in {whole_s} s.", {"retry-after": str(whole_s)})
        self._check_origin(request, hosts[0].lower())
        if session is None and request.url.path not in OPEN_PATHS:
            # Where a link of another page led here, the browser kept the cookie back: our own page asks again.
            is_led = request.headers.get("sec-fetch-site") in ("cross-site", "same-site")
            again = {"refresh": f"0; url=/?{AGAIN}"} if is_led and request.method == "GET" else {}
            raise _Refused(401, STRANGER, again)
        return session

    async def _seen(self, session: Session) -> None:
        try:
            await asyncio.to_thread(self._operators.seen, session)
        except IdentityError as error:
            logger.warning("when browsers were here last cannot be kept: %s", error)

    def _session(self, request: Request) -> Session | None:
        token = request.cookies.get(cookie_name(tls=self._tls))
        if token is None:
            return None
        try:
            return self._operators.by_token(token)
        except IdentityError as error:
            # The sentence has a path in it: not for strangers.
            logger.warning("nobody can open the operator's page: %s", error)
            raise _Refused(503, "It cannot be looked up who may open this page; see its log.") from error

    def _check_origin(self, request: Request, host: str) -> None:
        """What changes anything is asked by our own page. A browser says who asks; a program has no cookie to lend."""
        if request.method in ("GET", "HEAD"):
            return
        own = f"{'https' if self._tls else 'http'}://{host}"
        said = [each.lower() for each in request.headers.getlist("origin")]
        if said != [own]:
            raise _Refused(403, "Another page asked for that, not this service's own.")

    async def _body(self, request: Request, receive: Receive) -> Receive:
        """All of it. _Refused where it is too long or too slow."""
        if request.method in ("GET", "HEAD"):
            return receive
        body = bytearray()
        try:
            async with asyncio.timeout(BODY_S_MAX):
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        # Half of a form is none.
                        raise _Refused(400, "The request ended before all of it was here.")
                    body += message.get("body", b"")
                    if len(body) > BODY_BYTES_MAX:
                        raise _Refused(413, f"That is too long: {BODY_BYTES_MAX // 1024} kB is the most.")
                    if not message.get("more_body"):
                        break
        except TimeoutError as error:
            raise _Refused(408, "The request came too slowly.", {"connection": "close"}) from error
        left: list[Message] = [{"type": "http.request", "body": bytes(body), "more_body": False}]

        async def receive_again() -> Message:
            return left.pop() if left else await receive()

        return receive_again


def cookie_name(*, tls: bool) -> str:
    """A browser takes __Host- only over TLS, and then from nobody but this very host."""
    return "__Host-parrotlet-operator" if tls else "parrotlet-operator"


def set_cookie(value: str, *, tls: bool, age_s: int = SESSION_S) -> str:
    """What `Set-Cookie` says; an age of 0 takes it away."""
    secure = "; Secure" if tls else ""
    return f"{cookie_name(tls=tls)}={value}; Path=/; Max-Age={age_s}; HttpOnly; SameSite=Strict{secure}"
