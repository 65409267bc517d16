"""The RPC by which a board fetches a model that it is offered: in small pieces, one at a time for all boards, so that
nobody who speaks ever notices."""

import asyncio
from collections import Counter

import grpc
from google.protobuf.message import DecodeError

from cloud.changing.offers import Offers
from cloud.client_stream import Context
from cloud.keys.callers import check_device
from cloud.places import Places
from cloud.request_stream import Refusal, check_id
from common.errors import RolloutError
from protos import speech_pb2
from protos.model_package import PIECE_BYTES_MAX

FETCHES_MAX = 32
FETCHES_PER_DEVICE_MAX = 1

PAUSE_S = 0.02
"""After each piece, whoever it is for: 800 kB/s for all boards together."""
SPOKEN_PAUSE_S = 0.2
"""The same while anybody speaks."""


class Fetching:
    """One event loop's."""

    def __init__(
        self,
        offers: Offers,
        *,
        idle_s_max: float = 15.0,
        pause_s: float = PAUSE_S,
        spoken_pause_s: float = SPOKEN_PAUSE_S,
    ) -> None:
        """`idle_s_max`: how long a client may not read."""
        self.offers = offers
        self._idle_s_max = idle_s_max
        self._pause_s = pause_s
        self._spoken_pause_s = spoken_pause_s
        self._fetches: Counter[str] = Counter()
        self._turn = asyncio.Lock()
        self._is_closed = False

    def close(self) -> None:
        """Ends all of it: boards come back for the rest."""
        self._is_closed = True

    async def fetch(self, data: bytes, places: Places, context: Context) -> None:
        """What a FetchModelRequest asks for, to its end. Refusal."""
        request = _read(data)
        check_device(context, request.device_id)
        if self._fetches[request.device_id] >= FETCHES_PER_DEVICE_MAX:
            raise Refusal(grpc.StatusCode.RESOURCE_EXHAUSTED, "This device fetches a model already.")
        if self._fetches.total() >= FETCHES_MAX:
            raise Refusal(grpc.StatusCode.RESOURCE_EXHAUSTED, f"{FETCHES_MAX} devices fetch models.")
        self._fetches[request.device_id] += 1
        try:
            content = await self._content(request)
            for offset in range(request.offset, len(content), PIECE_BYTES_MAX):
                await self._wait_for_turn(places)
                if self._is_closed:
                    raise Refusal(grpc.StatusCode.UNAVAILABLE, "The service is stopping.")
                piece = speech_pb2.ModelPiece(offset=offset, data=content[offset : offset + PIECE_BYTES_MAX])
                async with asyncio.timeout(self._idle_s_max):
                    await context.write(piece.SerializeToString())
        finally:
            self._fetches[request.device_id] -= 1
            self._fetches += Counter()

    async def _content(self, request: speech_pb2.FetchModelRequest) -> bytes:
        named = f"{request.name} {request.version}"
        try:
            content = await self.offers.content(request.device_id, request.name, request.version)
        except RolloutError as error:
            raise Refusal(grpc.StatusCode.UNAVAILABLE, f"{named} cannot be read now; try again.") from error
        if content is None:
            raise Refusal(grpc.StatusCode.FAILED_PRECONDITION, f"{request.device_id} is not offered {named}.")
        if request.offset > len(content):
            raise _invalid(f"the offset {request.offset}; {named} has {len(content)} bytes")
        return content

    async def _wait_for_turn(self, places: Places) -> None:
        async with self._turn:
            await asyncio.sleep(self._spoken_pause_s if places.taken else self._pause_s)


def _read(data: bytes) -> speech_pb2.FetchModelRequest:
    """Refusal if it breaks a rule of protos/speech.proto."""
    try:
        request = speech_pb2.FetchModelRequest.FromString(data)
    except DecodeError as error:
        raise _invalid("a request that is not a parrotlet.v1.FetchModelRequest") from error
    for name in ("device_id", "name", "version"):
        check_id(name, getattr(request, name))
    return request


def _invalid(what: str) -> Refusal:
    return Refusal(grpc.StatusCode.INVALID_ARGUMENT, f"The client sent {what}.")
