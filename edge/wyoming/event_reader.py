"""Reads Wyoming events from whoever connected: a line of JSON, perhaps more JSON, perhaps sound. Each part has a bound
in bytes, the whole in time; the library's own reader has neither.

Wyoming has no encryption and asks nobody who they are: see https://github.com/OHF-Voice/wyoming.
"""

import asyncio
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta
from wyoming.event import Event

from common.errors import InputError

T = TypeVar("T")

LINE_BYTES_MAX = 1 << 16
"""Of the line of JSON that begins an event."""
DATA_BYTES_MAX = 1 << 18
"""Of the JSON that follows it: names that a client wants to be heard may be many."""
SOUND_BYTES_MAX = 4 << 20
"""Of an event's sound: a whole command of 48 kHz, stereo and 32 bit in one piece."""

EVENT_S_MAX = 10.0
"""From the first byte of an event to its last: who is slower keeps others waiting on purpose."""


class _Head(msgspec.Struct):
    """The first line."""

    type: Annotated[str, Meta(min_length=1, max_length=64)]
    data: dict[str, Any] | None = None
    data_length: Annotated[int, Meta(ge=0)] | None = None
    payload_length: Annotated[int, Meta(ge=0)] | None = None


class EventReader:
    """The events of one connection, whose `asyncio.StreamReader` has the limit LINE_BYTES_MAX."""

    def __init__(self, reader: asyncio.StreamReader, event_s_max: float = EVENT_S_MAX) -> None:
        self._reader = reader
        self._event_s_max = event_s_max

    async def next(self, idle_s_max: float, sound_bytes_max: int) -> Event | None:
        """The next event; None where the other side has ended, or has begun none in time. InputError, a sentence, where
        it is none, or too slow or too large: the connection is of no use any more."""
        try:
            async with asyncio.timeout(idle_s_max):
                first = await self._reader.read(1)
        except TimeoutError:
            return None
        if not first:
            return None
        try:
            async with asyncio.timeout(self._event_s_max):
                return await self._rest(first, sound_bytes_max)
        except TimeoutError as error:
            raise InputError(f"An event was not whole after {self._event_s_max:g} s.") from error
        except asyncio.LimitOverrunError as error:
            raise InputError(f"The line that begins an event is longer than {LINE_BYTES_MAX} bytes.") from error
        except asyncio.IncompleteReadError:
            return None

    async def _rest(self, first: bytes, sound_bytes_max: int) -> Event:
        head = _parsed(first + await self._reader.readuntil(b"\n"), _Head)
        data = head.data or {}
        if head.data_length:
            _check(head.data_length, DATA_BYTES_MAX, "data")
            data |= _parsed(await self._reader.readexactly(head.data_length), dict[str, Any])
        if not head.payload_length:
            return Event(head.type, data)
        _check(head.payload_length, sound_bytes_max, "sound")
        return Event(head.type, data, await self._reader.readexactly(head.payload_length))


def _check(length: int, length_max: int, what: str) -> None:
    if length > length_max:
        raise InputError(f"An event has {length} bytes of {what}, and may have {length_max}.")


def _parsed(text: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(text, type=kind)
    # What is nested deeply enough is no DecodeError.
    except (msgspec.DecodeError, RecursionError) as error:
        raise InputError("What came is no Wyoming event, which is a line of JSON with a type.") from error
