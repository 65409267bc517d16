"""One worker process as the service sees it: started, asked, watched, killed."""

import asyncio
import logging
import sys
import time
from collections import deque

import msgspec

from cloud.decoders import Task
from cloud.workers.heard import Heard
from cloud.workers.worker import WorkerOptions
from cloud.workers.worker_job import PIECE_FRAMES_MAX, OnProgress, WorkerJob
from cloud.workers.worker_line import (
    Begin,
    Done,
    Failed,
    Progress,
    Ready,
    ToWorker,
    Unusable,
    pack,
    read_from_worker,
)
from common.errors import EngineError

logger = logging.getLogger(__name__)

UNDER_WAY_MAX = 2
"""Messages that a worker has and did not answer: one that it works on, one that follows at once. All others wait in the
service, where the most urgent goes first."""


FRAMES_PER_JOB = 4
"""A worker that has more to do gets larger pieces, and says less often what the words are so far: every 100 ms for two
who speak, every 500 ms for a dozen."""


ENDING_S_MAX = 1.0
"""A worker whose output has ended is over soon, or is killed."""


class WorkerProcess:
    """A process with an engine. Everything runs in the service's event loop."""

    def __init__(self, process: asyncio.subprocess.Process, ready: Ready, wedged_s: float) -> None:
        self.pid = process.pid
        self.ready = ready
        self.died = asyncio.Event()
        self._process = process
        self._wedged_s = wedged_s
        self._jobs: dict[int, WorkerJob] = {}
        self._next_job = 0
        self._under_way: deque[int] = deque()
        """Jobs whose messages it owes an answer to."""
        self._heard_at = time.monotonic()
        self._stopping = False
        self._tasks = [asyncio.create_task(self._read()), asyncio.create_task(self._watch())]

    @classmethod
    async def start(cls, options: WorkerOptions, *, ready_s_max: float, wedged_s: float) -> "WorkerProcess":
        """Spawns a worker and waits until its engine is warm. EngineError if it never is."""
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "cloud.workers.worker",
                msgspec.json.encode(options).decode(),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
            )
        except OSError as error:
            # No memory, no process, no file: there may be some later.
            raise EngineError(f"The {options.engine} worker cannot be started: {error.strerror or error}.") from error
        assert process.stdout is not None
        message, timed_out = None, False
        try:
            async with asyncio.timeout(ready_s_max):
                message = await read_from_worker(process.stdout)
        except TimeoutError:
            timed_out = True
        finally:
            # Also when this start is itself cancelled: no process may be left that nobody knows of.
            if sys.exc_info()[0] is not None:
                _kill(process)
        if not isinstance(message, Ready):
            await _over(process)
            if isinstance(message, Unusable):
                raise EngineError(message.why)
            ended = f"ended at its start, status {process.returncode}"
            why = f"was not ready within {ready_s_max:.0f} s" if timed_out else ended
            raise EngineError(f"The {options.engine} worker {why}.")
        return cls(process, message, wedged_s)

    @property
    def lives(self) -> bool:
        return not self.died.is_set()

    @property
    def load(self) -> int:
        """Utterances in work."""
        return len(self._jobs)

    def lag_s(self) -> float:
        """How long somebody who speaks has waited for it."""
        now = time.monotonic()
        return max((job.lag_s(now) for job in self._jobs.values()), default=0.0)

    def begin(self, task: Task, heard: Heard, on_progress: OnProgress) -> WorkerJob:
        """Starts an utterance; the process must live."""
        self._next_job += 1
        job = WorkerJob(self, self._next_job, heard, on_progress)
        self._jobs[self._next_job] = job
        self.write(Begin(self._next_job, task))
        self.more()
        return job

    def more(self) -> None:
        """Sends what is most urgent, as long as the worker may have more. Never waits."""
        while len(self._under_way) < UNDER_WAY_MAX and self.lives:
            now = time.monotonic()
            frames_min = min(len(self._jobs) * FRAMES_PER_JOB, PIECE_FRAMES_MAX)
            ready = [job for job in self._jobs.values() if job.has_work(frames_min)]
            if not ready:
                return
            job = min(ready, key=lambda job: job.urgency(now))
            if not self._under_way:
                self._heard_at = now
            self._under_way.append(job.number)
            self.write(job.next_message())

    def write(self, message: ToWorker) -> None:
        """Never waits: what may be under way is bounded."""
        assert self._process.stdin is not None
        if self.lives:
            self._process.stdin.write(pack(message))

    def forget(self, job: int) -> None:
        self._jobs.pop(job, None)

    async def stop(self) -> None:
        """Ends the process and whatever waits for it."""
        self._stopping = True
        _kill(self._process)
        await self._process.wait()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._lose()

    async def _read(self) -> None:
        assert self._process.stdout is not None
        while (message := await read_from_worker(self._process.stdout)) is not None:
            self._heard_at = time.monotonic()
            if not isinstance(message, Ready | Unusable):
                self._answered(message)
                if (job := self._jobs.get(message.job)) is not None:
                    job.hear(message)
                self.more()
        await _over(self._process)
        if not self._stopping:
            logger.warning("worker %d (%s) is gone, status %s", self.pid, self.ready.engine, self._process.returncode)
        self._lose()

    def _answered(self, message: Progress | Done | Failed) -> None:
        """Takes what it answers off what is under way."""
        mine = self._under_way.count(message.job)
        # What followed a message that failed gets no answer.
        for _ in range(mine if isinstance(message, Failed) else min(mine, 1)):
            self._under_way.remove(message.job)

    async def _watch(self) -> None:
        """Kills a process that owes an answer and has said nothing for too long."""
        while True:
            await asyncio.sleep(self._wedged_s / 4)
            if not self._under_way:
                self._heard_at = time.monotonic()
            elif time.monotonic() - self._heard_at > self._wedged_s:
                logger.warning("worker %d (%s) is wedged: killed", self.pid, self.ready.engine)
                _kill(self._process)

    def _lose(self) -> None:
        self.died.set()
        for job in list(self._jobs.values()):
            job.lose()
        self._jobs.clear()


async def _over(process: asyncio.subprocess.Process) -> None:
    """Waits for the end of a process that has said its last. Killed at once, it might be taken from those of asyncio
    who wait for it, and they would complain."""
    try:
        async with asyncio.timeout(ENDING_S_MAX):
            await process.wait()
    except TimeoutError:
        _kill(process)
        await process.wait()


def _kill(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.kill()
