"""What a phone that looks on is sent: server-sent events, first those that are kept since it last looked."""

import logging
from collections.abc import AsyncIterator, Callable
from typing import Any

from sse_starlette.event import ServerSentEvent
from starlette.requests import Request

from common.errors import SpoolError
from edge.page.audience import Place, Seat, Told, told
from edge.page.story import Kept, Story

logger = logging.getLogger(__name__)

LAST_MAX = 200
"""So many answers at most are sent to who has none; the others are asked for."""
RETRY_MS = 1000
"""After so long a browser comes again."""


class Wanted:
    """What a phone asks for. ValueError where it is no number."""

    def __init__(self, request: Request) -> None:
        seen = request.headers.get("last-event-id") or request.query_params.get("after")
        self.after = max(0, int(seen)) if seen else 0
        self.last = None if seen else max(0, min(int(request.query_params.get("last", "50")), LAST_MAX))
        history, _, number = request.query_params.get("others", "").partition(".")
        self.others = Place(history, max(0, int(number))) if number else None


class Seen:
    """What one phone has been told already."""

    def __init__(self, number: int, others: Place | None) -> None:
        self._number = number
        self._others = others

    def is_new(self, item: Told) -> bool:
        """Whether it is to be told; then it is seen."""
        if item.number is not None and item.number <= self._number:
            return False
        if (place := item.place) is not None:
            is_same = self._others is not None and self._others.history == place.history
            if is_same and self._others is not None and 0 < place.number <= self._others.number:
                return False
            if place.number or not is_same:
                self._others = place
        self._number = max(self._number, item.number or 0)
        return True


async def stream(
    story: Story, wanted: Wanted, hello: Callable[[Kept | None], dict[str, Any]]
) -> AsyncIterator[ServerSentEvent]:
    """Until the phone goes, or is let go. `hello`: what it is told first."""
    # Before anything is read, so that nothing falls between.
    seat = story.sit()
    others = story.others.since(wanted.others)
    try:
        kept, events = await _kept(story, wanted)
        # Who knows more than was ever told here knows it of another history.
        seen = Seen(0 if kept is not None and wanted.after > kept.last else wanted.after, wanted.others)
        for item in (told("hello", hello(kept)), told("state", story.state()), *events, *others):
            if seen.is_new(item):
                yield _event(item)
        async for item in _from_now(seat):
            if seen.is_new(item):
                yield _event(item)
    finally:
        story.audience.leave(seat)


async def _kept(story: Story, wanted: Wanted) -> tuple[Kept | None, list[Told]]:
    """What there is, and what is wanted of it; nothing where the disk does not say."""
    try:
        kept = await story.kept()
        is_strange = wanted.after > kept.last
        return kept, await (story.events(last=LAST_MAX) if is_strange else story.events(wanted.after, last=wanted.last))
    except SpoolError as error:
        logger.debug("a phone gets no answers of before: %s", error)
        return None, []


async def _from_now(seat: Seat) -> AsyncIterator[Told]:
    while (item := await seat.next()) is not None:
        yield item


def _event(item: Told) -> ServerSentEvent:
    return ServerSentEvent(item.data, event=item.kind, id=None if item.number is None else str(item.number))
