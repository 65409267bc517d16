"""Feeds systemd's watchdog from the event loop, for as long as the loop goes round and its workers are looked after.

A loop that stands still feeds nothing, and systemd starts the service again; so it does where nobody replaces dead
workers any more.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Protocol

from common.supervision import Supervision

logger = logging.getLogger(__name__)

LOOK_S = 1.0
"""How often the workers are looked at; the watchdog's period is many times that."""


class Watched(Protocol):
    """Workers of one kind: `cloud.workers.pool.Pool`."""

    @property
    def missing(self) -> int:
        """Those that died and are not replaced yet."""

    def ailment(self) -> str | None:
        """What is wrong that no waiting cures, a sentence."""


@asynccontextmanager
async def watched(pools: Sequence[Watched], supervision: Supervision, look_s: float = LOOK_S) -> AsyncIterator[None]:
    """Looks at the workers, and feeds the watchdog while they are well."""
    watching = asyncio.create_task(_watch(pools, supervision, look_s))
    try:
        yield
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)


async def _watch(pools: Sequence[Watched], supervision: Supervision, look_s: float) -> None:
    told = ""
    while True:
        ailments = " ".join(filter(None, (pool.ailment() for pool in pools)))
        if ailments and ailments != told:
            logger.error("%s The watchdog is fed no more.", ailments)
        told = ailments
        missing = sum(pool.missing for pool in pools)
        supervision.status(ailments or (f"serving; {missing} workers are being replaced" if missing else "serving"))
        if not ailments:
            supervision.feed()
        await asyncio.sleep(look_s)
