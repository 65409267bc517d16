"""Follows a board's identity while its daemon runs: a new one is taken into use, one that is due is renewed.

Renewing needs a library that a daemon should not hold, so a short-lived process does it: `parrotlet-edge renew`, which
anybody else may call as well.
"""

import asyncio
import logging
import os
import random
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

from common.errors import IdentityError
from edge.clock import SYSTEM_CLOCK, Clock
from edge.identity import Enrolment, Identity

logger = logging.getLogger(__name__)

LOOK_S = 2.0
"""How late a new identity is taken into use, at most."""
AGAIN_S = 3600.0
"""Pause after a renewal, whatever came of it; half as long or twice as long, by chance, so that boards do not come in
step."""
RENEW_S_MAX = 60.0

Renew = Callable[[Enrolment, Path], Awaitable[None]]
"""Renews the identity that lies in a directory. IdentityError."""


async def follow(
    enrolment: Enrolment,
    adopt: Callable[[Identity | None], Awaitable[None]],
    adopted: Identity | None,
    *,
    clock: Clock = SYSTEM_CLOCK,
    look_s: float | None = None,
    renew: Renew | None = None,
) -> None:
    """Adopts each identity that differs from the one before, for ever."""
    renew = renew or renew_by_command
    again_at_s = 0.0
    while True:
        await asyncio.sleep(LOOK_S if look_s is None else look_s)
        identity = read(enrolment)
        if identity != adopted:
            await adopt(identity)
            adopted = identity
        directory = enrolment.file.directory()
        if identity and directory and identity.is_due(clock.unix_us()) and clock.monotonic_s() >= again_at_s:
            again_at_s = clock.monotonic_s() + AGAIN_S * random.uniform(0.5, 2)
            try:
                await renew(enrolment, directory)
            except IdentityError as error:
                logger.warning("the certificate is due and could not be renewed: %s", error)


def read(enrolment: Enrolment) -> Identity | None:
    """Who the board is to the service; nobody where that cannot be read, which is told in the log."""
    try:
        return enrolment.identity()
    except IdentityError as error:
        logger.error("%s", error)
        return None


async def renew_by_command(enrolment: Enrolment, directory: Path) -> None:
    """IdentityError with what the command said."""
    environment = os.environ | {"PARROTLET_EDGE_DEVICE_STATE_DIR": str(directory)}
    command = (sys.executable, "-m", "edge", "renew", "--as", enrolment.file.name)
    pipe, null = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(*command, env=environment, stdin=null, stdout=null, stderr=pipe)
    try:
        async with asyncio.timeout(RENEW_S_MAX):
            _, said = await process.communicate()
    except TimeoutError as error:
        raise IdentityError(f"it took longer than {RENEW_S_MAX:g} s") from error
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise IdentityError(said.decode(errors="replace").strip())
