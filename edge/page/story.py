"""What one board's page tells: what the board does, what is being said to it, and what came of it.

Told in any thread while it happens; what is kept has the number that the spool gave it. An answer is told twice: at
once, and with its number when it is on the disk, so that nobody waits for a slow card, and nobody misses one.
"""

import asyncio
import hashlib
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from itertools import pairwise
from typing import Any, NamedTuple, TypeVar

import msgspec

from common.errors import SpoolError
from edge.asking.exchange import Exchange
from edge.page.audience import Audience, Seat, Told, told
from edge.page.card import card
from edge.page.loudness import Loudness
from edge.page.others import Others, Watch
from edge.sound.source import Samples
from edge.speech.signal_meter import dbfs
from edge.spool.event import Event
from edge.spool.spool import Spool
from edge.spool.store import SpoolStore
from edge.spool.twins import OWN

logger = logging.getLogger(__name__)

T = TypeVar("T")

LOOK_S = 0.2
"""How often it is looked what the board does."""
STATE_S_MAX = 10.0
"""So often it is told, even if nothing has changed."""
WAITING_LOOK_S = 5.0
"""How often the disk is asked what waits."""
AGAIN_S = 1.0
"""Until a disk in trouble is asked again."""

NUMBERED = "answer"


class Kept(NamedTuple):
    """What the spool has of events."""

    first: int | None
    last: int
    """Number of the newest, whether it is still there or not."""
    history: str
    """Another one when something was erased from between them."""

    def lacks(self, before: "Kept") -> bool:
        """Whether something was erased since then. The oldest also go by themselves, when others come."""
        is_shorter = self.first != before.first and (self.first is None or self.last == before.last)
        return is_shorter or self.history != before.history


