"""What the watchdog asks of a pool: that somebody replaces workers that die."""

import asyncio
import os
import signal
from collections.abc import Callable
from typing import Any

import pytest

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
        # Whoever looks at it during a stop has nothing to tell.
        assert pool.ailment() is None

    asyncio.run(run())


def test_a_machine_that_has_no_process_to_spare_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cloud.workers.pool.RESTART_PAUSE_S_MAX", 0.05)
    spawn, refused = asyncio.create_subprocess_exec, 0

    async def refuses_once(*arguments: Any, **options: Any) -> Any:
        nonlocal refused
        if not refused:
            refused += 1
            raise BlockingIOError(11, "Resource temporarily unavailable")
        return await spawn(*arguments, **options)

    async def run() -> None:
        async with Pool(WorkerOptions("pocketsphinx"), size=1, wedged_s=20.0, streaming=True, waiting_max=1) as pool:
            monkeypatch.setattr(asyncio, "create_subprocess_exec", refuses_once)
            os.kill(pool.pids[0], signal.SIGKILL)
            await until(lambda: refused == 1)
            await until(lambda: pool.missing == 0)
            assert pool.ailment() is None

    asyncio.run(run())
