"""Phones without a board: each is one of its own, see visitor.py, and is here while it looks on."""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Callable

from common.errors import IdentityError, ParrotletError, SpoolError
from common.settings import Loaded
from edge import directories
from edge.page.visitor import Visitor
from edge.phones.phones import Phones
from edge.phones.shown_certificate import page_directory
from edge.settings import EdgeSettings
from edge.spool.leaving import leave, leavers
from edge.spool.phone_places import phones_with_places, place_of

logger = logging.getLogger(__name__)

IDLE_S_MAX = 600.0
"""So long what a phone that went away has is kept open."""
LOOK_S = 1.0
LEAVE_LOOK_S = 2.0
"""How often it is looked whether a phone was revoked."""
AGAIN_S = 60.0
"""Until a service that could not be asked to forget a phone is asked again."""
ROUND_S, CALL_S = 6 * 3600.0, 10.0
"""So often, and for so long, what phones have is opened that do not come any more: what waits is sent, what is old is
erased."""


class _Open:
    """A visitor that is there."""

    def __init__(self, visitor: Visitor, living: "asyncio.Task[None]") -> None:
        self.visitor = visitor
        self.living = living
        self.looking = 0
        self.left_s = 0.0


class Visitors:
    """Hosts, see host.py."""

    def __init__(self, loaded: Loaded[EdgeSettings], clock: Callable[[], float] = time.monotonic) -> None:
        self._loaded = loaded
        self._clock = clock
        self._state = directories.usable(loaded, directories.STATE)
        self._phones = Phones(page_directory(self._state))
        self._open: dict[str, _Open] = {}
        self._ailing: dict[str, str] = {}
        """Why what a phone said that was revoked is not erased everywhere yet, as it was told."""
        self._lock = asyncio.Lock()

    def __len__(self) -> int:
        return len(self._open)

    async def run(self) -> None:
        beside = [asyncio.ensure_future(work) for work in (self._call_on_all(), self._see_off_all())]
        try:
            while True:
                await asyncio.sleep(LOOK_S)
                for task in beside:
                    if task.done():
                        task.result()
                for one in self._open.values():
                    if one.living.done():
                        one.living.result()
                if not all(one.visitor.alive for one in self._open.values()):
                    raise ParrotletError("A thread of a phone's died.")
                # Whoever comes back meanwhile waits until what it had is closed.
                async with self._lock:
                    await self._close_idle(IDLE_S_MAX)
        finally:
            for task in beside:
                task.cancel()
            await asyncio.wait(beside)
            await self.close()

    async def _call_on_all(self) -> None:
        while True:
            for phone in self._with_places():
                # Where there is no room now there will be some the next time.
                with contextlib.suppress(ParrotletError):
                    async with self.of(phone):
                        await asyncio.sleep(CALL_S)
            await asyncio.sleep(ROUND_S)

    def _with_places(self) -> list[str]:
        """Phones that have said something, and are paired."""
        try:
            return [phone for phone in phones_with_places(self._state) if self._phones.is_known(phone)]
        except SpoolError as error:
            logger.warning("what phones have that do not come any more is not looked at. %s", error)
            return []

    def _leavers(self) -> list[str]:
        """Phones that were revoked, of which something is left."""
        try:
            return leavers(self._state, self._phones)
        except IdentityError as error:
            self._phones.tell(error)
        except SpoolError as error:
            logger.debug("no phone that was revoked is looked for. %s", error)
        return []

    async def _see_off_all(self) -> None:
        """Erases what phones have that were revoked, whoever revoked them, and whenever that was."""
        again_s: dict[str, float] = {}
        while True:
            for phone in self._leavers():
                if self._clock() >= again_s.get(phone, 0.0) and not await self._see_off(phone):
                    again_s[phone] = self._clock() + AGAIN_S
            await asyncio.sleep(LEAVE_LOOK_S)

    async def _see_off(self, phone: str) -> bool:
        """False where that is to be tried again in a while; one that still looks on is seen off soon."""
        async with self._lock:
            if phone in self._open:
                if self._open[phone].looking:
                    return True
                await self._close(phone)
        try:
            left = await asyncio.to_thread(leave, self._loaded, self._state, phone)
        except ParrotletError as error:
            self._tell(phone, f"what a phone said that was revoked is not erased yet: {error}")
            return False
        if left.why_not is not None:
            self._tell(phone, f"a service is still to forget a phone that was revoked: {left.why_not}")
            return False
        if not left.in_use:
            self._ailing.pop(phone, None)
            logger.info("what the phone %s said was erased, as it was revoked", phone)
        return True

    def _tell(self, phone: str, sentence: str) -> None:
        """In the log; once, however often it is so."""
        if self._ailing.get(phone) != sentence:
            logger.warning("%s", sentence)
        self._ailing[phone] = sentence

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
                visitor = Visitor(self._loaded, phone, place_of(self._state, phone))
                await asyncio.to_thread(visitor.__enter__)
                self._open[phone] = _Open(visitor, asyncio.ensure_future(visitor.run()))
            return self._open[phone]

    async def _close_idle(self, idle_s: float) -> None:
        now_s = self._clock()
        for phone, one in list(self._open.items()):
            if not one.looking and now_s - one.left_s >= idle_s:
                await self._close(phone)

    async def _close(self, phone: str) -> None:
        one = self._open.pop(phone)
        one.living.cancel()
        await asyncio.wait((one.living,))
        await asyncio.to_thread(one.visitor.__exit__)
