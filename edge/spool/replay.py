"""Sends what was kept: the oldest first, few at a time, live speech before it, never all boards at once.

While somebody speaks or waits for an answer it stands back, until a quarter of the shelf life of the oldest that
somebody still waits for is over: then it goes on beside them, one at a time. Where speech never pauses, as with a
television in the room, all that was kept would expire though the service is there. Live speech comes first all the
same: the service sees to it before it sees to what is sent later.

What is answered while its shelf life lasts is shown, late. After that its user's final says that it has expired, and it
is sent only for the service to log and to learn from.
"""

import asyncio
import logging
import random
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import NamedTuple, Protocol, TypeVar

import msgspec

from common.errors import CloudError, SpoolError
from edge.asking.answer import Answer, Path
from edge.asking.cloud_channel import CallFailed, Trouble
from edge.asking.link import Link
from edge.clock import Clock
from edge.speech.utterance import UtteranceEnd, UtteranceFrames, UtteranceHead
from edge.spool import kept_frames
from edge.spool.event import Kind
from edge.spool.kept_frames import UnreadableError
from edge.spool.spool import Spool
from edge.spool.store import Kept, SpoolStore, State
from edge.spool.unwritten import Entry
from protos.feature_spec import FeatureSpec

logger = logging.getLogger(__name__)

T = TypeVar("T")

LOOK_S = 2.0
"""How often the spool is looked at while something waits in it: a look also writes what has gathered, so no more often
than it is written anyway."""

IDLE_LOOK_S = 10.0
"""The same while nothing does: a person may have told one to be sent again."""

CANDIDATES = 64
"""Utterances that are looked at for the next to send: some of them are being answered, or rest."""

STANDS_BACK_SHARE = 0.25
"""Of the shelf life: three quarters are left for all that waits, one after the other."""

BUSY_S_MAX = 60.0
"""Longest pause where the service has no room; the first ones are shorter."""

UNWELCOME_S = 30.0
"""Pause where it takes nothing of this board until its owner has changed something."""

BROKEN_MAX = 8
"""Attempts that the service may break over; then it is the utterance's fault."""

LIVE_ATTEMPTS = 100
"""More than were made while somebody waited: a later attempt has a higher number."""


class Sender(Protocol):
    """`CloudClient`."""

    async def probe(self) -> None:
        """CallFailed if it is not there."""

    async def replay(
        self,
        head: UtteranceHead,
        frames: Sequence[UtteranceFrames],
        end: UtteranceEnd,
        spec: FeatureSpec,
        attempt: int,
        patience_s: float,
        local_answer: Answer | None,
    ) -> Answer:
        """One attempt, which stands back for who speaks no longer than its patience. `local_answer`: what the board
        itself has answered. CallFailed."""


class Batch(NamedTuple):
    """What is sent at a time."""

    kept: list[Kept]
    patience_s: float


