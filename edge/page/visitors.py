"""Phones without a board: each is one of its own, with its own name, limits and spool, at the same service."""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

from common.errors import ParrotletError
from common.settings import Loaded
from edge import directories
from edge.asking import wire
from edge.asking.exchange import Exchange
from edge.asking.services import chain_of
from edge.board.control import Command
from edge.clock import SYSTEM_CLOCK, boot_id
from edge.device_id import device_id
from edge.page.microphone import Microphones
from edge.page.story import Story
from edge.settings import EdgeSettings
from edge.spool import kept_frames, sounds
from edge.spool.erasure import Erasure
from edge.spool.feedback import Feedback
from edge.spool.keeping import Keeping
from edge.spool.spool import FILE_NAME, Spool
from edge.spool.store import SpoolStore

logger = logging.getLogger(__name__)

FOLDER = "phones"
"""Of the state directory: a folder for each."""
IDLE_S_MAX = 600.0
"""So long what a phone that went away has is kept open."""
LOOK_S = 5.0
FORGET_S_MAX = 10.0
ROUND_S, CALL_S = 6 * 3600.0, 10.0
"""So often, and for so long, what phones have is opened that do not come any more: what waits is sent, what is old is
erased."""


class Visitor:
    """A Host, see host.py, as a context manager; entering it waits."""

    def __init__(self, loaded: Loaded[EdgeSettings], phone: str, place: Path) -> None:
        self.name = device_id(loaded.settings.device.id)
        self.commands: Mapping[str, Command] = {}
        spec = wire.feature_spec(loaded.settings.cloud)
        self.chain = chain_of(loaded, phone=phone)
        self.spool = Spool(
            place / FILE_NAME,
            loaded.settings.spool,
            boot_id=boot_id(),
            coding=kept_frames.coding(spec),
            hop_ms=spec.frame_ms,
            on_event=lambda event: self.story.tell(event),
        )
        self.story = Story(self.spool, self._state, self.chain.watch)
        keeping = Keeping(self.chain, self.spool, spec, SYSTEM_CLOCK)
        self.microphones = Microphones(loaded.settings, keeping, self, self.story)
        self._keeping = keeping
        self._awaited: set[Exchange] = set()
        self._entered: ExitStack

    def __enter__(self) -> Self:
        with ExitStack() as entered:
            entered.enter_context(self.spool)
            entered.enter_context(self._keeping)
            self._entered = entered.pop_all()
        return self

    def __exit__(self, *cause: object) -> None:
        self._entered.close()

    @property
    def alive(self) -> bool:
        return self.chain.alive and all(worker.alive for worker in self.spool.workers)

    def examples(self) -> Sequence[str]:
        return self.chain.examples()

    def give(self, feedback: Feedback) -> None:
        self.spool.give(feedback)

    def forget(self, utterance_id: str | None) -> int:
        erasure = Erasure(utterance_id) if utterance_id is not None else Erasure()

        def erase(store: SpoolStore) -> int:
            with store.transaction():
                here = store.erase(erasure)
                for member in self.chain.keepers:
                    store.debts.owe(member.path, erasure)
            store.truncate_log()
            return here

        sounds.erase(self.spool.sound_folder, erasure)
        here = self.spool.ask(erase).result(FORGET_S_MAX)
        self.story.forgotten()
        return here

    def heard(self, exchange: Exchange) -> None:
        """As a Hearer."""
        self._awaited.add(exchange)
        self.story.begun(exchange)

    def partial(self, exchange: Exchange) -> None:
        self.story.partial(exchange)

    def ended(self, exchange: Exchange) -> None: ...

    def over(self, exchange: Exchange) -> None:
        self._awaited.discard(exchange)
        self.story.over(exchange)

    def _state(self) -> dict[str, Any]:
        awaited = list(self._awaited)
        down = [service.down for service in self.chain.services()]
        if any(exchange.end is None for exchange in awaited):
            doing = "listening"
        elif awaited:
            doing = "thinking"
        else:
            doing = "offline" if down and all(down) else "idle"
        return {
            "doing": doing,
            "activation": None,
            "phrase": None,
            "muted_by": None,
            "sentence": self.spool.trouble or next(filter(None, down), None),
            "timers": [],
        }


class _Open:
    """A visitor that is there."""

    def __init__(self, visitor: Visitor, telling: "asyncio.Task[None]") -> None:
        self.visitor = visitor
        self.telling = telling
        self.looking = 0
        self.left_s = 0.0


class Visitors:
    """Hosts, see host.py."""

    def __init__(self, loaded: Loaded[EdgeSettings], clock: Callable[[], float] = time.monotonic) -> None:
        self._loaded = loaded
        self._clock = clock
        self._state = directories.usable(loaded, directories.STATE)
        self._open: dict[str, _Open] = {}
        self._lock = asyncio.Lock()

    def __len__(self) -> int:
        return len(self._open)

    async def run(self) -> None:
        calling = asyncio.ensure_future(self._call_on_all())
        try:
            while True:
                await asyncio.sleep(LOOK_S)
                if calling.done():
                    calling.result()
                for one in self._open.values():
                    if one.telling.done():
                        one.telling.result()
                    if not one.visitor.alive:
                        raise ParrotletError("A thread of a phone's died.")
                # Whoever comes back meanwhile waits until what it had is closed.
                async with self._lock:
                    await self._close_idle(IDLE_S_MAX)
        finally:
            calling.cancel()
            await asyncio.wait((calling,))
            await self.close()

    async def _call_on_all(self) -> None:
        while True:
            for place in sorted((self._state / FOLDER).glob("*")):
                # Where there is no room now there will be some the next time.
                with contextlib.suppress(ParrotletError):
                    async with self.of(place.name):
                        await asyncio.sleep(CALL_S)
            await asyncio.sleep(ROUND_S)

    async def close(self) -> None:
        """Closes what is open."""
        for phone in list(self._open):
            await self._close(phone)

    @contextlib.asynccontextmanager
    async def of(self, phone: str) -> AsyncIterator[Visitor]:
        one = await self._opened(phone)
        one.looking += 1
        try:
            yield one.visitor
        finally:
            one.looking -= 1
            one.left_s = self._clock()

    async def _opened(self, phone: str) -> _Open:
        async with self._lock:
            if phone not in self._open:
                if len(self._open) >= self._loaded.settings.page.phones_max:
                    await self._close_idle(0.0)
                if len(self._open) >= self._loaded.settings.page.phones_max:
                    raise ParrotletError("Too many phones look on at the moment; try again in a while.")
                visitor = Visitor(self._loaded, phone, self._state / FOLDER / phone)
                await asyncio.to_thread(visitor.__enter__)
                self._open[phone] = _Open(visitor, asyncio.ensure_future(visitor.story.run()))
            return self._open[phone]

    async def _close_idle(self, idle_s: float) -> None:
        now_s = self._clock()
        for phone, one in list(self._open.items()):
            if not one.looking and now_s - one.left_s >= idle_s:
                await self._close(phone)

    async def _close(self, phone: str) -> None:
        one = self._open.pop(phone)
        one.telling.cancel()
        await asyncio.wait((one.telling,))
        await asyncio.to_thread(one.visitor.__exit__)
