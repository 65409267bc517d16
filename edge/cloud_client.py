"""Asks a service: one warm channel, one stream an utterance, and nothing on the audio path ever waits for it.

    with CloudClient(Cloud(address="127.0.0.1:7407"), device_id="kitchen") as cloud:
        for answer in cloud.answers(hear(AudioFile("order.wav"))):
            print(answer.transcript)

The network lives in one thread with its own event loop. An utterance's frames are kept until it is settled, so that
another attempt can send them again; the service knows by the utterance's id what it has answered already.
"""

import asyncio
import concurrent.futures
import logging
import random
import threading
from collections.abc import Callable, Coroutine, Iterable, Iterator
from types import TracebackType
from typing import Any, TypeVar

import grpc

from common.errors import CloudError, SettingsError
from edge import wire
from edge.answer import Answer, Partial
from edge.settings import Cloud
from edge.utterance import Heard, UtteranceEnd, UtteranceFrames, UtteranceHead
from protos import codec, speech_pb2
from protos.feature_spec import DEFAULT_SPEC

logger = logging.getLogger(__name__)

T = TypeVar("T")

SPEAKING_S_MAX = 60.0
"""Longer than any utterance: the last bound of a call whose end never comes."""

CLOSE_S_MAX = 5.0

# Said again, these could be answered otherwise. All else would be refused for ever.
_WORTH_A_RETRY = frozenset(
    {
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        grpc.StatusCode.ABORTED,
        grpc.StatusCode.CANCELLED,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.INTERNAL,
        grpc.StatusCode.UNKNOWN,
    }
)

_CHANNEL_OPTIONS = (
    # A link that is dead in the middle of a word is noticed in 5 s, not at the call's deadline.
    ("grpc.keepalive_time_ms", 3_000),
    ("grpc.keepalive_timeout_ms", 2_000),
    ("grpc.keepalive_permit_without_calls", 0),
    ("grpc.http2.max_pings_without_data", 0),
    # One retry loop: ours.
    ("grpc.enable_retries", 0),
    ("grpc.initial_reconnect_backoff_ms", 300),
    ("grpc.min_reconnect_backoff_ms", 300),
    ("grpc.max_reconnect_backoff_ms", 5_000),
)

_Call = grpc.aio.StreamStreamCall[speech_pb2.RecognizeRequest, speech_pb2.RecognizeResponse]


