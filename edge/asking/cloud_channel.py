"""A warm gRPC channel to a service, with gRPC's faults as sentences. The board's only file that knows gRPC."""

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from enum import Enum, auto
from typing import Any, TypeVar, cast

import grpc
from google.protobuf.message import Message

from common.addresses import parse_address
from common.errors import CloudError
from common.plain_text import plain
from edge.asking.unreachable import why_unreachable
from edge.clock import SYSTEM_CLOCK
from edge.keys.identity import Identity
from protos import speech_pb2
from protos.enrolment_code import SERVICE_TLS_NAME

T = TypeVar("T")
M = TypeVar("M", bound=Message)


class Trouble(Enum):
    """What kept a call from its answer."""

    AWAY = auto()
    """The service cannot be reached; it may come back."""
    BUSY = auto()
    """It has no room now, and said so at once."""
    BROKEN = auto()
    """It took the call and did not answer it. Perhaps this very utterance is what breaks it."""
    OTHER_TERMS = auto()
    """It does not accept what it once said it did."""
    REFUSED = auto()
    """It will never answer this."""
    SHUT_OUT = auto()
    """It does not let this board in until an owner does something. The utterance is not at fault."""


DETAILS_LENGTH_MAX = 500
"""Of what a service says of a fault: it ends in logs and in the spool."""

_RPC = "/parrotlet.v1.Speech/"

# Said again, these could be answered otherwise. All else would be refused for ever.
_TROUBLES = {
    grpc.StatusCode.UNAVAILABLE: Trouble.AWAY,
    grpc.StatusCode.RESOURCE_EXHAUSTED: Trouble.BUSY,
    grpc.StatusCode.FAILED_PRECONDITION: Trouble.OTHER_TERMS,
    grpc.StatusCode.UNAUTHENTICATED: Trouble.SHUT_OUT,
    grpc.StatusCode.PERMISSION_DENIED: Trouble.SHUT_OUT,
    grpc.StatusCode.ABORTED: Trouble.BROKEN,
    grpc.StatusCode.CANCELLED: Trouble.BROKEN,
    grpc.StatusCode.DEADLINE_EXCEEDED: Trouble.BROKEN,
    grpc.StatusCode.INTERNAL: Trouble.BROKEN,
    grpc.StatusCode.UNKNOWN: Trouble.BROKEN,
}

_OPTIONS = (
    # A link that is dead in the middle of a word is noticed in 4 s, not at the call's deadline.
    ("grpc.keepalive_time_ms", 2_000),
    ("grpc.keepalive_timeout_ms", 2_000),
    ("grpc.keepalive_permit_without_calls", 0),
    ("grpc.http2.max_pings_without_data", 0),
    # One retry loop: ours.
    ("grpc.enable_retries", 0),
    ("grpc.initial_reconnect_backoff_ms", 300),
    # The longest try to connect, despite its name: a packet may be lost, and a handshake take its time.
    ("grpc.min_reconnect_backoff_ms", 2_500),
    # A service that is back is noticed in 5 s.
    ("grpc.max_reconnect_backoff_ms", 1_500),
    ("grpc.dns_min_time_between_resolutions_ms", 1_500),
)

# The authority issues for the service alone, under this name, so that its address may change.
_TLS_NAME = ("grpc.ssl_target_name_override", SERVICE_TLS_NAME)

_StreamCall = grpc.aio.StreamStreamCall[speech_pb2.RecognizeRequest, speech_pb2.RecognizeResponse]


class CallFailed(CloudError):
    """Raised when a call ended without what was asked for; its text is for a person."""

    def __init__(self, sentence: str, trouble: Trouble) -> None:
        super().__init__(sentence)
        self.trouble = trouble


class Call:
    """One Recognize. Must be cancelled in the end: an abandoned call is never collected, and its handler runs on at
    the service."""

    def __init__(self, address: str, call: _StreamCall) -> None:
        self._address = address
        self._call = call
        # grpc.aio replaces the status that a service sent by its own INTERNAL when a write was still under way
        # (grpc/grpc#36066), so it is taken down when it comes.
        self._sent_error: grpc.aio.AioRpcError | None = None
        call.add_done_callback(self._take_down)

    async def write(self, request: speech_pb2.RecognizeRequest) -> bool:
        """False when the call is over; whoever reads it learns why."""
        if self._call.done():
            return False
        try:
            await self._call.write(request)
        except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
            return False
        return True

    async def end_of_requests(self) -> None:
        """No more writes."""
        if not self._call.done():
            try:
                await self._call.done_writing()
            except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
                return

    async def read(self) -> speech_pb2.RecognizeResponse | None:
        """The next response, waited for; None after the last. CallFailed."""
        try:
            response = await self._call.read()
        except grpc.aio.AioRpcError as error:
            raise _failed(self._address, self._sent_error or error) from error
        if response is grpc.aio.EOF:  # type: ignore[attr-defined]  # grpc-stubs does not know it.
            return None
        return _understood(self._address, cast(speech_pb2.RecognizeResponse | None, response))

    def cancel(self) -> None:
        self._call.cancel()

    def _take_down(self, call: _StreamCall) -> None:
        code, details = _now(call.code()), _now(call.details())
        if code is not grpc.StatusCode.OK:
            self._sent_error = grpc.aio.AioRpcError(code, grpc.aio.Metadata(), grpc.aio.Metadata(), details, "")


