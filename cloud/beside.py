"""What goes on beside the answering of calls, for as long as the service runs."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

logger = logging.getLogger(__name__)

PAUSE_S = 1.0

Part = Callable[[], Awaitable[None]]
"""Goes on for ever, or ends when there is nothing to do for it."""


@asynccontextmanager
async def beside(*parts: Part, pause_s: float = PAUSE_S) -> AsyncIterator[None]:
    """Meanwhile they go on; what dies of a fault of ours is told, and begins again after a pause."""
    tasks = [asyncio.create_task(_kept_up(part, pause_s)) for part in parts]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _kept_up(part: Part, pause_s: float) -> None:
    """A service that revokes nobody any more, or erases nothing, must not look well."""
    while True:
        try:
            await part()
            return
        except Exception:
            logger.exception("a fault of the service; that part of it begins again")
            await asyncio.sleep(pause_s)