class CloudStream:
    """One utterance on its way. None of its methods waits, but `answer`."""

    def __init__(
        self,
        client: "CloudClient",
        head: UtteranceHead,
        on_partial: Callable[[Partial], None],
        on_settled: Callable[[Answer | CloudError], None],
    ) -> None:
        self.wire_bytes = 0
        """Bytes of frames sent so far, all attempts."""
        self._client = client
        self._head = head
        self._on_partial = on_partial
        self._on_settled = on_settled
        # Bounded by the longest utterance that the segmenter cuts.
        self._frames: list[UtteranceFrames] = []
        self._end: UtteranceEnd | None = None
        self._changed = asyncio.Event()
        self._limit: asyncio.Timeout | None = None
        self._begun_at = 0.0
        self._outcome: concurrent.futures.Future[Answer] = concurrent.futures.Future()
        self._task: asyncio.Task[None] | None = None

    def send(self, frames: UtteranceFrames) -> None:
        """The next frames."""
        self._client.soon(self._add, frames)

    def finish(self, end: UtteranceEnd) -> None:
        """No more frames."""
        self._client.soon(self._add, end)

    def cancel(self) -> None:
        """Gives the utterance up; `answer` raises CloudError."""
        self._client.soon(self._give_up)

    def answer(self, timeout_s: float | None = None) -> Answer:
        """The final, waited for. CloudError, a sentence, when there is none and none can come."""
        try:
            return self._outcome.result(timeout_s)
        except TimeoutError as error:
            raise CloudError(f"{self._client.address}: no answer within {timeout_s:g} s.") from error

    def begin(self) -> None:
        """Called in the network's thread."""
        self._begun_at = asyncio.get_running_loop().time()
        self._task = asyncio.create_task(self._run())
        self._client.tasks.add(self._task)
        self._task.add_done_callback(self._client.tasks.discard)

    def _add(self, heard: UtteranceFrames | UtteranceEnd) -> None:
        if isinstance(heard, UtteranceFrames):
            self._frames.append(heard)
        elif self._end is None:
            self._end = heard
            self._limit_the_wait()
        self._changed.set()

    def _limit_the_wait(self) -> None:
        """From the end on, the person waits. A file is sent faster than it was spoken; then the service has the
        time of speaking besides, to listen."""
        if self._limit is not None and self._end is not None and not self._outcome.done():
            spoken_at = max(asyncio.get_running_loop().time(), self._begun_at + self._end.duration_ms / 1000)
            self._limit.reschedule(spoken_at + self._client.settings.answer_s_max)

    def _give_up(self) -> None:
        if self._task is not None:
            self._task.cancel()

    async def _run(self) -> None:
        """Tries until there is an answer, a refusal, or no time. Settles exactly once."""
        outcome: Answer | CloudError = CloudError(f"{self._client.address}: the utterance was given up.")
        try:
            async with asyncio.timeout(SPEAKING_S_MAX) as self._limit:
                self._limit_the_wait()
                outcome = await self._try()
        except TimeoutError:
            outcome = CloudError(
                f"{self._client.address}: no answer within {self._client.settings.answer_s_max:g} s of the endpoint."
            )
        except CloudError as error:
            outcome = error
        finally:
            self._frames.clear()
            if isinstance(outcome, Answer):
                self._outcome.set_result(outcome)
            else:
                self._outcome.set_exception(outcome)
            self._on_settled(outcome)

    async def _try(self) -> Answer:
        tries_max = self._client.settings.tries_max
        for attempt in range(1, tries_max + 1):
            try:
                await self._client.connected()
                description = await self._client.description()
                return await self._attempt(attempt, description)
            except grpc.aio.AioRpcError as error:
                if error.code() == grpc.StatusCode.FAILED_PRECONDITION:
                    self._client.forget_description()
                if error.code() not in _WORTH_A_RETRY or attempt == tries_max:
                    raise CloudError(_sentence(self._client.address, error)) from error
            except TimeoutError as error:
                if attempt == tries_max:
                    raise CloudError(
                        f"{self._client.address}: no connection within {self._client.settings.connect_s_max:g} s."
                    ) from error
            # Full jitter: boards that lost the same service must not come back in step.
            await asyncio.sleep(random.uniform(0, min(0.2 * 2**attempt, 3.0)))
        raise AssertionError("unreachable: the last attempt returns or raises")

    async def _attempt(self, attempt: int, description: speech_pb2.DescribeResponse) -> Answer:
        chosen = wire.choose_codec(self._client.address, description)
        call = self._client.call(timeout_s=SPEAKING_S_MAX + self._client.settings.answer_s_max)
        sent_status = _SentStatus(call)
        sending = asyncio.create_task(self._send(call, attempt, chosen))
        try:
            return await self._receive(call)
        except grpc.aio.AioRpcError as error:
            raise sent_status.error or error from None
        finally:
            # An abandoned call is never collected, and its handler runs on at the service.
            sending.cancel()
            call.cancel()
            await asyncio.gather(sending, return_exceptions=True)

    async def _send(self, call: _Call, attempt: int, chosen: int) -> None:
        encoder = codec.encoder(chosen, DEFAULT_SPEC)
        sent = 0
        try:
            config = wire.config(self._head, self._client.settings, self._client.device_id, attempt, chosen)
            await call.write(speech_pb2.RecognizeRequest(config=config))
            while True:
                self._changed.clear()
                while sent < len(self._frames):
                    if call.done():
                        return
                    await call.write(self._encoded(encoder, self._frames[sent]))
                    sent += 1
                if self._end is not None:
                    await call.write(speech_pb2.RecognizeRequest(end=wire.end(self._end)))
                    await call.done_writing()
                    return
                await self._changed.wait()
        except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
            # The call is over; whoever reads it learns why.
            return

    async def _receive(self, call: _Call) -> Answer:
        async for response in call:
            if response.HasField("final"):
                return wire.answer(response.final)
            partial = response.partial
            self._on_partial(Partial(partial.stable_text, partial.unstable_text, partial.decoded_ms))
        raise CloudError(f"{self._client.address}: the service ended the utterance without a final.")

    def _encoded(self, encoder: codec.Encoder, frames: UtteranceFrames) -> speech_pb2.RecognizeRequest:
        data = encoder.encode(frames.levels)
        self.wire_bytes += len(data)
        return speech_pb2.RecognizeRequest(
            frames=speech_pb2.Frames(first_frame=frames.first_frame, frame_count=len(frames.levels), data=data)
        )


class _SentStatus:
    """The status as the service sent it.

    grpc.aio replaces it by its own INTERNAL when a write was still under way (grpc/grpc#36066), so it is taken down
    when it comes.
    """

    def __init__(self, call: _Call) -> None:
        self.error: grpc.aio.AioRpcError | None = None
        """None: none came, or no fault."""
        call.add_done_callback(self._take_down)

    def _take_down(self, call: _Call) -> None:
        code, details = _now(call.code()), _now(call.details())
        if code is not grpc.StatusCode.OK:
            self.error = grpc.aio.AioRpcError(code, grpc.aio.Metadata(), grpc.aio.Metadata(), details, "")