class Channel:
    """Made in the event loop that uses it. A service that is not there is no fault until it is asked.

    With an identity it is TLS, and both sides prove who they are; plain text never leaves this machine."""

    def __init__(self, address: str, identity: Identity | None = None) -> None:
        self._address = address
        self._identity = identity
        self.is_down = False
        """Whether it could not be connected when that was last tried."""
        self._may = identity is not None or parse_address(address, called="cloud.address", port_min=1).is_loopback
        self._channel = (
            grpc.aio.secure_channel(address, _credentials(identity), options=(*_OPTIONS, _TLS_NAME))
            if identity is not None
            else grpc.aio.insecure_channel(address, options=_OPTIONS)
        )

    async def connect(self, timeout_s: float) -> None:
        """Waits until the channel is up, or has failed (then a call says why). CallFailed if neither comes in time."""
        if not self._may:
            raise CallFailed(
                f"{self._address}: this board has not enrolled with the service, and speaks to no other machine in "
                "plain text. There: parrotlet-cloud pki enrol, which prints a code; here: parrotlet-edge enrol CODE",
                Trouble.SHUT_OUT,
            )
        self.is_down = True
        try:
            async with asyncio.timeout(timeout_s):
                state = self._channel.get_state(try_to_connect=True)
                while state not in (grpc.ChannelConnectivity.READY, grpc.ChannelConnectivity.TRANSIENT_FAILURE):
                    await self._channel.wait_for_state_change(state)
                    state = self._channel.get_state(try_to_connect=True)
        except TimeoutError as error:
            sentence = f"{self._address}: no connection within {timeout_s:g} s."
            raise CallFailed(sentence, Trouble.AWAY) from error
        except grpc.aio.UsageError as error:
            raise self._moved() from error
        self.is_down = state is not grpc.ChannelConnectivity.READY

    async def describe(self, timeout_s: float, device_id: str | None = None) -> speech_pb2.DescribeResponse:
        """What the service says it is, and offers that board. CallFailed."""
        request = speech_pb2.DescribeRequest(device_id=device_id)
        return await self._ask("Describe", request, speech_pb2.DescribeResponse, timeout_s)

    async def forget(self, request: speech_pb2.ForgetRequest, timeout_s: float) -> speech_pb2.ForgetResponse:
        """Asks the service to erase what it keeps of this board. CallFailed."""
        cannot = "cannot be asked to forget"
        return await self._ask("Forget", request, speech_pb2.ForgetResponse, timeout_s, cannot)

    async def give_feedback(self, request: speech_pb2.FeedbackRequest, timeout_s: float) -> speech_pb2.FeedbackResponse:
        """Tells the service what was said of an answer. CallFailed."""
        cannot = "cannot be told what people say of its answers"
        return await self._ask("Feedback", request, speech_pb2.FeedbackResponse, timeout_s, cannot)

    def watch(self, request: speech_pb2.WatchRequest) -> AsyncGenerator[speech_pb2.Watched, None]:
        """What other boards of the group are answered, until the service ends it. CallFailed; Trouble.OTHER_TERMS where
        there is no group."""
        return self._told("Watch", request, speech_pb2.Watched, "cannot tell of other boards")

    def fetch_model(self, request: speech_pb2.FetchModelRequest) -> AsyncGenerator[speech_pb2.ModelPiece, None]:
        """A model, in pieces. CallFailed; Trouble.OTHER_TERMS where it is not offered (any more)."""
        return self._told("FetchModel", request, speech_pb2.ModelPiece, "has no models for boards")

    async def _told(self, name: str, request: Message, kind: type[M], cannot: str) -> AsyncGenerator[M, None]:
        """One question, many answers. `cannot`: as in `_ask`."""
        ask = self._channel.unary_stream(
            _RPC + name,
            request_serializer=type(request).SerializeToString,
            response_deserializer=kind.FromString,
        )
        try:
            call = ask(request)
        except grpc.aio.UsageError as error:
            raise self._moved() from error
        try:
            while (told := await call.read()) is not grpc.aio.EOF:  # type: ignore[attr-defined]  # As above.
                yield _understood(self._address, cast(M | None, told))
        except grpc.aio.AioRpcError as error:
            raise self._not_known(error, cannot) or self._failed(error) from error
        finally:
            call.cancel()

    async def _ask(self, name: str, request: Message, kind: type[M], timeout_s: float, cannot: str | None = None) -> M:
        """One question, one answer. `cannot`: what a service of a release without it cannot."""
        call = self._channel.unary_unary(
            _RPC + name,
            request_serializer=type(request).SerializeToString,
            response_deserializer=kind.FromString,
        )
        try:
            response: M | None = await call(request, timeout=timeout_s)
        except grpc.aio.AioRpcError as error:
            raise self._not_known(error, cannot) or self._failed(error) from error
        except grpc.aio.UsageError as error:
            raise self._moved() from error
        return _understood(self._address, response)

    def recognise(self, timeout_s: float) -> Call:
        """A new stream. CallFailed."""
        recognise = self._channel.stream_stream(
            _RPC + "Recognize",
            request_serializer=speech_pb2.RecognizeRequest.SerializeToString,
            response_deserializer=speech_pb2.RecognizeResponse.FromString,
        )
        try:
            return Call(self._address, recognise(None, timeout=timeout_s))
        except grpc.aio.UsageError as error:
            raise self._moved() from error

    def _not_known(self, error: grpc.aio.AioRpcError, cannot: str | None) -> CallFailed | None:
        """Where the service is of a release without it."""
        if cannot is None or error.code() is not grpc.StatusCode.UNIMPLEMENTED:
            return None
        sentence = f"{self._address}: the service is of an older release, which {cannot}."
        return CallFailed(sentence, Trouble.OTHER_TERMS)

    def _moved(self) -> CallFailed:
        """The channel was closed under somebody's hands: the service has another address, or the board another key."""
        return CallFailed(f"{self._address}: the board has just turned to another address or key.", Trouble.AWAY)

    async def close(self, grace_s: float | None = None) -> None:
        """Ends its calls, after a while in which they may end themselves."""
        await self._channel.close(grace=grace_s)

    def _failed(self, error: grpc.aio.AioRpcError) -> CallFailed:
        """What went wrong; a certificate that has expired may be why nobody answers."""
        failed = _failed(self._address, error)
        why_not = self._identity and self._identity.why_not(SYSTEM_CLOCK.unix_us(), SYSTEM_CLOCK.is_synchronised())
        if why_not and failed.trouble is Trouble.AWAY:
            return CallFailed(f"{self._address}: {why_not}", failed.trouble)
        if self._identity is None and "Socket closed" in (error.details() or ""):
            sentence = f"{self._address}: the service closes the connection. If it speaks TLS: parrotlet-edge enrol"
            return CallFailed(sentence, failed.trouble)
        return failed


