"""Brings a service what it is owed: what its owner wanted forgotten, and what people said of its answers."""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Future
from typing import Protocol, TypeVar

from common.errors import SpoolError
from edge.asking.answer import Path
from edge.asking.cloud_channel import CallFailed, Trouble
from edge.asking.link import Link
from edge.spool.debts import Owed
from edge.spool.erasure import Erasure
from edge.spool.feedback import Feedback
from edge.spool.spool import Spool
from edge.spool.store import SpoolStore

logger = logging.getLogger(__name__)

T = TypeVar("T")

LOOK_S = 10.0
"""How often the spool is looked at."""


class Creditor(Protocol):
    """`CloudClient`."""

    async def forget(self, erasure: Erasure) -> int:
        """How many utterances of this board it had kept. CallFailed."""

    async def give(self, feedback: Feedback) -> None:
        """Tells what a person said of an answer. CallFailed."""


class Courier:
    """Runs in the network's thread until it is cancelled."""

    def __init__(self, spool: Spool, path: Path, service: Creditor, link: Link) -> None:
        self._spool = spool
        self._path = path
        self._service = service
        self._link = link

    async def run(self) -> None:
        while True:
            try:
                for number, owed in await self._ask(lambda store: store.debts.owed(self._path)):
                    await self._link.up()
                    await self._bring(number, owed)
            except CallFailed as error:
                self._link.failed(error)
            except SpoolError:
                # The spool says what is wrong with it.
                pass
            await asyncio.sleep(LOOK_S)

    async def _bring(self, number: int, owed: Owed) -> None:
        try:
            erased = await bring(self._service, owed)
        except CallFailed as error:
            if error.trouble is not Trouble.REFUSED:
                raise
            logger.error("the service will never take what it was owed: %s", error)
        else:
            if isinstance(owed, Erasure):
                logger.info("the service forgot %d utterances, as it was asked to earlier", erased)
        await self._ask(lambda store: settle(store, self._path, number, owed))

    async def _ask(self, question: Callable[[SpoolStore], T]) -> T:
        asked: Future[T] = self._spool.ask(question)
        return await asyncio.wrap_future(asked)


async def bring(service: Creditor, owed: Owed) -> int:
    """Tells it; how many utterances it forgot. CallFailed."""
    if isinstance(owed, Erasure):
        return await service.forget(owed)
    await service.give(owed)
    return 0


def settle(store: SpoolStore, path: Path, number: int, owed: Owed) -> None:
    """The service has been told."""
    store.debts.settle(number)
    if isinstance(owed, Feedback) and not store.debts.has_feedback(owed.feedback_id):
        # It was forgotten while it was on its way.
        store.debts.owe(path, Erasure(owed.utterance_id))
