"""Stands before the page: who is no paired phone, or a page of somebody else's, gets no further.

An ASGI application around another, for requests and WebSockets alike. What it lets through has
`scope["state"]["phone"]`, a Phone or None, and a body that is whole.
"""

import asyncio
import logging
from collections.abc import Collection
from typing import NamedTuple

from common.errors import IdentityError
from common.host_header import is_ours
from common.rates import Rate, Rates
from edge.phones.asgi import Answer, App, Message, Receive, Request, Scope, Send
from edge.phones.cookie import cookie_name, set_cookie
from edge.phones.door import Door
from edge.phones.phones import Phone, Phones
from edge.phones.refusal import Refused, too_often

logger = logging.getLogger(__name__)

LOOK_S = 1.0
"""How late a revoked phone's connections end, at most."""

OPEN_PATHS = frozenset({"/", "/pair"})
OPEN_FOLDER = "/static/"
PAIRING_PATHS = frozenset({"/pair", "/unpair"})


class Limits(NamedTuple):
    """Of what is asked."""

    body_bytes_max: int = 65_536
    body_s_max: float = 10.0
    phone: Rate = Rate(120, 20.0)
    stranger: Rate = Rate(60, 5.0)
    strangers: Rate = Rate(200, 40.0)
    """All of them together."""


class Guard:
    """Before an application. `watch` has to run beside it."""

    def __init__(
        self,
        app: App,
        phones: Phones,
        door: Door,
        *,
        names: Collection[str],
        tls: bool = True,
        limits: Limits | None = None,
    ) -> None:
        """names: of this board, lower case, IPv6 in brackets; the addresses it is reached at need not be among them."""
        self._app, self._phones, self._door = app, phones, door
        self._names, self._tls = frozenset(names), tls
        self._limits = limits or Limits()
        self._phone_rates = Rates(self._limits.phone)
        self._stranger_rates = Rates(self._limits.stranger, self._limits.strangers)

    async def watch(self, look_s: float = LOOK_S) -> None:
        """For ever: ends the connections, streams and all, of phones that are revoked."""
        while True:
            await asyncio.sleep(look_s)
            self._door.cut_unknown(self._phones.is_known)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        answer = Answer(send, request)
        try:
            phone = self._admitted(request)
            scope.setdefault("state", {})["phone"] = phone
            if phone is not None:
                await self._seen(phone)
                answer.cookie = self._renewed(request)
            if request.has_body:
                receive = _again(await self._body(request, receive), receive)
            # Who unpairs itself shall see the answer, and not its connection end.
            bearer = "" if phone is None or request.path in PAIRING_PATHS else phone.id
            self._door.begins(scope.get("client"), bearer)
            await self._app(scope, receive, answer.send)
        except Refused as refused:
            await answer.refuse(refused)
        except _Gone:
            pass
        finally:
            self._door.ends(scope.get("client"))

    def _admitted(self, request: Request) -> Phone | None:
        """The phone that asks; None: a stranger, who may. Refused."""
        scope = request.scope
        own_address, own_port = scope.get("server") or ("", None)
        host = request.one("host")
        default_port = 443 if self._tls else 80
        if host is None or not is_ours(
            host, names=self._names, address=own_address, port=own_port or 0, default_port=default_port
        ):
            raise Refused(421, "This board is not called so; where it should be, add the name to page.names.")
        phone = self._phone(request)
        self._check_rate(scope, phone)
        is_open = request.path in OPEN_PATHS or (request.path.startswith(OPEN_FOLDER) and ".." not in request.path)
        self._check_origin(request, host.lower(), is_open=is_open)
        if phone is None and not is_open:
            raise Refused(401, "This phone is not paired with the board, or not any more; open the page to pair it.")
        return phone

    def _phone(self, request: Request) -> Phone | None:
        cookie = request.cookie(cookie_name(self._tls))
        if cookie is None:
            return None
        try:
            return self._phones.by_cookie(cookie)
        except IdentityError as error:
            # The sentence has a path in it: not for strangers.
            self._phones.tell(error)
            raise Refused(503, "The board cannot look up its phones now; its log says why.") from error

    def _check_rate(self, scope: Scope, phone: Phone | None) -> None:
        client = scope.get("client") or ("",)
        rates, who = (self._stranger_rates, client[0]) if phone is None else (self._phone_rates, phone.id)
        if wait_s := rates.wait_s(who):
            raise too_often(wait_s, "That is too often.")

    def _check_origin(self, request: Request, host: str, *, is_open: bool) -> None:
        """That our own page asks. A browser says who does; a program that is none has no cookie to lend."""
        own = f"{'https' if self._tls else 'http'}://{host}"
        said, site = request.every("origin"), request.every("sec-fetch-site")
        if request.changes:
            is_own = [each.lower() for each in said] == [own] if said else not request.is_websocket and _is_own(site)
        else:
            # What is open may be led to from anywhere; what is not is for our own page's eyes alone.
            is_own = is_open or not site or _is_own(site) or site == ["none"]
        if not is_own:
            raise Refused(403, "Another page asked for that, not the board's own.")

    async def _seen(self, phone: Phone) -> None:
        """Notes that the phone was here today."""
        if self._phones.is_seen_today(phone):
            return
        try:
            await asyncio.to_thread(self._phones.seen, phone.id)
        except IdentityError as error:
            logger.warning("when phones were seen last cannot be kept: %s", error)

    def _renewed(self, request: Request) -> str | None:
        """The cookie of a phone that opens the page, to give it anew, so that it never gets old."""
        cookie = request.cookie(cookie_name(self._tls))
        return set_cookie(cookie, tls=self._tls) if request.path == "/" and cookie is not None else None

    async def _body(self, request: Request, receive: Receive) -> bytes:
        """All of it. Refused where it is too long or too slow."""
        bytes_max = self._limits.body_bytes_max
        too_long = Refused(413, f"That is too long: a request has {bytes_max // 1024} kB at most.")
        length = request.one("content-length") or "0"
        if not length.isdecimal() or len(length) > 18 or int(length) > bytes_max:
            raise too_long
        body = bytearray()
        try:
            async with asyncio.timeout(self._limits.body_s_max):
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise _Gone
                    body += message.get("body", b"")
                    if len(body) > bytes_max:
                        raise too_long
                    if not message.get("more_body"):
                        return bytes(body)
        except TimeoutError as error:
            raise Refused(408, "The request came too slowly.", {"Connection": "close"}) from error


class _Gone(Exception):
    """Nobody waits for the answer."""


def _is_own(site: list[str]) -> bool:
    return site == ["same-origin"]


def _again(body: bytes, receive: Receive) -> Receive:
    """Gives the body once more, at once, and then whatever comes."""
    left = [body]

    async def receive_again() -> Message:
        if left:
            return {"type": "http.request", "body": left.pop(), "more_body": False}
        return await receive()

    return receive_again
