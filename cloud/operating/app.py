"""The operator's page as an application: who signed in asks, a thread reads, a template shows.

Two pages are made at a time; others wait. What they read is read by connections of their own.
"""

import asyncio
import logging
import sqlite3
import time
from collections.abc import Awaitable, Callable, Mapping
from importlib.resources import files
from typing import Any
from urllib.parse import parse_qs, quote

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from cloud.feedback import TRANSCRIPT_LENGTH_MAX
from cloud.log.answer_log import FILE_NAME
from cloud.operating.guard import STRANGER, Guard, set_cookie
from cloud.operating.kept import Kept
from cloud.operating.operators import NotSignedIn, Operators, Session
from cloud.operating.pages import board, changing, errors, fleet, found, labelling, utterance
from cloud.operating.rendering import Templates
from cloud.operating.seams import Drift, Labels, NoDrift, NoLabels, Running
from cloud.settings import CloudSettings
from common import VERSION
from common.errors import IdentityError, ParrotletError

logger = logging.getLogger(__name__)

AT_ONCE = 2
LABELS_SHOWN = 50

TYPES = {"operating.css": "text/css", "icon.svg": "image/svg+xml"}

HEADINGS = {403: "Not signed in", 404: "Not here"}
"""Of a page that is one sentence, by its status."""

REFUSED = {
    "RESOURCE_EXHAUSTED": "too much at a time, or too often",
    "INVALID_ARGUMENT": "what came breaks the protocol",
    "UNAUTHENTICATED": "no certificate, or not a good one",
    "PERMISSION_DENIED": "for another board than the certificate says",
    "FAILED_PRECONDITION": "not as the service is set up",
    "DEADLINE_EXCEEDED": "nothing came for too long",
    "UNAVAILABLE": "the service could not, just then",
    "ABORTED": "begun anew meanwhile",
    "INTERNAL": "a fault of the service; its log says which",
}
"""Codes of gRPC, as people read them."""

Endpoint = Callable[[Request], Awaitable[Response]]


