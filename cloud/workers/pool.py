"""The decoder pool: utterances go to worker processes, and no more of them than the workers bear."""

import asyncio
import logging
import time
from types import TracebackType
from typing import Any, NamedTuple

import msgspec

from cloud.decoders import Task
from cloud.workers.heard import Rank
from cloud.workers.load import Load
from cloud.workers.pool_job import PoolBusy, PoolJob
from cloud.workers.worker import WorkerOptions
from cloud.workers.worker_job import OnProgress, WorkerJob
from cloud.workers.worker_line import Ready
from cloud.workers.worker_process import WorkerProcess
from common.errors import EngineError

logger = logging.getLogger(__name__)

READY_S_MAX = 120.0
RESTART_PAUSE_S_MAX = 10.0

STREAMING_SHARE_MAX = 0.8
QUEUED_SHARE_MAX = 0.6
"""Of the workers' time that may be spoken for; the rest is for those who speak at the same time by chance. Where
utterances queue for an engine, chance needs more."""

LAG_S_MAX = 1.0
"""Nobody is let in while a worker is so far behind those who speak, whatever the reason: two of its largest pieces."""

WAITED_FOR_S = 0.5
"""A worker that is so far behind those who speak keeps them waiting; what it is given at a time is as long."""


class Waiting(NamedTuple):
    """Somebody who waits for a worker."""

    job: PoolJob
    taken: "asyncio.Future[WorkerJob]"


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
        self._keepers: list[asyncio.Task[None]] = []
        self._waiting_max = waiting_max
        self._waiting: list[Waiting] = []
        self._open: list[PoolJob] = []
        self._load = Load()

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
        # Who looks at a pool that was closed, as the watchdog at a stop, finds nobody dead.
        keepers, self._keepers = self._keepers, []
        for keeper in keepers:
            keeper.cancel()
        await asyncio.gather(*keepers, return_exceptions=True)
        await self._stop_workers()

    @property
    def engine(self) -> Ready:
        """Name and model of the engine, as its workers say."""
        return self._workers[0].ready if self._workers else self._ready

    @property
    def name(self) -> str:
        """Of the engine."""
        return self.engine.engine

    @property
    def bundles(self) -> tuple[str, ...]:
        """Files that a worker which replaces another one reads again."""
        return self._options.bundles

    @property
    def waiting(self) -> int:
        """Utterances that wait for a worker."""
        return len(self._waiting)

    @property
    def pids(self) -> list[int]:
        """The living workers' process ids."""
        return [worker.pid for worker in self._workers]

    @property
    def missing(self) -> int:
        """Workers that died and are not replaced yet."""
        return self._size - len(self._workers)

    def ailment(self) -> str | None:
        """What is wrong that no waiting cures, a sentence; a worker that is being replaced is no ailment."""
        if any(keeper.done() for keeper in self._keepers):
            return f"Nobody replaces the workers of {self.engine.engine} any more."
        return None

    @property
    def has_room(self) -> bool:
        """Whether an utterance may be finished before it is sure that it is over."""
        return self.streaming or len(self._waiting) < len(self._workers)

    @property
    def is_idle(self) -> bool:
        """Whether nobody has an utterance in it."""
        return not self._open

    @property
    def is_waited_for(self) -> bool:
        """Whether somebody is kept waiting by others."""
        return bool(self._waiting) or any(worker.lag_s() > WAITED_FOR_S for worker in self._workers)

    def alike(self, *, size: int = 0, **changes: Any) -> "Pool":
        """Another pool of the same engine, with other options; `size` 0: of as many workers."""
        options = msgspec.structs.replace(self._options, **changes)
        size = size or self._size
        return Pool(
            options, size=size, wedged_s=self._wedged_s, streaming=self.streaming, waiting_max=self._waiting_max
        )

    def bears(self, kind: str, rank: Rank) -> bool:
        """Whether one more utterance can be decoded as it is spoken, beside those that are open. What is sent after the
        fact leaves room for those who speak."""
        open_now = [job for job in self._open if job.heard.rank <= rank]
        if len(open_now) < len(self._workers):
            return True
        bearable = (STREAMING_SHARE_MAX if self.streaming else QUEUED_SHARE_MAX) * len(self._workers)
        if rank == Rank.LATER:
            bearable /= 2
        load = self._load.total(job.kind for job in open_now) + self._load.share(kind)
        return load <= bearable and min((worker.lag_s() for worker in self._workers), default=0.0) <= LAG_S_MAX

    def begin(self, task: Task, on_progress: OnProgress, rank: Rank = Rank.DECIDES) -> "PoolJob":
        """A new utterance."""
        job = PoolJob(self, task, on_progress, rank)
        self._open.append(job)
        return job

    async def take(self, job: PoolJob) -> WorkerJob:
        """The utterance in the least loaded worker, waited for; who speaks goes before what is sent later. PoolBusy if
        too many wait."""
        if len(self._waiting) >= self._waiting_max:
            raise PoolBusy
        waiting = Waiting(job, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        self.assign()
        try:
            return await waiting.taken
        except asyncio.CancelledError:
            if waiting.taken.done() and not waiting.taken.cancelled():
                waiting.taken.result().close()
            raise
        finally:
            if waiting in self._waiting:
                self._waiting.remove(waiting)

    def assign(self) -> None:
        """Gives free workers to those who wait; called whenever either may be there."""
        while self._waiting:
            free = [worker for worker in self._workers if worker.lives and (self.streaming or not worker.load)]
            if not free:
                return
            first = min(self._waiting, key=lambda waiting: waiting.job.heard.rank)
            self._waiting.remove(first)
            if not first.taken.done():
                worker = min(free, key=lambda worker: worker.load)
                first.taken.set_result(worker.begin(first.job.task, first.job.heard, first.job.progress))

    def over(self, job: "PoolJob", worked_s: float) -> None:
        """Nobody wants it any more, after so much work."""
        self._open.remove(job)
        if job.heard.ended_at is not None:
            self._load.learn(job.kind, worked_s, job.heard.seconds)

    async def _start(self) -> WorkerProcess:
        worker = await WorkerProcess.start(self._options, ready_s_max=READY_S_MAX, wedged_s=self._wedged_s)
        self._ready = worker.ready
        self._workers.append(worker)
        self.assign()
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
