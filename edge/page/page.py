"""The page's server: a thread with an event loop, behind the door and the guard."""

import asyncio
import logging
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

from common.errors import IdentityError
from common.http_server import HttpServer
from common.settings import Loaded
from edge import directories
from edge.page.app import STATIC, app
from edge.page.host import Hosts
from edge.page.serving import page_server
from edge.phones.address import known_names, page_address, page_urls
from edge.phones.door import Door
from edge.phones.guard import Guard
from edge.phones.invitations import Invitations
from edge.phones.pairing import Pairing
from edge.phones.phones import Phones
from edge.phones.shown_certificate import ask, keep_renewed, page_directory
from edge.settings import EdgeSettings
from edge.worker import Worker

logger = logging.getLogger(__name__)

STOP_S_MAX = 5.0


class Page:
    """A context manager: while it is entered, the page is served."""

    def __init__(self, loaded: Loaded[EdgeSettings], hosts: Hosts) -> None:
        """SettingsError or IdentityError, a sentence, where there can be no page."""
        settings = loaded.settings.page
        self._loaded = loaded
        self._hosts = hosts
        self._address = page_address(settings)
        self._names = known_names(settings)
        self._phones = Phones(page_directory(directories.hoped_for(loaded, directories.STATE)))
        self.invitations = Invitations(self._phones, settings.phones_max)
        self._door: Door
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self.worker = Worker("page", self._serve)

    @property
    def port(self) -> int:
        """The one that was picked, where none was given."""
        return self._door.port

    def __enter__(self) -> "Page":
        """SettingsError, a sentence, if it cannot listen there."""
        self._door = Door(self._address)
        self.worker.start()
        logger.info("the page is at %s", page_urls(self._loaded.settings.page, self.port)[0])
        return self

    def __exit__(self, *cause: object) -> None:
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._stop.set)
        self.worker.join(STOP_S_MAX)
        self._door.close()

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._run())
        finally:
            self._loop.close()

    async def _run(self) -> None:
        """Until it is stopped, or one of its parts died; IdentityError where there is no certificate."""
        try:
            await asyncio.to_thread(self.invitations.serve)
        except IdentityError as error:
            self._phones.tell(error)
        tls = self._loaded.settings.page.tls
        shown = await asyncio.to_thread(ask, self._loaded) if tls else None
        context = shown.context() if shown else None
        pairing = Pairing(self._phones, self.invitations, STATIC, tls=tls)
        guard = Guard(app(self._hosts, pairing), self._phones, self._door, names=self._names, tls=tls)
        server = page_server(guard, self._door, context)
        parts: list[Coroutine[Any, Any, None]] = [self._hosts.run(), guard.watch()]
        if shown is not None and context is not None:
            parts.append(keep_renewed(self._loaded, shown, context))
        await self._together(server, parts)

    async def _together(self, server: HttpServer, parts: list[Coroutine[Any, Any, None]]) -> None:
        beside = [asyncio.ensure_future(part) for part in parts]
        serving = asyncio.ensure_future(server.serve(sockets=[self._door]))
        stopping = asyncio.ensure_future(self._stop.wait())
        try:
            await asyncio.wait((serving, stopping, *beside), return_when=asyncio.FIRST_COMPLETED)
            # None of them ends by itself.
            for part in (serving, *beside):
                if part.done():
                    await part
        finally:
            # Streams end with what they tell of, and so does the server; then what libraries have begun for themselves.
            stopping.cancel()
            for part in beside:
                part.cancel()
            await asyncio.gather(*beside, return_exceptions=True)
            server.end()
            await serving
            rest = asyncio.all_tasks() - {asyncio.current_task()}
            for task in rest:
                task.cancel()
            await asyncio.gather(*rest, return_exceptions=True)
