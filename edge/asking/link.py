"""Whether a service answers: a circuit breaker.

After repeated failure the service is no longer tried at the user's cost, but in the background, until it says what it
is again.
"""

import asyncio
import logging
import random
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from common.errors import CloudError
from edge.asking.cloud_channel import CallFailed, Trouble
from edge.asking.network import Network

logger = logging.getLogger(__name__)

FAILURES_MAX = 2
"""Times in a row that a service breaks over what it is sent; with these, the link counts as down. One that cannot be
reached is down at once."""

FIRST_PROBE_S = (0.0, 0.5)
"""Pause before the first probe: often a connection died, and the service did not."""

PROBE_S = (1.5, 2.5)
"""Pause between two probes, drawn so that boards which lost the same service do not come back in step."""


class Probed(Protocol):
    """A service: `CloudClient`."""

    address: str
    network: Network

    async def probe(self) -> None:
        """CallFailed if it is not there."""


class Link:
    """Everything but reading happens in the network's thread."""

    def __init__(self, service: Probed, clock: Callable[[], float] = time.monotonic) -> None:
        self.down: CloudError | None = None
        """Why the service counts as not there."""
        self.answered_s: float | None = None
        """When it last said anything, monotonic."""
        self._service = service
        self._clock = clock
        self._failures = 0
        self._probing: asyncio.Task[None] | None = None
        self._waiting: set[asyncio.Event] = set()
        self._hurry = asyncio.Event()

    @property
    def address(self) -> str:
        return self._service.address

    def succeeded(self) -> None:
        """It answered, be it with a refusal."""
        self.answered_s = self._clock()
        self._failures = 0
        if self.down is not None:
            self.down = None
            logger.info("%s: the service is there again", self.address)
        for up in self._waiting:
            up.set()

    def failed(self, error: CloudError) -> None:
        """It did not."""
        trouble = error.trouble if isinstance(error, CallFailed) else Trouble.BROKEN
        if trouble not in (Trouble.AWAY, Trouble.BROKEN, Trouble.SHUT_OUT):
            self.succeeded()
            return
        self._failures += 1
        # Who is shut out need not try twice either; the owner may let the board in again at any time.
        if (trouble is not Trouble.BROKEN or self._failures >= FAILURES_MAX) and self.down is None:
            logger.warning("no longer waited for: %s", error)
            self.down = error
        if self.down is not None and self._probing is None:
            self._probing = self._service.network.begin(self._probe())

    def hurry(self) -> None:
        """Somebody speaks: it is worth another look."""
        self._hurry.set()

    async def up(self) -> None:
        """Waits until the service is there, as far as anybody knows."""
        if self.down is not None:
            up = asyncio.Event()
            self._waiting.add(up)
            try:
                await up.wait()
            finally:
                self._waiting.discard(up)

    async def _probe(self) -> None:
        pause_s = FIRST_PROBE_S
        while self.down is not None:
            self._hurry.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(random.uniform(*pause_s)):
                    await self._hurry.wait()
            pause_s = PROBE_S
            try:
                await self._service.probe()
            except CallFailed as error:
                # It may have answered somebody meanwhile.
                self.down = self.down and error
            else:
                self.succeeded()
        self._probing = None
