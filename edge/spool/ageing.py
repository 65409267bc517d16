"""Erases what has been kept for too long: speech, or what it can be made of again, that nobody waits for any more."""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from pathlib import Path

from common.errors import SpoolError
from edge.clock import Clock
from edge.spool import damaged, sounds
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
        settings, folder = self._spool.settings, self._spool.sound_folder
        if not settings.sound_days:
            # It was kept by a setting that is another now.
            await self._erase(partial(_erase_sounds, folder, Erasure()), "recordings", 0)
        while True:
            if self._clock.is_synchronised():
                old = self._before(settings.days_max)
                await self._erase(partial(_erase, old), "utterances", settings.days_max)
                await self._erase(partial(_erase_damaged, self._spool.file, old), "damaged spools", settings.days_max)
                days = min(settings.sound_days, settings.days_max)
                await self._erase(partial(_erase_sounds, folder, self._before(days)), "recordings", days)
            await asyncio.sleep(self._look_s)

    def _before(self, days: int) -> Erasure:
        until_us = self._clock.unix_us() - days * DAY_US
        return Erasure(since_unix_us=PLAUSIBLE_SINCE_UNIX_US, until_unix_us=until_us)

    async def _erase(self, erase: Callable[[SpoolStore], int], what: str, days: int) -> None:
        asked: Future[int] = self._spool.ask(erase)
        try:
            erased = await asyncio.wrap_future(asked)
        except SpoolError:
            return
        if erased:
            logger.info("%d %s were erased after %d days", erased, what, days)


def _erase(old: Erasure, store: SpoolStore) -> int:
    with store.transaction():
        erased = store.erase(old)
    store.truncate_log()
    return erased


def _erase_damaged(file: Path, old: Erasure, store: SpoolStore) -> int:
    return damaged.remove_old(file, old)


def _erase_sounds(folder: Path, old: Erasure, store: SpoolStore) -> int:
    return len(sounds.erase(folder, old))
