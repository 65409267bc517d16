"""The decoder pool: utterances go to worker processes, and survive their death.

An utterance's frames are kept until it is decoded. When its worker dies or wedges, a new worker takes its place
and the utterance is decoded again from its frames.
"""

import asyncio
import logging
import time
from types import TracebackType

from cloud.decoders import Hypothesis, Task
from cloud.worker import WorkerOptions
from cloud.worker_line import Ready
from cloud.worker_process import DecodingFailed, OnProgress, WorkerJob, WorkerLost, WorkerProcess
from common.errors import EngineError
from protos.feature_spec import Levels

logger = logging.getLogger(__name__)

WORKERS_PER_UTTERANCE_MAX = 3
"""An utterance that kills so many workers is not tried on another."""

READY_S_MAX = 120.0
RESTART_PAUSE_S_MAX = 10.0


class PoolBusy(Exception):
    """Raised when as many utterances wait for a worker as may."""


class Pool:
    """Worker processes with one kind of engine, as an asynchronous context manager.

    streaming: the engine decodes frames as they come, several utterances interleaved in a worker. Otherwise a
    worker has one utterance at a time, and up to `waiting_max` wait.
    """

    def __init__(
        self, options: WorkerOptions, *, size: int, wedged_s: float, streaming: bool, waiting_max: int
    ) -> None:
        self.streaming = streaming
        self._options = options
        self._wedged_s = wedged_s
        self._size = size
        self._ready: Ready
        self._workers: list[WorkerProcess] = []
        self._changed = asyncio.Condition()
        self._keepers: list[asyncio.Task[None]] = []
        self._waiting_max = waiting_max
        self._waiting = 0

    async def __aenter__(self) -> "Pool":
        """All workers are warm. EngineError if one cannot be started."""
        try:
            # All are waited for, so that none comes up after another one failed.
            started = await asyncio.gather(*[self._start() for _ in range(self._size)], return_exceptions=True)
            for outcome in started:
                if isinstance(outcome, BaseException):
                    raise outcome
        except BaseException:
            await self._stop_workers()
            raise
        self._keepers = [asyncio.create_task(self._keep(worker)) for worker in self._workers]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)
        await self._stop_workers()

    @property
    def engine(self) -> Ready:
        """Name and model of the engine, as its workers say."""
        return self._workers[0].ready if self._workers else self._ready

    @property
    def pids(self) -> list[int]:
        """The living workers' process ids."""
        return [worker.pid for worker in self._workers]

    @property
    def has_room(self) -> bool:
        """Whether an utterance would be decoded at once."""
        return self.streaming or (not self._waiting and any(not worker.load for worker in self._workers))

    def begin(self, task: Task, on_progress: OnProgress) -> "PoolJob":
        """A new utterance."""
        return PoolJob(self, task, on_progress)

    async def take(self, task: Task, on_progress: OnProgress) -> WorkerJob:
        """The utterance in the least loaded worker, waited for. PoolBusy if too many wait."""
        if self._waiting >= self._waiting_max:
            raise PoolBusy
        self._waiting += 1
        try:
            async with self._changed:
                while True:
                    free = [worker for worker in self._workers if self.streaming or not worker.load]
                    if free:
                        return min(free, key=lambda worker: worker.load).begin(task, on_progress)
                    await self._changed.wait()
        finally:
            self._waiting -= 1

    async def freed(self) -> None:
        """A job is over: somebody who waits may have its place."""
        async with self._changed:
            self._changed.notify_all()

    async def _start(self) -> WorkerProcess:
        worker = await WorkerProcess.start(self._options, ready_s_max=READY_S_MAX, wedged_s=self._wedged_s)
        self._ready = worker.ready
        self._workers.append(worker)
        await self.freed()
        return worker

    async def _keep(self, worker: WorkerProcess) -> None:
        """Replaces a worker whenever it dies, with longer pauses while new ones die at once."""
        pause_s = 0.1
        while True:
            born = time.monotonic()
            await worker.died.wait()
            self._workers.remove(worker)
            await worker.stop()
            pause_s = 0.1 if time.monotonic() - born > 60 else min(2 * pause_s, RESTART_PAUSE_S_MAX)
            await asyncio.sleep(pause_s)
            while True:
                try:
                    worker = await self._start()
                    break
                except EngineError as error:
                    logger.error("%s Trying again.", error)
                    await asyncio.sleep(RESTART_PAUSE_S_MAX)
            logger.warning("worker %d (%s) replaces it", worker.pid, worker.ready.engine)

    async def _stop_workers(self) -> None:
        await asyncio.gather(*(worker.stop() for worker in self._workers))
        self._workers.clear()


class PoolJob:
    """One utterance in the pool, on whichever worker lives. Must be closed."""

    def __init__(self, pool: Pool, task: Task, on_progress: OnProgress) -> None:
        self.taken_at = time.monotonic()
        """When a worker took it, for the last time."""
        self._pool = pool
        self._task = task
        self._on_progress = on_progress
        self._furthest = 0
        self._kept: list[Levels] = []
        self._all_fed = False
        self._changed = asyncio.Event()
        self._decoding = asyncio.create_task(self._decode()) if pool.streaming else None

    def feed(self, levels: Levels) -> None:
        """Takes the next frames. Never waits: what gathers while the worker is behind is bounded by the longest
        utterance."""
        self._kept.append(levels)
        self._changed.set()

    async def finish(self) -> Hypothesis:
        """Everything was fed: waits for the hypothesis. PoolBusy, or DecodingFailed."""
        self._all_fed = True
        self._changed.set()
        if self._decoding is None:
            self._decoding = asyncio.create_task(self._decode())
        return await self._decoding

    def goes_on(self) -> None:
        """It was no finish: more frames come. An engine cannot take a finish back, so that another reading starts, from
        the frames that were kept."""
        self._all_fed = False
        if self._decoding is not None:
            self._decoding.cancel()
        self._decoding = asyncio.create_task(self._decode()) if self._pool.streaming else None

    async def close(self) -> None:
        """Nobody wants it any more, or it is done."""
        if self._decoding is not None:
            self._decoding.cancel()
            await asyncio.gather(self._decoding, return_exceptions=True)

    async def _decode(self) -> Hypothesis:
        for _ in range(WORKERS_PER_UTTERANCE_MAX):
            job = await self._pool.take(self._task, self._progress)
            self.taken_at = time.monotonic()
            try:
                return await self._decode_by(job)
            except WorkerLost:
                continue
            finally:
                job.close()
                await self._pool.freed()
        raise DecodingFailed(f"{WORKERS_PER_UTTERANCE_MAX} workers died over this utterance")

    async def _decode_by(self, job: WorkerJob) -> Hypothesis:
        sent = 0
        while True:
            self._changed.clear()
            while sent < len(self._kept):
                await job.feed(self._kept[sent])
                sent += 1
            if self._all_fed:
                return await job.finish()
            await self._changed.wait()

    def _progress(self, text: str, frames: int) -> None:
        """Passed on once a stretch of frames, however often it is decoded."""
        if frames > self._furthest:
            self._furthest = frames
            self._on_progress(text, frames)
