"""Who may decode an utterance: nobody once it is answered, and one connection at a time until then.

A claim is gone with whoever holds it. Here that is this process; where replicas share a log, a claim is a lease that
its holder renews, and the rest stays as it is.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Protocol, TypeVar

import grpc

from cloud.log.answer_log import UNKNOWN, AnswerLog, Key, Occasion, Span
from cloud.request_stream import Refusal
from cloud.twins import Twins
from cloud.utterance import Utterance
from protos import speech_pb2

logger = logging.getLogger(__name__)

T = TypeVar("T")


class Claim(Protocol):
    """The right to decode one utterance. A context manager: left before the end has come, it is free again."""

    def __enter__(self) -> "Claim": ...

    def __exit__(self, *cause: object) -> None: ...

    async def unless_overtaken(self, hearing: Coroutine[None, None, T]) -> T:
        """What it returns. Refusal if a higher attempt takes over meanwhile."""

    def finish(
        self,
        finishing: Coroutine[None, None, speech_pb2.Final],
        occasion: Occasion = UNKNOWN,
        utterance: Utterance | None = None,
    ) -> "asyncio.Task[speech_pb2.Final]":
        """The end has come: nobody takes over any more, whoever brings the utterance again waits for this, and it is
        brought to its end also if the client goes away. The final is in the log before anybody has it, and says whether
        another board of the group was answered the same before."""


class Claims(Protocol):
    """What a service asks before it decodes."""

    async def claim(self, key: Key, attempt: int, spoken_at_unix_us: int | None) -> speech_pb2.Final | Claim:
        """The answer, if there is one or one is about to be; else the right to find it. Refusal, ABORTED, if an attempt
        that is not lower has that right."""

    async def forget(self, device_id: str, utterance_id: str | None, span: Span) -> int:
        """Erases answers of a device, see `AnswerLog.forget`; what is in work is not remembered."""

    async def give(self, feedback: speech_pb2.FeedbackRequest) -> None:
        """Remembers what was said of an answer, see `AnswerLog.give`, be it decoded here, in work, or still to come."""

    async def close(self) -> None:
        """Gives up what is being finished for nobody."""


class OwnClaim:
    """A claim that lives in this process."""

    def __init__(self, claims: "OwnClaims", key: Key, attempt: int, spoken_at_unix_us: int | None) -> None:
        self.key = key
        self.attempt = attempt
        self.spoken_at_unix_us = spoken_at_unix_us
        self.checked = asyncio.Event()
        """Whether the key has an answer is known."""
        self.over = asyncio.Event()
        self.answer: speech_pb2.Final | None = None
        """Once it is over, if there is one."""
        self.utterance: Utterance | None = None
        """What else is to be kept of it."""
        self.occasion = Occasion(spoken_at_unix_us)
        self.forgotten = False
        self._claims = claims
        self._hearing: asyncio.Task[object] | None = None
        self._finishing: asyncio.Task[speech_pb2.Final] | None = None
        self._why_not: str | None = None
        self._left = False
        """Nobody is there who would be told."""

    def __enter__(self) -> "OwnClaim":
        return self

    def __exit__(self, *cause: object) -> None:
        if self._finishing is None:
            self._claims.release(self, None)
        self._left = True

    @property
    def is_hearing(self) -> bool:
        """Whether its end has not come yet."""
        return self._finishing is None and not self.over.is_set()

    def end(self, why: str) -> None:
        """Ends it while it is hearing."""
        self._why_not = why
        if self._hearing is not None:
            self._hearing.cancel()

    async def unless_overtaken(self, hearing: Coroutine[None, None, T]) -> T:
        task = asyncio.create_task(hearing)
        self._hearing = task
        try:
            if self._why_not is None:
                await asyncio.wait([task])
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        if self._why_not is not None:
            raise Refusal(grpc.StatusCode.ABORTED, self._why_not)
        return task.result()

    def finish(
        self,
        finishing: Coroutine[None, None, speech_pb2.Final],
        occasion: Occasion = UNKNOWN,
        utterance: Utterance | None = None,
    ) -> "asyncio.Task[speech_pb2.Final]":
        self.occasion = occasion._replace(spoken_at_unix_us=self.spoken_at_unix_us)
        self.utterance = utterance
        self._finishing = asyncio.create_task(self._claims.settle(self, finishing))
        self._finishing.add_done_callback(self._say_fault)
        return self._finishing

    def _say_fault(self, finishing: "asyncio.Task[speech_pb2.Final]") -> None:
        if not finishing.cancelled() and (error := finishing.exception()) and self._left:
            logger.warning("an utterance whose board went away before the final has none: %s", error)


class OwnClaims:
    """Of a service that has its log to itself."""

    def __init__(
        self, log: AnswerLog, twins: Twins | None = None, on_logged: Callable[[str], None] = lambda device_id: None
    ) -> None:
        """`on_logged` is told whose answers in the log have changed."""
        self._log = log
        self._twins = twins or Twins()
        self._on_logged = on_logged
        self._held: dict[Key, OwnClaim] = {}
        self._settling: set[asyncio.Task[object]] = set()

    async def claim(self, key: Key, attempt: int, spoken_at_unix_us: int | None) -> speech_pb2.Final | OwnClaim:
        while (held := self._held.get(key)) is not None:
            await held.checked.wait()
            if held.is_hearing:
                if attempt <= held.attempt:
                    raise Refusal(
                        grpc.StatusCode.ABORTED,
                        f"Attempt {held.attempt} of this utterance is running, and attempt {attempt} is not higher.",
                    )
                held.end("A higher attempt of this utterance took over.")
            await held.over.wait()
            if held.answer is not None:
                return _again(held.answer)
        claim = self._held[key] = OwnClaim(self, key, attempt, spoken_at_unix_us)
        answer = None
        try:
            # Asked with the claim in hand: nobody answers it between the question and the decoding.
            answer = await self._log.get(key)
        except BaseException:
            self.release(claim, None)
            raise
        if answer is not None:
            self.release(claim, answer)
            return _again(answer)
        claim.checked.set()
        return claim

    async def settle(self, claim: OwnClaim, finishing: Coroutine[None, None, speech_pb2.Final]) -> speech_pb2.Final:
        """Runs a claim to its end; the final that counts."""
        task = asyncio.current_task()
        assert task is not None
        self._settling.add(task)
        answer = None
        try:
            answer = await finishing
            self._twins.mark(claim.key, answer, claim.occasion, is_forgotten=claim.forgotten)
            if not claim.forgotten:
                # Nothing between: what is marked later is also written later.
                answer = await self._log.put(claim.key, answer, claim.occasion, claim.utterance)
                self._on_logged(claim.key.device_id)
            return answer
        finally:
            self._settling.discard(task)
            self.release(claim, answer)

    def release(self, claim: OwnClaim, answer: speech_pb2.Final | None) -> None:
        """Whoever waits for it goes on."""
        if self._held.get(claim.key) is claim:
            del self._held[claim.key]
        claim.answer = answer
        claim.over.set()
        claim.checked.set()

    async def forget(self, device_id: str, utterance_id: str | None, span: Span) -> int:
        for claim in list(self._held.values()):
            is_meant = claim.key.device_id == device_id and utterance_id in (None, claim.key.utterance_id)
            # Where nobody knows when it was spoken, it may have been then.
            at_us = claim.spoken_at_unix_us
            claim.forgotten |= is_meant and (at_us is None or span.holds(at_us))
        self._twins.forget(device_id, utterance_id, span)
        erased = await self._log.forget(device_id, utterance_id, span)
        self._on_logged(device_id)
        return erased

    async def give(self, feedback: speech_pb2.FeedbackRequest) -> None:
        await self._log.give(feedback)

    async def close(self) -> None:
        settling = list(self._settling)
        for task in settling:
            task.cancel()
        await asyncio.gather(*settling, return_exceptions=True)


def _again(answer: speech_pb2.Final) -> speech_pb2.Final:
    """What somebody else has had already."""
    copy = speech_pb2.Final()
    copy.CopyFrom(answer)
    copy.from_log = True
    return copy
