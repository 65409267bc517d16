"""The RPC by which a board is told what the others of its group are answered.

Nothing is queued: who is told reads on in the log from where it is, so that a slow one only comes later, nobody misses
an answer, and nobody gets one twice.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress

import grpc
from google.protobuf.message import DecodeError

from cloud.client_stream import Context
from cloud.groups import Groups, Members
from cloud.keys.callers import check_device
from cloud.log.answer_log import AnswerLog, Batch
from cloud.log.answer_store import DATABASE_ERRORS, Answered
from cloud.places import Places
from cloud.request_stream import Refusal, check_id
from protos import speech_pb2

logger = logging.getLogger(__name__)

WATCHES_MAX = 1000
WATCHES_PER_DEVICE_MAX = 4

LOOK_S = 5.0
"""How often the log is looked at: another process may erase answers, and what waited for the disk is written late."""

PAUSE_S = 1.0
"""Before all is told anew: a board that erases one after the other shall not have everybody told without end."""

HISTORY_LENGTH_MAX = 64
NUMBER_MAX = (1 << 63) - 1
"""The database knows no greater one."""


class Watching:
    """One event loop's."""

    def __init__(self, groups: Groups, log: AnswerLog, *, idle_s_max: float = 15.0, look_s: float = LOOK_S) -> None:
        """`idle_s_max`: how long a client may not read."""
        self._groups = groups
        self._log = log
        self._idle_s_max = idle_s_max
        self._look_s = look_s
        self._watches: Counter[str] = Counter()
        self._news: dict[asyncio.Event, Members] = {}
        self._is_closed = False

    def logged(self, device_id: str) -> None:
        """Something has become of a board's utterance, or was erased."""
        for news, members in self._news.items():
            if members.has(device_id):
                news.set()

    def close(self) -> None:
        """Ends all of it."""
        self._is_closed = True
        for news in self._news:
            news.set()

    async def watch(self, data: bytes, places: Places, context: Context) -> None:
        """What a WatchRequest asks for, until the client goes or the service stops. Refusal."""
        request = _read(data)
        check_device(context, request.device_id)
        places.knock(request.device_id, replayed=False)
        group = self._groups.of(request.device_id)
        if group is None:
            sentence = f"{request.device_id} is in no group of this service; its owner sets them, under boards.groups."
            raise Refusal(grpc.StatusCode.FAILED_PRECONDITION, sentence)
        if self._watches[request.device_id] >= WATCHES_PER_DEVICE_MAX:
            sentence = f"{WATCHES_PER_DEVICE_MAX} of these streams of this device are open."
            raise Refusal(grpc.StatusCode.RESOURCE_EXHAUSTED, sentence)
        if self._watches.total() >= WATCHES_MAX:
            raise Refusal(grpc.StatusCode.RESOURCE_EXHAUSTED, f"{WATCHES_MAX} of these streams are open.")
        news, others = asyncio.Event(), self._groups.members(group, but=request.device_id)
        self._watches[request.device_id] += 1
        self._news[news] = others
        try:
            async with aclosing(self._told(request, others, news)) as told:
                async for watched in told:
                    async with asyncio.timeout(self._idle_s_max):
                        await context.write(watched.SerializeToString())
        finally:
            del self._news[news]
            self._watches[request.device_id] -= 1
            self._watches += Counter()
        raise Refusal(grpc.StatusCode.UNAVAILABLE, "The service is stopping.")

    async def _told(
        self, request: speech_pb2.WatchRequest, others: Members, news: asyncio.Event
    ) -> AsyncGenerator[speech_pb2.Watched, None]:
        after = request.after
        history = request.history if request.HasField("history") and request.HasField("after") else None
        is_first = True
        while not self._is_closed:
            # First: what comes while the log is read is looked for once more.
            news.clear()
            batch = await self._batch(others, after, history)
            if batch.is_anew and not is_first:
                await asyncio.sleep(PAUSE_S)
                batch = await self._batch(others, after, history)
            if batch.is_anew or is_first:
                yield _log(batch)
            for answered in batch.answers:
                yield speech_pb2.Watched(answer=_answer(answered))
            is_first, after, history = False, batch.after, batch.history
            if not batch.answers and not batch.is_anew:
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._look_s):
                        await news.wait()

    async def _batch(self, others: Members, after: int, history: str | None) -> Batch:
        try:
            return await self._log.batch(others, after, history)
        except DATABASE_ERRORS as error:
            logger.warning("the answers of a group cannot be read now: %s", error)
            raise Refusal(grpc.StatusCode.UNAVAILABLE, "The log cannot be read now; try again.") from error


def _read(data: bytes) -> speech_pb2.WatchRequest:
    """Refusal if it breaks a rule of protos/speech.proto."""
    try:
        request = speech_pb2.WatchRequest.FromString(data)
    except DecodeError as error:
        raise _invalid("a request that is not a parrotlet.v1.WatchRequest") from error
    check_id("device_id", request.device_id)
    if len(request.history) > HISTORY_LENGTH_MAX:
        raise _invalid(f"a history of {len(request.history)} characters; {HISTORY_LENGTH_MAX} is the most")
    if request.after > NUMBER_MAX:
        raise _invalid(f"the number {request.after}; {NUMBER_MAX} is the most")
    return request


def _log(batch: Batch) -> speech_pb2.Watched:
    return speech_pb2.Watched(log=speech_pb2.WatchedLog(history=batch.history, is_anew=batch.is_anew))


def _answer(answered: Answered) -> speech_pb2.OtherAnswer:
    final = speech_pb2.Final.FromString(answered.final)
    # Nobody shows these.
    for name in ("words", "explanation"):
        final.ClearField(name)
    return speech_pb2.OtherAnswer(
        number=answered.number,
        device_id=answered.key.device_id,
        utterance_id=answered.key.utterance_id,
        answered_at_unix_us=answered.answered_at_unix_us,
        spoken_at_unix_us=answered.occasion.spoken_at_unix_us,
        snr_db=answered.occasion.snr_db,
        final=final,
    )


def _invalid(what: str) -> Refusal:
    return Refusal(grpc.StatusCode.INVALID_ARGUMENT, f"The client sent {what}.")
