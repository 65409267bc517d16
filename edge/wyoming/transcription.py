"""What one client wants transcribed: its sound cut into utterances as a microphone's is, each asked for by the chain.

A client that sends sound at the pace of speech has somebody speaking: our own endpoint, which knows the words, ends the
command, and nothing more is waited for. One that sends it faster plays a recording: then all of it is transcribed.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import NamedTuple

from common.errors import CloudError
from edge.asking.answer import Answer
from edge.asking.exchange import Exchange, exchange_all
from edge.asking.recogniser import Answerer
from edge.sound.feed import Feed
from edge.sound.source import Samples, Source
from edge.speech.turn import Turn
from edge.speech.utterance import Heard, UtteranceHead
from edge.worker import Worker

logger = logging.getLogger(__name__)

AHEAD_S_MAX = 2.0
"""So much sound may come at once at the beginning, kept from before anybody listened; more, and it is a recording."""

NOTHING_S_MAX = 15.0
"""After so much sound that nobody speaks in nothing more is waited for,"""
AGAIN_S_MAX = 5.0
"""and after so much when somebody spoke, and had no words that anybody knows."""

SOUND_S_MAX = 300.0
"""Longest stretch of sound; what comes after it is left out."""
COMMAND_S_MAX = 300.0
"""Longest wait for its end."""

STOP_S_MAX = 2.0

Hear = Callable[[Source, Turn], Iterator[Heard]]
"""Cuts a source into utterances."""


class Outcome(NamedTuple):
    """What came of it."""

    text: str
    answers: tuple[Answer, ...]
    """Of its utterances in order."""


class Transcription:
    """Belongs to the event loop that it was made in."""

    def __init__(
        self,
        answerer: Answerer,
        hear: Hear,
        *,
        answer_s_max: float,
        on_text: Callable[[str], None] = lambda text: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`on_text` is called with words that have become firm, all there are so far. After the last sound an answer is
        waited for `answer_s_max`."""
        self._answerer = answerer
        self._hear = hear
        self._answer_s_max = answer_s_max
        self._on_text = on_text
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._feed = Feed("a Wyoming client")
        self._turn = Turn()
        self._begun_s = clock()
        self._exchanges: list[Exchange] = []
        self._quiet_from_s = 0.0
        """Seconds of sound since which nobody speaks."""
        self._command: list[Exchange] = []
        """Those that were waited for."""
        self._done = asyncio.Event()
        """Nothing more is waited for."""
        self._ended = asyncio.Event()
        """No more sound comes."""
        self._heard = asyncio.Event()
        """The hearing thread is through with it."""
        self._hearing = Worker("wyoming hearing", self._hear_all)
        self._hearing.start()

    async def push(self, samples: Samples) -> None:
        """The next stretch of sound, at 16 kHz. Waits while too much is not heard yet."""
        await self._feed.put(samples)
        self._give_up_on_silence()

    def stop(self) -> None:
        """All sound is there. May be called twice."""
        self._feed.end()
        self._ended.set()
        self._check()

    async def outcome(self) -> Outcome:
        """Once the command is over. CloudError, a sentence, if nobody could answer."""
        done, ended = (asyncio.ensure_future(event.wait()) for event in (self._done, self._ended))
        try:
            await asyncio.wait((done, ended), timeout=COMMAND_S_MAX, return_when=asyncio.FIRST_COMPLETED)
            self.stop()
            await asyncio.wait((done,), timeout=self._answer_s_max)
        finally:
            done.cancel()
            ended.cancel()
        if (error := self._hearing.error) is not None:
            logger.error("the hearing thread died of %s (%s)", type(error).__name__, error)
            raise CloudError(f"It could not be heard: {error}") from error
        if not self._done.is_set():
            raise CloudError(f"There was no answer within {self._answer_s_max:g} s.")
        return self._joined()

    async def close(self) -> None:
        """Nobody waits for it any more: what was begun ends by itself, and is waited for a moment."""
        self._feed.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(STOP_S_MAX):
                await self._heard.wait()

    def _joined(self) -> Outcome:
        answers = tuple(exchange.answer or Answer("none") for exchange in self._command)
        if faults := [answer.why_not_better or "Nobody answered." for answer in answers if answer.path == "none"]:
            raise CloudError(faults[0])
        return Outcome(_text(answer.transcript for answer in answers), answers)

    @property
    def _is_live(self) -> bool:
        return self._feed.sound_s <= self._clock() - self._begun_s + AHEAD_S_MAX

    def _give_up_on_silence(self) -> None:
        """Where nobody has spoken for long; and on what has no end."""
        quiet_s = self._feed.sound_s - self._quiet_from_s
        is_quiet = not self._speaking and quiet_s > (AGAIN_S_MAX if self._exchanges else NOTHING_S_MAX)
        if self._feed.sound_s > SOUND_S_MAX or (self._is_live and is_quiet):
            self.stop()

    @property
    def _speaking(self) -> bool:
        """Whether an utterance is under way, or its answer."""
        return not all(exchange.over for exchange in self._exchanges)

    def _hear_all(self) -> None:
        """The hearing thread."""
        try:
            exchange_all(self._hear(self._feed, self._turn), self._begin)
        finally:
            self._soon(self._heard_all)

    def _begin(self, head: UtteranceHead) -> Exchange:
        exchange = Exchange(
            self._answerer,
            head,
            on_over=lambda exchange: self._soon(self._over, exchange),
            on_partial=lambda exchange: self._soon(self._tell_text),
            on_turn=self._turn.tell,
        )
        self._soon(self._exchanges.append, exchange)
        return exchange

    def _soon(self, do: Callable[..., object], *arguments: object) -> None:
        # An answer may come when everybody is gone, and the loop with them.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(do, *arguments)

    def _heard_all(self) -> None:
        self._heard.set()
        self._ended.set()
        self._check()

    def _over(self, exchange: Exchange) -> None:
        """An utterance has its answer."""
        assert exchange.end is not None
        self._quiet_from_s = (exchange.head.stream_start_ms + exchange.end.duration_ms) / 1000
        self._tell_text()
        self._check()
        self._give_up_on_silence()

    def _check(self) -> None:
        """Whether it is over: by its end, or by words that nothing follows on while somebody speaks to us."""
        if self._speaking:
            return
        if self._ended.is_set():
            over = self._heard.is_set()
        else:
            over = self._is_live and any(_decides(exchange) for exchange in self._exchanges)
        if over and not self._done.is_set():
            # Before another begins: whoever waits for this may be late.
            self._command = list(self._exchanges)
            self._done.set()

    def _tell_text(self) -> None:
        if not self._done.is_set():
            self._on_text(_text(map(_firm, self._exchanges)))


def _decides(exchange: Exchange) -> bool:
    """Whether it is the command. Noise has no words, and is not; that nobody answers need not be tried twice."""
    return exchange.answer is not None and (bool(exchange.answer.transcript) or exchange.answer.path == "none")


def _firm(exchange: Exchange) -> str:
    """Words of it that are not taken back."""
    if exchange.answer is not None:
        return exchange.answer.transcript
    return exchange.partial.stable_text if exchange.partial is not None else ""


def _text(parts: Iterable[str]) -> str:
    return " ".join(part for part in parts if part)