def _understood(address: str, message: M | None) -> M:
    """grpc.aio gives None for bytes that it cannot parse."""
    if message is None:
        raise CallFailed(f"{address}: what answers there does not speak as a Parrotlet service does.", Trouble.REFUSED)
    return message


def _failed(address: str, error: grpc.aio.AioRpcError) -> CallFailed:
    code = error.code()
    details = plain(error.details() or "")[:DETAILS_LENGTH_MAX]
    sentence = _sentence(address, code, details.strip().rstrip("."))
    return CallFailed(sentence, _TROUBLES.get(code, Trouble.REFUSED))


def _sentence(address: str, code: grpc.StatusCode, details: str) -> str:
    """What went wrong, for a person."""
    match code:
        case grpc.StatusCode.UNIMPLEMENTED:
            return f"{address}: something answers there, but it is not a Parrotlet service."
        case grpc.StatusCode.DEADLINE_EXCEEDED:
            return f"{address}: the service did not answer in time."
        case grpc.StatusCode.UNAUTHENTICATED | grpc.StatusCode.PERMISSION_DENIED:
            return (
                f"{address}: the service does not let this board in ({details}). To enrol again: parrotlet-edge enrol"
            )
        case grpc.StatusCode.UNAVAILABLE:
            return why_unreachable(address, details)
        case _:
            return f"{address}: the service refused the utterance ({code.name}: {details})."


def _credentials(identity: Identity) -> grpc.ChannelCredentials:
    parts = (identity.authority, identity.key, identity.certificate)
    return grpc.ssl_channel_credentials(*(part.encode() for part in parts))


def _now(known: Coroutine[Any, Any, T]) -> T:
    """What a coroutine returns that need not wait."""
    try:
        known.send(None)
    except StopIteration as returned:
        value: T = returned.value
        return value
    raise AssertionError("it waits")
