"""Where it is kept what candidates heard, and how their answers were; the tables have a thread of their own."""

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, TypeVar

from cloud.changing.judging import error_by, error_of_other
from cloud.changing.shadow_store import HEARD_DAYS_MAX, By, Comparison, ShadowHeard, ShadowStore
from cloud.log.answer_store import DATABASE_ERRORS, Key, Span
from common.errors import RolloutError
from protos import speech_pb2

logger = logging.getLogger(__name__)

T = TypeVar("T")

DAY_US = 86_400_000_000


class ShadowLog(Protocol):
    """What the service tells of candidates, and who knows of errors."""

    async def put(self, comparison: Comparison, heard: ShadowHeard | None = None) -> None:
        """Keeps what is known of an utterance's answers, and what the candidate heard in the shadow."""

    async def settle(
        self, rollout: int, key: Key, by: By, *, candidate: float | None = None, served: float | None = None
    ) -> None:
        """Whoever knows tells whether the answers were wrong, 0 to 1; what is told first counts."""

    async def give(self, feedback: speech_pb2.FeedbackRequest) -> None:
        """Takes what a person said of an answer."""

    async def forget(self, device_id: str, utterance_id: str | None, span: Span) -> int:
        """Erases what was heard of a board's utterances: one, or those of a time, or all; how many."""


class SqliteShadowLog:
    """In one file, as a context manager."""

    def __init__(self, file: Path, unix_us: Callable[[], int] = lambda: time.time_ns() // 1000) -> None:
        self._file = file
        self._unix_us = unix_us
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="shadow-log")
        self._store: ShadowStore
        self._to_scrub = False

    def __enter__(self) -> "SqliteShadowLog":
        """RolloutError if the file cannot be used."""
        try:
            self._store = self._thread.submit(ShadowStore, self._file).result()
        except DATABASE_ERRORS as error:
            self._thread.shutdown()
            raise RolloutError(f"{self._file}: cannot be used ({error}).") from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._thread.submit(self._store.close).result()
        self._thread.shutdown()

    async def put(self, comparison: Comparison, heard: ShadowHeard | None = None) -> None:
        await self._tried(self._put, comparison, heard)

    async def settle(
        self, rollout: int, key: Key, by: By, *, candidate: float | None = None, served: float | None = None
    ) -> None:
        def settle() -> None:
            self._store.settle(rollout, key, by, candidate=candidate, served=served)

        await self._tried(settle)

    async def give(self, feedback: speech_pb2.FeedbackRequest) -> None:
        await self._tried(self._give, feedback)

    async def forget(self, device_id: str, utterance_id: str | None, span: Span) -> int:
        """One of DATABASE_ERRORS if the disk takes nothing."""
        return await self._run(self._forget, device_id, utterance_id, span)

    async def prune(self) -> None:
        """Erases what is too old."""
        await self._tried(self._prune)

    async def scrub(self) -> None:
        """What was erased while somebody read, and may still lie there, is overwritten once nobody does."""
        if self._to_scrub:
            await self._tried(self._scrub)

    async def read(self, do: Callable[[ShadowStore], T]) -> T:
        """What a function makes of the tables, in their thread. One of DATABASE_ERRORS."""
        return await self._run(do, self._store)

    async def _run(self, do: Callable[..., T], *arguments: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, do, *arguments)

    async def _tried(self, do: Callable[..., object], *arguments: Any) -> None:
        """No answer waits for this, and none is missing without it."""
        try:
            await self._run(do, *arguments)
        except DATABASE_ERRORS as error:
            logger.warning("%s: what a candidate did cannot be kept now: %s", self._file, error)

    def _put(self, comparison: Comparison, heard: ShadowHeard | None) -> None:
        self._store.put(comparison, heard)
        if heard is not None and heard.agrees:
            # Whoever errs, both do: the difference is known, and only that is looked at.
            self._store.settle(comparison.rollout, comparison.key, "both", candidate=0.0, served=0.0)

    def _give(self, feedback: speech_pb2.FeedbackRequest) -> None:
        key = Key(feedback.device_id, feedback.utterance_id)
        for rollout, by, shown, transcript in self._store.open_comparisons(key):
            error = error_by(feedback, shown)
            if error is None:
                continue
            if by == "candidate":
                self._store.settle(rollout, key, by, candidate=error, served=None)
            elif by == "served":
                self._store.settle(rollout, key, by, candidate=None, served=error)
            elif transcript is not None and (other := error_of_other(feedback, error, transcript)) is not None:
                self._store.settle(rollout, key, by, candidate=other, served=error)

    def _forget(self, device_id: str, utterance_id: str | None, span: Span) -> int:
        erased = self._store.forget(device_id, utterance_id, span)
        self._scrub()
        return erased

    def _prune(self) -> None:
        if self._store.prune(self._unix_us() - HEARD_DAYS_MAX * DAY_US):
            self._scrub()

    def _scrub(self) -> None:
        self._to_scrub = True
        self._to_scrub = not self._store.scrub()