class OperatorPage:
    """Of one service."""

    def __init__(
        self,
        settings: CloudSettings,
        operators: Operators,
        running: Running | None,
        *,
        tls: bool,
        drift: Drift | None = None,
        labels: Labels | None = None,
        unix_us: Callable[[], int] = lambda: time.time_ns() // 1000,
    ) -> None:
        """`settings`: as the owner has them, without what is promoted. `running`: None where nothing runs."""
        self._settings = settings
        self._log = settings.storage.state_dir / FILE_NAME
        self._kept = Kept(self._log)
        self._operators = operators
        self._running = running
        self._tls = tls
        self._drift, self._labels = drift or NoDrift(), labels or NoLabels()
        self._unix_us = unix_us
        self._templates = Templates()
        folder = files("cloud.operating").joinpath("static")
        self._static = {name: folder.joinpath(name).read_bytes() for name in TYPES}
        self._places: asyncio.Semaphore | None = None

    def guarded(self, names: list[str]) -> Guard:
        """The whole, for the names that this machine is known by."""
        values = {"sentence": STRANGER, "heading": HEADINGS[403], "here": "", "session": None}
        page = self._templates.text("sentence.html", {**values, "service_version": VERSION})
        return Guard(self._application(), self._operators, names=names, tls=self._tls, page=page)

    def _application(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/", self._read(self._fleet)),
                Route("/board", self._read(self._board)),
                Route("/utterance", self._read(self._utterance)),
                Route("/utterance/spectrogram.png", self._read(self._picture)),
                Route("/search", self._read(self._found)),
                Route("/models", self._read(self._changing)),
                Route("/models/step", self._read(self._step)),
                Route("/models/step", self._take, methods=["POST"]),
                Route("/capacity", self._read(self._capacity)),
                Route("/drift", self._read(self._drifted)),
                Route("/errors", self._read(self._errors)),
                Route("/labels", self._read(self._to_label)),
                Route("/labels", self._read(self._draw), methods=["POST"]),
                Route("/label", self._read(self._label)),
                Route("/label", self._take_label, methods=["POST"]),
                Route("/enter", self._door),
                Route("/enter", self._enter, methods=["POST"]),
                Route("/leave", self._leave, methods=["POST"]),
                Route("/static/{name}", self._file),
            ],
            exception_handlers={404: self._unknown},
        )

    def _read(self, make: Callable[[Request], Response]) -> Endpoint:
        """An endpoint whose page is made in a thread; what goes wrong there is told by a sentence."""

        async def endpoint(request: Request) -> Response:
            return await self._in_thread(make, request)

        return endpoint

    async def _in_thread(self, make: Callable[..., Response], request: Request, *more: Any) -> Response:
        if self._places is None:
            self._places = asyncio.Semaphore(AT_ONCE)
        async with self._places:
            try:
                return await asyncio.to_thread(make, request, *more)
            except (ParrotletError, sqlite3.Error) as error:
                return self._told(request, str(error), 503)

    def _page(self, request: Request, name: str, values: Mapping[str, Any], status: int = 200) -> Response:
        session: Session | None = request.state.session
        common = {"here": request.url.path, "session": session, "service_version": VERSION}
        return HTMLResponse(self._templates.text(name, {**common, **values}), status)

    def _told(self, request: Request, sentence: str, status: int) -> Response:
        values = {"sentence": sentence, "heading": HEADINGS.get(status, "That did not work")}
        return self._page(request, "sentence.html", values, status)

    def _fleet(self, request: Request) -> Response:
        asked, boards = request.query_params, self._settings.storage.pki_dir / "boards.json"
        state, find = asked.get("state", ""), asked.get("find", "").strip()
        values = fleet.fleet(self._log, boards, self._unix_us(), state=state, find=find, is_all="all" in asked)
        return self._page(request, "fleet.html", values)

    def _board(self, request: Request) -> Response:
        values = board.board(self._log, request.query_params.get("id", ""), self._unix_us())
        if values is None:
            return self._told(request, "Nothing is in the log of a board of that name.", 404)
        return self._page(request, "board.html", values)

    def _utterance(self, request: Request) -> Response:
        asked = request.query_params
        values = utterance.utterance(self._log, asked.get("board", ""), asked.get("id", ""))
        if values is None:
            return self._told(request, "That utterance is not in the log, or not any more.", 404)
        return self._page(request, "utterance.html", values)

    def _picture(self, request: Request) -> Response:
        asked = request.query_params
        drawn = utterance.picture(self._log, asked.get("board", ""), asked.get("id", ""))
        if drawn is None:
            return self._told(request, "No frames of that utterance are kept.", 404)
        return Response(drawn, media_type="image/png")

    def _found(self, request: Request) -> Response:
        return self._page(request, "search.html", found.found(self._log, request.query_params))

    def _changing(self, request: Request) -> Response:
        return self._page(request, "models.html", changing.changing(self._settings))

    def _step(self, request: Request) -> Response:
        asked = request.query_params
        step = changing.step(self._settings, asked.get("kind", ""), asked.get("name", ""), asked.get("does", ""))
        return self._page(request, "step.html", {"step": step, "length_max": changing.WHY_LENGTH_MAX})

    async def _take(self, request: Request) -> Response:
        return await self._in_thread(self._taken, request, await _form(request))

    def _taken(self, request: Request, given: Mapping[str, str]) -> Response:
        fields = [given.get(name, "") for name in ("kind", "name", "does", "rollout", "why")]
        changing.take(self._settings, f"{request.state.session.name} (page)", *fields)
        return RedirectResponse("/models", 303)

    def _capacity(self, request: Request) -> Response:
        load = None if self._running is None else self._running.load()
        return self._page(request, "capacity.html", {"load": load, "refused": REFUSED})

    def _drifted(self, request: Request) -> Response:
        return self._page(request, "drift.html", {"drifted": self._drift.drifted()})

    def _errors(self, request: Request) -> Response:
        values = self._kept.get("errors", lambda: errors.errors(self._log.parent, self._unix_us()))
        return self._page(request, "errors.html", values)

    def _to_label(self, request: Request) -> Response:
        waiting = self._labels.waiting(LABELS_SHOWN)
        if not waiting and self._labels.draw():
            waiting = self._labels.waiting(LABELS_SHOWN)
        values = {
            "waiting": waiting,
            "shown_max": LABELS_SHOWN,
            "needs": self._labels.needs(),
            "is_nothing_new": "none" in request.query_params,
        }
        return self._page(request, "labels.html", values)

    def _draw(self, request: Request) -> Response:
        return RedirectResponse("/labels" if self._labels.draw() else "/labels?none", 303)

    def _label(self, request: Request) -> Response:
        asked = request.query_params
        values = utterance.utterance(self._log, asked.get("board", ""), asked.get("id", ""))
        if values is None:
            return self._told(request, "That utterance is not in the log, or not any more.", 404)
        return self._page(request, "label.html", {**values, "length_max": TRANSCRIPT_LENGTH_MAX})

    async def _take_label(self, request: Request) -> Response:
        return await self._in_thread(self._labelled, request, await _form(request))

    def _labelled(self, request: Request, given: Mapping[str, str]) -> Response:
        labelling.take(self._labels, request.state.session.name, given)
        return RedirectResponse("/labels", 303)

    async def _door(self, request: Request) -> Response:
        token = request.query_params.get("link", "")
        try:
            is_good = await asyncio.to_thread(self._operators.is_good, token)
        except IdentityError as error:
            return self._shut(request, error)
        if not is_good and request.state.session is not None:
            # Who comes by the link once more is where it led.
            return RedirectResponse("/", 303)
        return self._page(request, "enter.html", {"token": token}) if is_good else self._refused(request)

    async def _enter(self, request: Request) -> Response:
        given = await _form(request)
        peer = request.client.host if request.client else "somewhere"
        try:
            signed_in = await asyncio.to_thread(self._operators.sign_in, given.get("link", ""), peer=peer)
        except NotSignedIn:
            return self._refused(request)
        except IdentityError as error:
            return self._shut(request, error)
        cookie = set_cookie(signed_in.token, tls=self._tls)
        return RedirectResponse("/", 303, {"set-cookie": cookie})

    def _shut(self, request: Request, error: IdentityError) -> Response:
        # The sentence has a path in it: not for strangers.
        logger.warning("nobody can sign in: %s", error)
        return self._told(request, "Nobody can sign in now; the service's log says why.", 503)

    def _refused(self, request: Request) -> Response:
        sentence = (
            "This link is not good, or not any more: it works once, and for ten minutes. parrotlet-cloud operate, on "
            "the service's machine, prints a new one."
        )
        return self._told(request, sentence, 403)

    async def _leave(self, request: Request) -> Response:
        return await self._in_thread(self._left, request)

    def _left(self, request: Request) -> Response:
        self._operators.revoke(request.state.session.id)
        return RedirectResponse("/", 303, {"set-cookie": set_cookie("", tls=self._tls, age_s=0)})

    async def _file(self, request: Request) -> Response:
        name = request.path_params["name"]
        if name not in TYPES:
            return self._told(request, "There is no such page.", 404)
        return Response(self._static[name], media_type=TYPES[name], headers={"cache-control": "max-age=3600"})

    async def _unknown(self, request: Request, error: Exception) -> Response:
        return self._told(request, "There is no such page.", 404)


async def _form(request: Request) -> dict[str, str]:
    """The first value of each field; nothing of what no form of ours has."""
    body = (await request.body()).decode(errors="replace")
    try:
        fields = parse_qs(body, keep_blank_values=True, max_num_fields=20)
    except ValueError:
        return {}
    return {name: values[0] for name, values in fields.items()}


def link_path(token: str) -> str:
    """Where a link leads."""
    return f"/enter?link={quote(token)}"
