"""What waits to be heard by candidates in the shadow: after and below live work, and the first that is let go.

One utterance at a time, in processes at nice 19. Whoever answers people goes first: while anybody waits for an engine
nothing is begun, and what is under way is given up.
"""

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from cloud.changing.compared import Answered
from cloud.changing.judging import at_once, same
from cloud.changing.shadow_log import ShadowLog
from cloud.changing.shadow_store import Comparison, ShadowHeard
from cloud.finding.served_domain import DomainVersion
from cloud.log.answer_store import Key, Span
from cloud.recognition import NobodyDecoded, Recogniser
from protos import speech_pb2
from protos.feature_spec import FeatureSpec, Levels

logger = logging.getLogger(__name__)

QUEUE_MAX = 8
"""Utterances that wait; one takes 100 kB."""

LOOK_S = 0.05
"""How often it is looked whether somebody waits, while a candidate is at work."""


class Said(NamedTuple):
    """An utterance that was answered, and is to be heard again."""

    key: Key
    spec: FeatureSpec
    pieces: Sequence[Levels]
    final: speech_pb2.Final
    """What was answered."""
    comparison: Comparison
    """What is known of that."""


class Hearer(NamedTuple):
    """A candidate's engines and domain."""

    recogniser: Recogniser
    domain: DomainVersion


class Answers(Protocol):
    """`AnswerLog`, as far as it is told."""

    async def agreed(self, key: Key, *, shadow_agrees: bool) -> None:
        """Of an utterance that was answered; it may have been erased since."""


class Shadow:
    """Of one service. One event loop's."""

    def __init__(self, log: ShadowLog, is_waited_for: Callable[[], bool]) -> None:
        """`is_waited_for` tells whether anybody waits for an engine who is to be answered."""
        self.answers: Answers | None = None
        """Where it is to stand whether a candidate agrees with an answer."""
        self.counts: Counter[str] = Counter()
        """"heard", "shed" (for who is to be answered), "full" (the queue was) and "failed", since the start."""
        self._log = log
        self._is_waited_for = is_waited_for
        self._queue: deque[tuple[Said, Hearer]] = deque()
        self._now: Said | None = None
        """What is heard now."""
        self._wanted = True
        """And whether anybody may know what comes of it."""
        self._some = asyncio.Event()

    def offer(self, said: Said, hearer: Hearer) -> bool:
        """Never waits. Whether it is taken."""
        if self._is_waited_for():
            self._shed()
            self.counts["shed"] += 1
            return False
        if len(self._queue) >= QUEUE_MAX:
            self.counts["full"] += 1
            return False
        self._queue.append((said, hearer))
        self._some.set()
        return True

    def forget(self, device_id: str, utterance_id: str | None, span: Span) -> None:
        """Lets go what waits or is heard now, and fits."""

        def fits(said: Said) -> bool:
            is_meant = said.key.device_id == device_id and utterance_id in (None, said.key.utterance_id)
            return is_meant and span.holds(said.comparison.at_unix_us)

        self._queue = deque(one for one in self._queue if not fits(one[0]))
        self._wanted &= self._now is None or not fits(self._now)

    def drop(self, rollout: int) -> None:
        """Nobody wants to know any more what that candidate hears."""
        self._queue = deque(one for one in self._queue if one[0].comparison.rollout != rollout)
        self._wanted &= self._now is None or self._now.comparison.rollout != rollout

    async def run(self) -> None:
        """Hears what is offered, for ever."""
        while True:
            await self._some.wait()
            self._some.clear()
            while self._queue:
                if self._is_waited_for():
                    self._shed()
                    break
                self._now, hearer = self._queue.popleft()
                self._wanted = True
                try:
                    await self._hear(self._now, hearer)
                finally:
                    self._now = None

    async def _hear(self, said: Said, hearer: Hearer) -> None:
        recognition = hearer.recogniser.begin(*said.key, said.spec, hearer.domain, lambda partial: None, replayed=True)
        try:
            for levels in said.pieces:
                recognition.feed(levels)
            finishing = asyncio.create_task(recognition.finish())
            try:
                while not finishing.done() and self._wanted:
                    await asyncio.wait([finishing], timeout=LOOK_S)
                    if not finishing.done() and self._is_waited_for():
                        self.counts["shed"] += 1
                        return
                if not self._wanted:
                    return
                final = finishing.result()
            finally:
                finishing.cancel()
                await asyncio.gather(finishing, return_exceptions=True)
        except NobodyDecoded as error:
            self.counts["failed"] += 1
            logger.warning("a candidate could not decode an utterance: %s", error)
            return
        finally:
            await recognition.close()
        if not self._wanted:
            return
        await self._put(said, final)
        self.counts["heard"] += 1

    async def _put(self, said: Said, final: speech_pb2.Final) -> None:
        heard = ShadowHeard(
            transcript=final.transcript,
            intent=final.intent.name,
            confidence=final.confidence if final.HasField("confidence") else None,
            decoding_ms=final.decoding_ms,
            agrees=same(said.final, final),
        )
        known = said.comparison
        await self._log.put(
            Comparison(
                known.rollout,
                known.key,
                known.at_unix_us,
                "both",
                known.slices,
                known.shown,
                # Times at nice 19 say nothing of times that people would wait.
                candidate=at_once(final, timed=False),
                served=Answered(rejected=known.served.rejected),
            ),
            heard,
        )
        if self.answers is not None:
            await self.answers.agreed(said.key, shadow_agrees=heard.agrees)

    def _shed(self) -> None:
        self.counts["shed"] += len(self._queue)
        self._queue.clear()
