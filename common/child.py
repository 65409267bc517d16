"""A program that a daemon starts, so that it need not hold what that needs; it ends with whoever waits for it."""

import asyncio
from collections.abc import Mapping


async def complaint(*command: str, s_max: float, environment: Mapping[str, str] | None = None) -> str | None:
    """Runs it: what it says on its standard error, where it fails; None: it did not. OSError if it cannot be started,
    TimeoutError, and it is killed, if it takes longer."""
    null = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(
        *command, env=environment, stdin=null, stdout=null, stderr=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(s_max):
            _, said = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return said.decode(errors="replace").strip() if process.returncode else None