class Story:
    """`tell`, `begun`, `partial`, `over`, `level` and `forgotten` may be called from any thread, and never wait. The
    rest belongs to the loop that `run` runs in."""

    def __init__(
        self, spool: Spool, state: Callable[[], dict[str, Any]], watch: Watch = lambda watcher: lambda: None
    ) -> None:
        """`state`: what the board does, as the page is told; `watch`: who knows what other boards are answered."""
        self.audience = Audience()
        self.others = Others(watch, self.audience.tell, self._soon)
        """What other boards are answered."""
        self._spool = spool
        self._state = state
        self._loop: asyncio.AbstractEventLoop | None = None
        self._new: asyncio.Event
        self._last = 0
        self._kept: Kept | None = None
        self._waiting = 0
        self._loudness = Loudness()
        self._state_told: dict[str, Any] = {}
        self._state_told_s = 0.0

    async def run(self) -> None:
        """Until it is cancelled."""
        self._loop, self._new = asyncio.get_running_loop(), asyncio.Event()
        try:
            await asyncio.gather(self._number(), self._watch(), self._count())
        finally:
            self._loop = None
            self.others.close()
            self.audience.close()

    def tell(self, event: Event) -> None:
        """What came of an utterance."""
        self._soon(self._tell, event)

    def begun(self, exchange: Exchange) -> None:
        """Somebody has begun to speak."""
        self._broadcast("partial", _words(exchange))

    def partial(self, exchange: Exchange) -> None:
        """There are other words."""
        self._broadcast("partial", _words(exchange))

    def over(self, exchange: Exchange) -> None:
        """It is settled."""
        timing = msgspec.to_builtins(exchange.timing(realtime=True))
        self._broadcast("timing", _of(exchange) | timing)

    def level(self, samples: Samples, is_speech: bool, by: str = OWN) -> None:
        """How loud it is; for every block of sound, of which few are told."""
        if self._is_watched and self._loudness.is_told(by, is_speech, time.monotonic()):
            self._broadcast("level", {"dbfs": round(dbfs(samples), 1), "speech": is_speech, "by": by})

    def forgotten(self) -> None:
        """Something was erased: whoever keeps answers is to ask what is left."""
        self._soon(self._forget)

    async def kept(self) -> Kept:
        """SpoolError if the disk does not say."""
        return await self._ask(_kept)

    async def events(self, after: int = 0, *, before: int | None = None, last: int | None = None) -> list[Told]:
        """Answers that are kept with a number between these, in order; the newest `last` of them. SpoolError."""
        events = await self._ask(lambda store: store.events(after, before=before, last=last))
        return [told(NUMBERED, card(event), number) for number, event in events]

    def state(self) -> dict[str, Any]:
        """What the board does now."""
        return self._state() | {"waiting": self._waiting}

    def sit(self) -> Seat:
        """For one who looks on; is told what happens from now on."""
        return self.audience.join()

    @property
    def _is_watched(self) -> bool:
        return self._loop is not None and len(self.audience) > 0

    def _broadcast(self, kind: str, data: dict[str, Any]) -> None:
        if self._is_watched:
            item = told(kind, data)
            self._soon(self.audience.tell, item)

    def _soon(self, do: Callable[..., None], *arguments: object) -> None:
        # The loop may not run yet, or not any more: then nobody looks on.
        if (loop := self._loop) is not None:
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(do, *arguments)

    def _tell(self, event: Event) -> None:
        if len(self.audience):
            self.audience.tell(told(NUMBERED, card(event)))
        self._new.set()

    def _forget(self) -> None:
        # What is found next is what is left.
        self._kept = None
        self.audience.tell(told("forgotten", {"all": True}))

    async def _number(self) -> None:
        """Tells events again, with their numbers."""
        with suppress(SpoolError):
            self._last = (await self.kept()).last
        while True:
            await self._new.wait()
            self._new.clear()
            try:
                for item in await self.events(self._last):
                    assert item.number is not None
                    self._last = item.number
                    self.audience.tell(item)
            except SpoolError:
                # It says itself what is wrong with it; and what was told has been seen.
                self._new.set()
                await asyncio.sleep(AGAIN_S)

    async def _watch(self) -> None:
        """Tells what the board does, when that changes."""
        while True:
            self.others.look(is_watched=len(self.audience) > 0)
            if len(self.audience):
                now_s, state = time.monotonic(), self.state()
                if state != self._state_told or now_s - self._state_told_s >= STATE_S_MAX:
                    self._state_told, self._state_told_s = state, now_s
                    self.audience.tell(told("state", state))
            await asyncio.sleep(LOOK_S)

    async def _count(self) -> None:
        """Looks what waits to be sent, and whether another process erased something."""
        while True:
            if len(self.audience):
                with suppress(SpoolError):
                    self._waiting = (await self._ask(lambda store: store.figures())).waiting
                    now = await self.kept()
                    if self._kept is not None and now.lacks(self._kept):
                        self._forget()
                    self._kept = now
            else:
                # Who comes asks what there is.
                self._kept = None
            await asyncio.sleep(WAITING_LOOK_S)

    async def _ask(self, question: Callable[[SpoolStore], T]) -> T:
        return await asyncio.wrap_future(self._spool.ask(question))


def _of(exchange: Exchange) -> dict[str, Any]:
    return {"utterance_id": exchange.head.utterance_id, "by": exchange.head.ear or OWN}


def _words(exchange: Exchange) -> dict[str, Any]:
    words = exchange.partial
    return _of(exchange) | {
        "stable": words.stable_text if words else "",
        "unstable": words.unstable_text if words else "",
    }


def _kept(store: SpoolStore) -> Kept:
    numbers, last = store.event_numbers(), store.last_event_number()
    # The oldest go by themselves, and leave no hole.
    holes = [number for before, number in pairwise([*numbers, last + 1]) if number != before + 1]
    history = hashlib.blake2b(repr(holes).encode(), digest_size=8).hexdigest()
    return Kept(numbers[0] if numbers else None, last, history)
