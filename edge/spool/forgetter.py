"""Asks a service to forget what its owner wanted forgotten while it could not be reached."""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Future
from typing import Protocol, TypeVar

from common.errors import SpoolError
from edge.asking.answer import Path
from edge.asking.cloud_channel import CallFailed, Trouble
from edge.asking.link import Link
from edge.spool.erasure import Erasure
from edge.spool.spool import Spool
from edge.spool.store import SpoolStore

logger = logging.getLogger(__name__)

T = TypeVar("T")

LOOK_S = 10.0
"""How often the spool is looked at."""


class Forgetful(Protocol):
    """`CloudClient`."""

    async def forget(self, erasure: Erasure) -> int:
        """How many utterances of this board it had kept. CallFailed."""


class Forgetter:
    """Runs in the network's thread until it is cancelled."""

    def __init__(self, spool: Spool, path: Path, service: Forgetful, link: Link) -> None:
        self._spool = spool
        self._path = path
        self._service = service
        self._link = link

    async def run(self) -> None:
        while True:
            try:
                for number, erasure in await self._ask(lambda store: store.to_forget(self._path)):
                    await self._link.up()
                    await self._forget(number, erasure)
            except CallFailed as error:
                self._link.failed(error)
            except SpoolError:
                # The spool says what is wrong with it.
                pass
            await asyncio.sleep(LOOK_S)

    async def _forget(self, number: int, erasure: Erasure) -> None:
        try:
            erased = await self._service.forget(erasure)
        except CallFailed as error:
            if error.trouble is not Trouble.REFUSED:
                raise
            logger.error("the service will never forget what it was asked to: %s", error)
        else:
            logger.info("the service forgot %d utterances, as it was asked to earlier", erased)
        await self._ask(lambda store: store.forgotten(number))

    async def _ask(self, question: Callable[[SpoolStore], T]) -> T:
        asked: Future[T] = self._spool.ask(question)
        return await asyncio.wrap_future(asked)
