"""How a phone becomes one of this board's, and ceases to be: /pair and /unpair."""

import asyncio
import logging
from pathlib import Path
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from common.errors import IdentityError
from common.rates import Guesses
from edge.phones.cookie import set_cookie
from edge.phones.invitations import Invitations, NotInvited
from edge.phones.phones import Phone, Phones, shown_name
from edge.phones.refusal import Refused, too_often

logger = logging.getLogger(__name__)

_LED_HERE = frozenset({"cross-site", "same-site"})
_KINDS = ("iPhone", "iPad", "Android", "Macintosh", "Windows", "Linux")
"""What a browser says of its machine, the more special first."""
_CALLED = {"Macintosh": "Mac", "Windows": "Windows computer", "Linux": "Linux computer", "Android": "Android phone"}


class _Asked(msgspec.Struct):
    token: str = ""
    code: str = ""
    name: str = ""


class Pairing:
    """Routes for an application behind the guard."""

    def __init__(
        self,
        phones: Phones,
        invitations: Invitations,
        static: Path,
        *,
        tls: bool = True,
        guesses: Guesses | None = None,
    ) -> None:
        """static: folder with pair.html."""
        self._phones, self._invitations, self._tls = phones, invitations, tls
        self._guesses = guesses or Guesses()
        self._page = static / "pair.html"

    @property
    def routes(self) -> list[Route]:
        return [
            Route("/pair", self.page, methods=["GET"]),
            Route("/pair", self._pair, methods=["POST"]),
            Route("/unpair", self._unpair, methods=["POST"]),
        ]

    async def page(self, request: Request) -> Response:
        """What a stranger sees, here and at "/"."""
        # Each look at "/" tells who is paired: no cache may.
        headers = {"Cache-Control": "no-store"}
        if request.url.path == "/" and not request.url.query and request.headers.get("sec-fetch-site") in _LED_HERE:
            # After a link of another page's a browser keeps the cookie back; after our own page's it does not.
            headers["Refresh"] = "0; url=/?again"
        return FileResponse(self._page, headers=headers)

    async def _pair(self, request: Request) -> Response:
        try:
            return await self._admitted(request, _parsed(await request.body()))
        except Refused as refused:
            return _refusal(refused)

    async def _admitted(self, request: Request, asked: _Asked) -> Response:
        peer = request.client.host if request.client else ""
        # Nobody guesses 128 bits: who may not type a code for a while may still bring a token.
        if not asked.token and (wait_s := self._guesses.wait_s(peer)):
            raise too_often(wait_s, "There were too many wrong codes.")
        was: Phone | None = request.state.phone
        try:
            admitted = await asyncio.to_thread(
                self._invitations.accept,
                asked.token or asked.code,
                shown_name(asked.name) or _kind_of(request.headers.get("user-agent", "")),
                peer=peer,
                instead_of=was.id if was else "",
            )
        except NotInvited as error:
            if not asked.token:
                self._guesses.wrong(peer)
                logger.info("refused a wrong pairing code from %s", peer)
            raise Refused(403, str(error)) from error
        except IdentityError as error:
            logger.error("no phone could be paired: %s", error)
            raise Refused(503, "The board cannot pair a phone now; its log says why.") from error
        return _given({}, cookie=set_cookie(admitted.cookie, tls=self._tls))

    async def _unpair(self, request: Request) -> Response:
        phone: Phone = request.state.phone
        try:
            await asyncio.to_thread(self._phones.revoke, [phone.id])
        except IdentityError as error:
            logger.error("a phone could not be unpaired: %s", error)
            return _refusal(Refused(503, "The board cannot unpair this phone now; its log says why."))
        logger.info("the phone %s (%s) unpaired itself", phone.name, phone.id)
        given = _given({}, cookie=set_cookie("", tls=self._tls, age_s=0))
        # What it kept of answers goes, too.
        given.headers["Clear-Site-Data"] = '"cache", "storage"'
        return given


def _parsed(body: bytes) -> _Asked:
    """Refused if it is none."""
    try:
        asked = msgspec.json.decode(body, type=_Asked)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refused(400, 'A request to pair is {"code": "…"} or {"token": "…"}.') from error
    if bool(asked.token) == bool(asked.code):
        raise Refused(400, "To pair a phone, give its code or its token, and not both.")
    return asked


def _kind_of(user_agent: str) -> str:
    kind = next((kind for kind in _KINDS if kind in user_agent), "Phone")
    return _CALLED.get(kind, kind)


def _given(content: dict[str, Any], cookie: str) -> Response:
    return Response(msgspec.json.encode(content), headers={"Set-Cookie": cookie}, media_type="application/json")


def _refusal(refused: Refused) -> Response:
    return Response(refused.body, refused.status, headers=refused.headers, media_type="application/json")