class Replayer:
    """Runs in the network's thread until it is cancelled."""

    def __init__(
        self,
        spool: Spool,
        path: Path,
        sender: Sender,
        link: Link,
        clock: Clock,
        draw: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self._spool = spool
        self._path = path
        self._sender = sender
        self._link = link
        self._clock = clock
        self._draw = draw
        self._kept = asyncio.Event()
        self._busy = 0
        """Times in a row that the service had no room."""
        self._rests_until: dict[int, float] = {}
        """Utterances that the service broke over, by number; monotonic seconds."""

    def look(self) -> None:
        """There is something to send."""
        self._kept.set()

    async def run(self) -> None:
        # A power cut ends an outage for all boards of a house at once.
        is_back = True
        while True:
            try:
                await self._tell_expired()
                batch = await self._next()
            except SpoolError:
                await asyncio.sleep(LOOK_S)
                continue
            if not batch.kept:
                await self._rest()
            elif not await self._reach():
                is_back = True
            elif is_back:
                is_back = False
                await asyncio.sleep(self._draw(0, self._spool.settings.replay_jitter_s_max))
            else:
                pauses = await asyncio.gather(*(self._send(kept, batch.patience_s) for kept in batch.kept))
                await asyncio.sleep(max(pauses))

    async def _rest(self) -> None:
        self._kept.clear()
        try:
            async with asyncio.timeout(LOOK_S if self._rests_until else IDLE_LOOK_S):
                await self._kept.wait()
        except TimeoutError:
            return

    async def _reach(self) -> bool:
        """Whether the service is there."""
        if self._link.down is not None:
            try:
                async with asyncio.timeout(LOOK_S):
                    await self._link.up()
            except TimeoutError:
                return False
            return False
        try:
            await self._sender.probe()
        except CallFailed as error:
            self._link.failed(error)
            await asyncio.sleep(LOOK_S)
            return False
        self._link.succeeded()
        return True

    async def _next(self) -> Batch:
        """The oldest that may be sent now."""
        now_s = self._clock.monotonic_s()
        self._rests_until = {number: until for number, until in self._rests_until.items() if until > now_s}
        free = [kept for kept in await self._free() if kept.number not in self._rests_until]
        return Batch(free[: self._spool.settings.replay_streams_max], self._patience_s(free))

    def _patience_s(self, waiting: list[Kept]) -> float:
        """How long the next ones stand back for who speaks."""
        longest_s = STANDS_BACK_SHARE * self._spool.settings.shelf_life_s
        ages_s = [self._age_s(kept) or 0.0 for kept in waiting if self._is_fresh(kept)]
        return min(max(longest_s - max(ages_s), 0.0), longest_s) if ages_s else longest_s

    async def _tell_expired(self) -> None:
        shelf_life_s = self._spool.settings.shelf_life_s
        for kept in await self._free(untold=True):
            if not self._is_fresh(kept):
                sentence = f"No answer within {shelf_life_s:g} s; it will still be sent, for the service to learn from."
                self._spool.tell(self._entry(kept), Kind.EXPIRED, sentence=sentence)

    async def _send(self, kept: Kept, patience_s: float) -> float:
        """Seconds to wait before the next."""
        assert kept.end is not None
        entry = self._entry(kept)
        self._spool.live.add(kept.head.utterance_id)
        try:
            spec = kept_frames.spec_of(kept.coding)
            frames = kept_frames.frames(kept.coding, await self._ask(lambda store: store.pieces(kept.number)))
            attempt = LIVE_ATTEMPTS + kept.attempts + 1
            own = await self._told_by(kept, "local")
            answer = await self._sender.replay(entry.head, frames, kept.end, spec, attempt, patience_s, own)
            answer = msgspec.structs.replace(answer, path=self._path)
        except UnreadableError as error:
            self._set_aside(entry, str(error))
        except SpoolError:
            return LOOK_S
        except CloudError as error:
            return self._take_failure(entry, kept, error)
        else:
            return await self._take_answer(entry, kept, answer)
        finally:
            self._spool.release(entry)
        return 0.0

    async def _take_answer(self, entry: Entry, kept: Kept, answer: Answer) -> float:
        self._link.succeeded()
        if await self._is_old_news(kept):
            pass
        elif self._is_fresh(kept):
            self._spool.tell(entry, Kind.BETTER if kept.told else Kind.LATE, answer=answer)
        else:
            self._spool.tell(entry, Kind.EXPIRED, sentence="The answer came too late.")
        if not answer.settles:
            return self._busy_pause_s(kept)
        self._busy = 0
        self._spool.acknowledge(entry)
        return 0.0

    async def _is_old_news(self, kept: Kept) -> bool:
        """Whether its user has this answer, and it was kept because the service could not write it down."""
        try:
            return await self._told_by(kept, self._path) is not None
        except SpoolError:
            return False

    async def _told_by(self, kept: Kept, path: Path) -> Answer | None:
        """What its user was told that came by this path. SpoolError."""
        return await self._ask(lambda store: store.told_by(kept.head.utterance_id, path)) if kept.told else None

    def _take_failure(self, entry: Entry, kept: Kept, error: CloudError) -> float:
        trouble = error.trouble if isinstance(error, CallFailed) else Trouble.OTHER_TERMS
        if trouble is Trouble.AWAY:
            self._link.failed(error)
        attempts = kept.attempts + (trouble is Trouble.BROKEN)
        self._spool.failed(entry, attempts, str(error))
        match trouble:
            case Trouble.REFUSED:
                self._set_aside(entry, str(error))
                return 0.0
            case Trouble.BROKEN if attempts % BROKEN_MAX == 0:
                self._set_aside(entry, f"The service broke over it {BROKEN_MAX} times. {error}")
                return 0.0
            case Trouble.BROKEN:
                # The others need not wait for it.
                until_s = self._clock.monotonic_s() + self._draw(1, min(BUSY_S_MAX, 2.0**attempts))
                self._rests_until[kept.number] = until_s
                return 0.0
            case Trouble.BUSY:
                return self._busy_pause_s(kept)
            case Trouble.AWAY:
                return 0.0
            case Trouble.OTHER_TERMS | Trouble.SHUT_OUT:
                return UNWELCOME_S

    def _busy_pause_s(self, kept: Kept) -> float:
        """The longer, the more often; but of what somebody still waits for, several tries fit into its shelf life."""
        self._busy += 1
        longest_s = STANDS_BACK_SHARE / 2 * self._spool.settings.shelf_life_s if self._is_fresh(kept) else BUSY_S_MAX
        return self._draw(0.1, max(0.1, min(longest_s, BUSY_S_MAX, 2.0**self._busy)))

    def _set_aside(self, entry: Entry, why: str) -> None:
        logger.warning("%s is kept, and not sent again: %s", entry.head.utterance_id, why)
        self._spool.quarantine(entry, why)
        self._spool.tell(entry, Kind.REFUSED, sentence=why)

    async def _free(self, *, untold: bool = False) -> list[Kept]:
        """The oldest that wait, and that nobody sees to, nor did while the spool was asked, begun meanwhile or not: its
        user may have been told since, which what is read here does not know."""
        with self._spool.released_meanwhile() as released:
            kept = await self._ask(lambda store: store.kept(State.WAITING, untold=untold, limit=CANDIDATES))
        return [one for one in kept if one.head.utterance_id not in released | self._spool.live]

    def _is_fresh(self, kept: Kept) -> bool:
        """Whether its user may still want an answer. Where nobody knows how old it is, the machine was off."""
        age_s = self._age_s(kept)
        # One from the future says that a clock was wrong, whatever it believed of itself.
        return age_s is not None and abs(age_s) <= self._spool.settings.shelf_life_s

    def _age_s(self, kept: Kept) -> float | None:
        """Since its end."""
        assert kept.end is not None
        spoken_s = kept.end.duration_ms / 1000
        if kept.boot_id == self._spool.boot_id:
            return self._clock.monotonic_s() - kept.head.started_monotonic_s - spoken_s
        if kept.head.clock_synchronised and self._clock.is_synchronised():
            return (self._clock.unix_us() - kept.head.started_at_unix_us) / 1e6 - spoken_s
        return None

    def _corrected(self, kept: Kept) -> UtteranceHead:
        """With the right time, where the clock has come since it was spoken."""
        head = kept.head
        if head.clock_synchronised or kept.boot_id != self._spool.boot_id or not self._clock.is_synchronised():
            return head
        ago_us = round((self._clock.monotonic_s() - head.started_monotonic_s) * 1e6)
        return msgspec.structs.replace(head, started_at_unix_us=self._clock.unix_us() - ago_us, clock_synchronised=True)

    def _entry(self, kept: Kept) -> Entry:
        return Entry(self._corrected(kept), kept.end, number=kept.number, told=kept.told)

    async def _ask(self, question: Callable[[SpoolStore], T]) -> T:
        asked: Future[T] = self._spool.ask(question)
        return await asyncio.wrap_future(asked)
