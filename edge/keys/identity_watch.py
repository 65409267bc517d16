"""Follows a board's identity while its daemon runs: a new one is taken into use, one that is due is renewed, a service
that has moved is looked for.

That needs libraries which a daemon should not hold, so short-lived processes do it: `parrotlet-edge renew` and
`locate`, which anybody else may call as well.
"""

import asyncio
import logging
import os
import random
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

from common.child import complaint
from common.errors import IdentityError
from edge.clock import SYSTEM_CLOCK, Clock
from edge.keys.identity import Enrolment, Identity

logger = logging.getLogger(__name__)

LOOK_S = 2.0
"""How late a new identity is taken into use, at most."""
LOST_S = 20.0
"""How long a service is away before it is looked for at another address."""
AGAIN_S = {"renew": 3600.0, "locate": 120.0}
"""Pause after a command, whatever came of it; half as long or twice as long, by chance, so that boards do not come in
step."""
COMMAND_S_MAX = 60.0

Adopt = Callable[[Identity | None], Awaitable[None]]
Command = Callable[[str, Enrolment, Path], Awaitable[None]]
"""Runs `renew` or `locate` for the identity that lies in a directory. IdentityError."""


class IdentityWatch:
    """Of one service. `follow` runs in the network's thread."""

    def __init__(
        self,
        enrolment: Enrolment,
        adopt: Adopt,
        is_down: Callable[[], bool],
        *,
        clock: Clock = SYSTEM_CLOCK,
        command: Command | None = None,
    ) -> None:
        """adopt: is given each identity that differs from the one before; is_down: whether the service is away."""
        self._enrolment = enrolment
        self._adopt = adopt
        self._is_down = is_down
        self._clock = clock
        self._command = command or run_command
        self._up_s = clock.monotonic_s()
        self._again_at_s = dict.fromkeys(AGAIN_S, 0.0)
        self._ailing = ""

    async def follow(self, adopted: Identity | None, look_s: float | None = None) -> None:
        """For ever."""
        while True:
            await asyncio.sleep(LOOK_S if look_s is None else look_s)
            identity = self._read()
            if identity != adopted:
                await self._adopt(identity)
                adopted = identity
            if identity is not None:
                await self._keep(identity)

    def _read(self) -> Identity | None:
        """As `read`, but a file that stays broken is told once."""
        try:
            identity = self._enrolment.identity()
            self._ailing = ""
            return identity
        except IdentityError as error:
            if self._ailing != str(error):
                logger.error("%s", error)
            self._ailing = str(error)
            return None

    async def _keep(self, identity: Identity) -> None:
        now_s = self._clock.monotonic_s()
        if not self._is_down():
            self._up_s = now_s
        if identity.is_due(self._clock.unix_us()):
            await self._once_in_a_while("renew", now_s)
        # Where its owner said where it is, there it is.
        if now_s - self._up_s >= LOST_S and not self._enrolment.address_is_given:
            await self._once_in_a_while("locate", now_s)

    async def _once_in_a_while(self, name: str, now_s: float) -> None:
        directory = self._enrolment.file.directory()
        if directory is None or now_s < self._again_at_s[name]:
            return
        self._again_at_s[name] = now_s + AGAIN_S[name] * random.uniform(0.5, 2)
        try:
            await self._command(name, self._enrolment, directory)
        except IdentityError as error:
            logger.warning("parrotlet-edge %s: %s", name, error)


def read(enrolment: Enrolment) -> Identity | None:
    """Who the board is to the service; nobody where that cannot be read, which is told in the log."""
    try:
        return enrolment.identity()
    except IdentityError as error:
        logger.error("%s", error)
        return None


async def run_command(name: str, enrolment: Enrolment, directory: Path) -> None:
    """IdentityError with what the command said."""
    environment = os.environ | {"PARROTLET_EDGE_DEVICE_STATE_DIR": str(directory)}
    try:
        said = await complaint(
            sys.executable,
            "-m",
            "edge",
            name,
            "--as",
            enrolment.file.name,
            s_max=COMMAND_S_MAX,
            environment=environment,
        )
    except TimeoutError as error:
        raise IdentityError(f"it took longer than {COMMAND_S_MAX:g} s") from error
    if said is not None:
        raise IdentityError(said)
