"""One worker process as the service sees it: started, asked, watched, killed."""

import asyncio
import logging
import sys
import time
from collections.abc import Callable

import msgspec

from cloud.decoders import Hypothesis, Task
from cloud.worker import WorkerOptions
from cloud.worker_line import (
    Begin,
    Done,
    Drop,
    Failed,
    Feed,
    Finish,
    Progress,
    Ready,
    ToWorker,
    Unusable,
    pack,
    read_from_worker,
)
from common.errors import EngineError
from protos.feature_spec import Levels

logger = logging.getLogger(__name__)

UNANSWERED_FRAMES_MAX = 100
"""Frames of one utterance on their way to a worker; more wait in the service, so that a fast file cannot fill the
worker's queue and stand in the way of someone who speaks."""

OnProgress = Callable[[str, int], None]
"""Called with the words so far and the frames decoded so far."""


class WorkerLost(Exception):
    """Raised when the process died or was killed before it answered. Another worker may do it."""


class DecodingFailed(Exception):
    """Raised when the engine refuses the utterance. Another worker would refuse it too."""


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
        self._heard_at = time.monotonic()
        self._stopping = False
        self._tasks = [asyncio.create_task(self._read()), asyncio.create_task(self._watch())]

    @classmethod
    async def start(cls, options: WorkerOptions, *, ready_s_max: float, wedged_s: float) -> "WorkerProcess":
        """Spawns a worker and waits until its engine is warm. EngineError if it never is."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "cloud.worker",
            msgspec.json.encode(options).decode(),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
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
            _kill(process)
            await process.wait()
            if isinstance(message, Unusable):
                raise EngineError(message.why)
            why = f"was not ready within {ready_s_max:.0f} s" if timed_out else "ended at its start"
            raise EngineError(f"The {options.engine} worker {why}.")
        return cls(process, message, wedged_s)

    @property
    def load(self) -> int:
        """Utterances in work."""
        return len(self._jobs)

    def begin(self, task: Task, on_progress: OnProgress) -> "WorkerJob":
        """Starts an utterance. WorkerLost if the process is gone."""
        if self.died.is_set():
            raise WorkerLost
        self._next_job += 1
        job = WorkerJob(self, self._next_job, on_progress)
        if not self.load:
            self._heard_at = time.monotonic()
        self._jobs[self._next_job] = job
        self.write(Begin(self._next_job, task))
        return job

    def write(self, message: ToWorker) -> None:
        """Never waits: what a job may have on its way is bounded."""
        assert self._process.stdin is not None
        if not self.died.is_set():
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
            if not isinstance(message, Ready | Unusable) and (job := self._jobs.get(message.job)) is not None:
                job.hear(message)
        _kill(self._process)
        await self._process.wait()
        if not self._stopping:
            logger.warning("worker %d (%s) is gone, status %s", self.pid, self.ready.engine, self._process.returncode)
        self._lose()

    async def _watch(self) -> None:
        """Kills a process that owes an answer and has said nothing for too long."""
        while True:
            await asyncio.sleep(self._wedged_s / 4)
            if not any(job.owed for job in self._jobs.values()):
                self._heard_at = time.monotonic()
            elif time.monotonic() - self._heard_at > self._wedged_s:
                logger.warning("worker %d (%s) is wedged: killed", self.pid, self.ready.engine)
                _kill(self._process)

    def _lose(self) -> None:
        self.died.set()
        for job in list(self._jobs.values()):
            job.lose()
        self._jobs.clear()


class WorkerJob:
    """One utterance in one worker process."""

    def __init__(self, worker: WorkerProcess, number: int, on_progress: OnProgress) -> None:
        self._worker = worker
        self._number = number
        self._on_progress = on_progress
        self._fed = 0
        self._decoded = 0
        self._room = asyncio.Event()
        self._room.set()
        self._finished = False
        self._outcome: asyncio.Future[Hypothesis] = asyncio.get_running_loop().create_future()

    @property
    def owed(self) -> bool:
        """Whether the worker has something to answer."""
        return self._fed > self._decoded or self._finished

    async def feed(self, levels: Levels) -> None:
        """Sends frames, in pieces; waits while too many are unanswered. WorkerLost or DecodingFailed."""
        for start in range(0, len(levels), UNANSWERED_FRAMES_MAX // 2):
            piece = levels[start : start + UNANSWERED_FRAMES_MAX // 2]
            await self._room.wait()
            self._raise_if_settled()
            self._fed += len(piece)
            if self._fed - self._decoded > UNANSWERED_FRAMES_MAX // 2:
                self._room.clear()
            self._worker.write(Feed(self._number, piece.tobytes()))

    async def finish(self) -> Hypothesis:
        """Everything was fed: waits for the hypothesis. WorkerLost or DecodingFailed."""
        self._raise_if_settled()
        self._finished = True
        self._worker.write(Finish(self._number))
        return await asyncio.shield(self._outcome)

    def close(self) -> None:
        """Nobody wants it any more. May be called twice."""
        if not self._outcome.done():
            self._worker.write(Drop(self._number))
            self._outcome.cancel()
        elif not self._outcome.cancelled():
            self._outcome.exception()  # Somebody has looked at it: asyncio need not complain.
        self._worker.forget(self._number)
        self._room.set()

    def hear(self, message: Progress | Done | Failed) -> None:
        match message:
            case Progress(_, frames, text):
                self._decoded += frames
                if self._fed - self._decoded <= UNANSWERED_FRAMES_MAX // 2:
                    self._room.set()
                if text is not None:
                    self._on_progress(text, self._decoded)
            case Done(_, hypothesis):
                self._worker.forget(self._number)
                if not self._outcome.done():
                    self._outcome.set_result(hypothesis)
            case Failed(_, why):
                self._settle(DecodingFailed(why))

    def lose(self) -> None:
        """The process is gone."""
        self._settle(WorkerLost())

    def _settle(self, error: Exception) -> None:
        self._worker.forget(self._number)
        if not self._outcome.done():
            self._outcome.set_exception(error)
        self._room.set()

    def _raise_if_settled(self) -> None:
        if self._outcome.done() and (error := self._outcome.exception()) is not None:
            raise error


def _kill(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.kill()
