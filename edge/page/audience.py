"""Whoever looks on: each has a seat with a bounded queue, and nobody is waited for.

All of it belongs to one event loop.
"""

import asyncio
from typing import Any, NamedTuple

import msgspec

WAITING_MAX = 400
"""So much may wait for one phone; who falls further behind is let go, comes back and asks for what it has missed."""


class Place(NamedTuple):
    """Of something in what the service tells of other boards."""

    history: str
    number: int
    """From 1; 0: the beginning."""


class Told(NamedTuple):
    """One thing that is told."""

    kind: str
    data: str
    """JSON."""
    number: int | None = None
    """Of an event that is on the disk; who has seen it need not be told it again."""
    place: Place | None = None
    """Of an answer to another board, and where those begin; likewise."""


def told(kind: str, data: Any, number: int | None = None, place: Place | None = None) -> Told:
    """Encodes what is told once, for all seats."""
    return Told(kind, msgspec.json.encode(data).decode(), number, place)


class Seat:
    """Of one who looks on."""

    def __init__(self) -> None:
        # None is the end.
        self._queue: asyncio.Queue[Told | None] = asyncio.Queue(WAITING_MAX)
        self._over = False

    def put(self, item: Told) -> None:
        """Never waits: where there is no room, the seat is given up."""
        try:
            self._queue.put_nowait(item)
        except asyncio.QueueFull:
            self.leave()

    def leave(self) -> None:
        """`next` gives nothing more."""
        self._over = True
        while not self._queue.empty():
            self._queue.get_nowait()
        self._queue.put_nowait(None)

    async def next(self) -> Told | None:
        """What is told next; None when it is over."""
        return None if self._over and self._queue.empty() else await self._queue.get()


class Audience:
    """All of them."""

    def __init__(self) -> None:
        self._seats: set[Seat] = set()
        self._closed = False

    def __len__(self) -> int:
        return len(self._seats)

    def join(self) -> Seat:
        """A seat, until `leave`."""
        seat = Seat()
        self._seats.add(seat)
        if self._closed:
            seat.leave()
        return seat

    def leave(self, seat: Seat) -> None:
        self._seats.discard(seat)

    def tell(self, item: Told) -> None:
        for seat in list(self._seats):
            seat.put(item)

    def close(self) -> None:
        """Everybody goes, and who comes."""
        self._closed = True
        for seat in list(self._seats):
            seat.leave()
