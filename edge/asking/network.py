"""The board's network thread: one event loop for all services that are asked."""

import asyncio
import logging
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

logger = logging.getLogger(__name__)

T = TypeVar("T")

CLOSE_S_MAX = 5.0


class Network:
    """A context manager."""

    def __init__(self) -> None:
        self.error: BaseException | None = None
        """What a piece of work died of that should not have."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop: asyncio.AbstractEventLoop
        self._thread: threading.Thread

    def __enter__(self) -> "Network":
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="network", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *cause: object) -> None:
        self.run(self._close()).result(CLOSE_S_MAX)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(CLOSE_S_MAX)
        self._loop.close()

    @property
    def alive(self) -> bool:
        """Whether the thread lives, and all that runs in it."""
        return self._thread.is_alive() and self.error is None

    def soon(self, do: Callable[..., None], *arguments: object) -> None:
        """Runs something in the thread; never waits."""
        self._loop.call_soon_threadsafe(self._guarded, do, *arguments)

    def at(self, when: float, do: Callable[[], None]) -> asyncio.TimerHandle:
        """Called in the thread: runs something at a time of its loop."""
        return self._loop.call_at(when, self._guarded, do)

    def run(self, work: Coroutine[Any, Any, T]) -> "Future[T]":
        """Begins some work in the thread; its outcome can be waited for."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def begin(self, work: Coroutine[Any, Any, None], then: Callable[[], None] = lambda: None) -> "asyncio.Task[None]":
        """Called in the thread: begins some work that nobody waits for, and that is given up when the network ends.
        `then` follows however it ends, be it before its first step."""
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._end)
        task.add_done_callback(lambda task: self._guarded(then))
        return task

    def give_up(self) -> None:
        """Ends all that was begun, and waits for it."""
        self.run(self._cancel()).result(CLOSE_S_MAX)

    def _end(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._die(error)

    def _guarded(self, do: Callable[..., None], *arguments: object) -> None:
        try:
            do(*arguments)
        except Exception as error:  # Not swallowed: the daemon ends with it.
            self._die(error)

    def _die(self, error: BaseException) -> None:
        if self.error is None:
            self.error = error
            logger.error("the network's thread died of %s (%s)", type(error).__name__, error)
            logger.debug("there", exc_info=error)

    async def _cancel(self) -> None:
        # What is cancelled may begin something in its place.
        while self._tasks:
            for task in list(self._tasks):
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _close(self) -> None:
        await self._cancel()
        # grpc.aio has tasks of its own, which end soon after their calls.
        rest = asyncio.all_tasks() - {asyncio.current_task()}
        if rest:
            await asyncio.wait(rest, timeout=1.0)
