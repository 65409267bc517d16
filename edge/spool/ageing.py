"""Erases what has been kept for too long: speech can be made of it again, and nobody waits for it any more."""

import asyncio
import logging
from concurrent.futures import Future
from functools import partial

from common.errors import SpoolError
from edge.clock import Clock
from edge.spool.erasure import Erasure
from edge.spool.spool import Spool
from edge.spool.store import SpoolStore

logger = logging.getLogger(__name__)

LOOK_S = 3600.0

DAY_US = 86_400_000_000

PLAUSIBLE_SINCE_UNIX_US = 1_577_836_800_000_000
"""2020: what was spoken before then was spoken by a clock that nobody had set, and has no age."""


class Ageing:
    """Runs in the network's thread until it is cancelled. By a clock that is not right nothing is too old."""

    def __init__(self, spool: Spool, clock: Clock, look_s: float = LOOK_S) -> None:
        self._spool = spool
        self._clock = clock
        self._look_s = look_s

    async def run(self) -> None:
        while True:
            if self._clock.is_synchronised():
                until_us = self._clock.unix_us() - self._spool.settings.days_max * DAY_US
                old = Erasure(since_unix_us=PLAUSIBLE_SINCE_UNIX_US, until_unix_us=until_us)
                asked: Future[int] = self._spool.ask(partial(_erase, old))
                try:
                    erased = await asyncio.wrap_future(asked)
                except SpoolError:
                    erased = 0
                if erased:
                    logger.info("%d utterances were erased after %d days", erased, self._spool.settings.days_max)
            await asyncio.sleep(self._look_s)


def _erase(old: Erasure, store: SpoolStore) -> int:
    with store.transaction():
        erased = store.erase(old)
    store.truncate_log()
    return erased
