"""What the watchdog asks of a pool: that somebody replaces workers that die."""

import asyncio
import os
import signal
from collections.abc import Callable

from cloud.workers.pool import Pool
from cloud.workers.worker import WorkerOptions


async def until(what: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not what():
            await asyncio.sleep(0.01)


def test_a_worker_that_is_being_replaced_is_missing_and_no_ailment_and_nobody_who_replaces_it_is_one() -> None:
    async def run() -> None:
        pool = Pool(WorkerOptions("pocketsphinx"), size=1, wedged_s=20.0, streaming=True, waiting_max=1)
        async with pool:
            assert (pool.missing, pool.ailment()) == (0, None)
            os.kill(pool.pids[0], signal.SIGKILL)
            await until(lambda: pool.missing == 1)
            assert pool.ailment() is None
            await until(lambda: pool.missing == 0)
            pool._keepers[0].cancel()
            await until(lambda: pool.ailment() == "Nobody replaces the workers of pocketsphinx any more.")

    asyncio.run(run())