class CloudClient:
    """A service to ask, as a context manager. A service that is not there is no fault until it is asked."""

    def __init__(self, settings: Cloud, *, device_id: str) -> None:
        host, separator, port = settings.address.rpartition(":")
        if not (separator and host and port.isdigit() and 0 < int(port) < 65_536):
            raise SettingsError(
                f"cloud.address is {settings.address!r}, but must be HOST:PORT, such as 127.0.0.1:7407."
            )
        self.settings = settings
        self.device_id = device_id
        self.address = settings.address
        self.tasks: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="network", daemon=True)
        self._channel: grpc.aio.Channel
        self._description: speech_pb2.DescribeResponse | None = None

    def __enter__(self) -> "CloudClient":
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._open(), self._loop).result(CLOSE_S_MAX)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Gives up what is under way."""
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(CLOSE_S_MAX)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(CLOSE_S_MAX)
        self._loop.close()

    @property
    def alive(self) -> bool:
        """Whether the network's thread lives."""
        return self._thread.is_alive()

    def start(
        self,
        head: UtteranceHead,
        *,
        on_partial: Callable[[Partial], None] = lambda partial: None,
        on_settled: Callable[[Answer | CloudError], None] = lambda outcome: None,
    ) -> CloudStream:
        """Begins an utterance at once. Callbacks come from the network's thread and must return at once;
        `on_settled` comes exactly once, with the answer or a CloudError."""
        stream = CloudStream(self, head, on_partial, on_settled)
        self.soon(stream.begin)
        return stream

    def answers(self, heard: Iterable[Heard]) -> Iterator[Answer]:
        """The answer to each utterance, in order. CloudError when one has none."""
        stream: CloudStream | None = None
        for event in heard:
            if isinstance(event, UtteranceHead):
                stream = self.start(event)
            elif stream is not None and isinstance(event, UtteranceFrames):
                stream.send(event)
            elif stream is not None and isinstance(event, UtteranceEnd):
                stream.finish(event)
                yield stream.answer()

    def describe(self, timeout_s: float = 5.0) -> speech_pb2.DescribeResponse:
        """What the service is, waited for. CloudError if it does not say."""
        asked = asyncio.run_coroutine_threadsafe(self.description(), self._loop)
        try:
            return asked.result(timeout_s)
        except TimeoutError as error:
            asked.cancel()
            raise CloudError(f"{self.address}: the service does not say what it is.") from error
        except grpc.aio.AioRpcError as error:
            raise CloudError(_sentence(self.address, error)) from error

    def soon(self, do: Callable[..., None], *arguments: object) -> None:
        """Runs something in the network's thread; never waits."""
        self._loop.call_soon_threadsafe(do, *arguments)

    async def connected(self) -> None:
        """Waits until the channel is up, or has failed (then the call says why). TimeoutError if neither comes."""
        async with asyncio.timeout(self.settings.connect_s_max):
            state = self._channel.get_state(try_to_connect=True)
            while state not in (grpc.ChannelConnectivity.READY, grpc.ChannelConnectivity.TRANSIENT_FAILURE):
                await self._channel.wait_for_state_change(state)
                state = self._channel.get_state(try_to_connect=True)

    async def description(self) -> speech_pb2.DescribeResponse:
        """What the service said it is; asked once. AioRpcError."""
        if self._description is None:
            describe = self._channel.unary_unary(
                "/parrotlet.v1.Speech/Describe",
                request_serializer=speech_pb2.DescribeRequest.SerializeToString,
                response_deserializer=speech_pb2.DescribeResponse.FromString,
            )
            self._description = await describe(speech_pb2.DescribeRequest(), timeout=self.settings.connect_s_max)
        return self._description

    def forget_description(self) -> None:
        """The service is another one now."""
        self._description = None

    def call(self, timeout_s: float) -> _Call:
        """A new stream."""
        recognise = self._channel.stream_stream(
            "/parrotlet.v1.Speech/Recognize",
            request_serializer=speech_pb2.RecognizeRequest.SerializeToString,
            response_deserializer=speech_pb2.RecognizeResponse.FromString,
        )
        call: _Call = recognise(None, timeout=timeout_s)
        return call

    async def _open(self) -> None:
        self._channel = grpc.aio.insecure_channel(self.address, options=_CHANNEL_OPTIONS)

    async def _close(self) -> None:
        for task in list(self.tasks):
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        await self._channel.close(grace=None)
        # grpc.aio has tasks of its own, which end soon after their calls.
        rest = asyncio.all_tasks() - {asyncio.current_task()}
        if rest:
            await asyncio.wait(rest, timeout=1.0)


def _now(known: Coroutine[Any, Any, T]) -> T:
    """What a coroutine returns that need not wait."""
    try:
        known.send(None)
    except StopIteration as returned:
        value: T = returned.value
        return value
    raise AssertionError("it waits")


def _sentence(address: str, error: grpc.aio.AioRpcError) -> str:
    """What went wrong, for a person."""
    details = (error.details() or "").strip().rstrip(".")
    match error.code():
        case grpc.StatusCode.UNIMPLEMENTED:
            return f"{address}: something answers there, but it is not a Parrotlet service."
        case grpc.StatusCode.DEADLINE_EXCEEDED:
            return f"{address}: the service did not answer in time."
        case grpc.StatusCode.UNAVAILABLE:
            # gRPC tells every layer that failed, in one line; the last is the one that says why.
            return f"{address}: the service cannot be reached ({details.rsplit(': ', 1)[-1]})."
        case code:
            return f"{address}: the service refused the utterance ({code.name}: {details})."
