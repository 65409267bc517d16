"""What one client says and is told, so that nobody who falls silent or does not read holds up another."""

import asyncio
from types import TracebackType

import grpc

from cloud.request_stream import Refusal
from protos import speech_pb2

Context = grpc.aio.ServicerContext[bytes, bytes]

LAST_WRITE_S_MAX = 2.0
"""Longer than a write takes at a client that reads at all."""


class Requests:
    """What one client says, as an asynchronous context manager that ends, with a refusal, when it falls silent."""

    def __init__(self, context: Context, idle_s_max: float) -> None:
        self._context = context
        self._idle_s_max = idle_s_max
        self._loop = asyncio.get_running_loop()
        self._heard_at = self._loop.time()
        self._limit = asyncio.timeout(None)

    async def __aenter__(self) -> "Requests":
        await self._limit.__aenter__()
        self._check = self._loop.call_later(self._idle_s_max, self._look)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._check.cancel()
        try:
            await self._limit.__aexit__(kind, error, trace)
        except TimeoutError:
            sentence = f"The client sent nothing for {self._idle_s_max:g} s."
            raise Refusal(grpc.StatusCode.DEADLINE_EXCEEDED, sentence) from None

    async def next(self) -> bytes:
        """The next request. Refusal if there is none."""
        request = await self._context.read()
        if request is grpc.aio.EOF:  # type: ignore[attr-defined]  # grpc-stubs does not know it.
            raise Refusal(grpc.StatusCode.INVALID_ARGUMENT, "The client ended the stream without an end.")
        self._heard_at = self._loop.time()
        return request

    def _look(self) -> None:
        """Now and then: a timer for each request would cost as much as reading it."""
        due = self._heard_at + self._idle_s_max
        if due <= self._loop.time():
            self._limit.reschedule(due)
        else:
            self._check = self._loop.call_at(due, self._look)


class Outbox:
    """What a client is to be told before the final. One place of each kind: what was not written yet is replaced by the
    next, so that a slow client gets fewer."""

    def __init__(self) -> None:
        self._partial: speech_pb2.Partial | None = None
        self._turn: speech_pb2.Turn | None = None
        self._closed = False
        self._there = asyncio.Event()

    def put_partial(self, partial: speech_pb2.Partial) -> None:
        self._partial = partial
        self._there.set()

    def put_turn(self, turn: speech_pb2.Turn) -> None:
        self._turn = turn
        self._there.set()

    def close(self) -> None:
        """No more will come; what was not written yet is dropped."""
        self._closed = True
        self._there.set()

    async def take(self) -> list[speech_pb2.RecognizeResponse]:
        """What there is, waited for; nothing at the end."""
        await self._there.wait()
        self._there.clear()
        turn, self._turn = self._turn, None
        partial, self._partial = self._partial, None
        if self._closed:
            return []
        # Somebody waits for the turn; nobody for a partial.
        responses = [speech_pb2.RecognizeResponse(turn=turn)] if turn else []
        return responses + ([speech_pb2.RecognizeResponse(partial=partial)] if partial else [])


async def write(outbox: Outbox, context: Context) -> None:
    """Tells the client what there is, until the outbox is closed. Cancelled, it waits a little for the write that is
    under way: gRPC sends no status beside one, and the client would be left without any."""
    while responses := await outbox.take():
        for response in responses:
            writing = asyncio.ensure_future(context.write(response.SerializeToString()))
            try:
                await asyncio.shield(writing)
            except asyncio.CancelledError:
                await asyncio.wait([writing], timeout=LAST_WRITE_S_MAX)
                writing.cancel()
                raise


async def stop(writing: "asyncio.Task[None]") -> None:
    """Ends `write`."""
    writing.cancel()
    await asyncio.wait([writing])
