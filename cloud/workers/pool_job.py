"""One utterance in a pool: it survives the death of its worker.

Its frames are kept until it is decoded. When its worker dies or wedges, another decodes it again from its frames.
"""

import asyncio
import time
from typing import TYPE_CHECKING

from cloud.decoders import Hypothesis, Task
from cloud.workers.heard import Heard, Rank
from cloud.workers.worker_job import DecodingFailed, OnProgress, WorkerJob, WorkerLost
from protos.feature_spec import Levels

if TYPE_CHECKING:
    from cloud.workers.pool import Pool

WORKERS_PER_UTTERANCE_MAX = 3
"""An utterance that kills so many workers is not tried on another."""


class PoolBusy(Exception):
    """Raised when as many utterances wait for a worker as may."""


class PoolJob:
    """Must be closed."""

    def __init__(self, pool: "Pool", task: Task, on_progress: OnProgress, rank: Rank) -> None:
        self.task = task
        self.kind = task.bundle
        self.heard = Heard(rank, task.spec.frame_ms / 1000)
        self.taken_at = time.monotonic()
        """When its end would have been taken, had all that followed been done in one go: what is left of the time since
        the end is work, what came before is waiting."""
        self._pool = pool
        self._on_progress = on_progress
        self._furthest = 0
        self._worked_s = 0.0
        self._worker_job: WorkerJob | None = None
        self._decoding = asyncio.create_task(self._decode()) if pool.streaming else None
        self._closed = False

    def feed(self, levels: Levels) -> None:
        """Takes the next frames. Never waits: what gathers while the worker is behind is bounded by the longest
        utterance."""
        self.heard.add(levels)
        self._more()

    async def finish(self) -> Hypothesis:
        """Everything was fed: waits for the hypothesis. PoolBusy, or DecodingFailed."""
        ended_at = self.heard.ended_at = time.monotonic()
        worked_s = self._worked_so_far_s()
        self._more()
        if self._decoding is None:
            self._decoding = asyncio.create_task(self._decode())
        hypothesis = await self._decoding
        self.taken_at = max(ended_at, time.monotonic() - (self._worked_so_far_s() - worked_s))
        return hypothesis

    def goes_on(self) -> None:
        """It was no finish: more frames come. An engine cannot take a finish back, so that another reading starts, from
        the frames that were kept."""
        self.heard.ended_at = None
        if self._decoding is not None:
            self._decoding.cancel()
        self._decoding = asyncio.create_task(self._decode()) if self._pool.streaming else None

    async def close(self) -> None:
        """Nobody wants it any more, or it is done. May be called twice."""
        if self._decoding is not None:
            self._decoding.cancel()
            await asyncio.gather(self._decoding, return_exceptions=True)
        if not self._closed:
            self._closed = True
            self._pool.over(self, self._worked_so_far_s())

    def progress(self, text: str, frames: int) -> None:
        """Passed on once a stretch of frames, however often it is decoded."""
        if frames > self._furthest:
            self._furthest = frames
            self._on_progress(text, frames)

    def _more(self) -> None:
        if self._worker_job is not None:
            self._worker_job.more()

    def _worked_so_far_s(self) -> float:
        return self._worked_s + (self._worker_job.worked_s if self._worker_job is not None else 0.0)

    async def _decode(self) -> Hypothesis:
        for _ in range(WORKERS_PER_UTTERANCE_MAX):
            job = self._worker_job = await self._pool.take(self)
            # What was fed between its beginning and now found no worker to tell.
            job.more()
            try:
                return await job.outcome()
            except WorkerLost:
                continue
            finally:
                job.close()
                self._worked_s += job.worked_s
                if self._worker_job is job:
                    self._worker_job = None
                self._pool.assign()
        raise DecodingFailed(f"{WORKERS_PER_UTTERANCE_MAX} workers died over this utterance")
