"""A phone's microphone: heard as the board's own is, by a gate, a segmenter and a thread of its own."""

import asyncio
import logging
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Protocol

from starlette.types import Message
from starlette.websockets import WebSocket, WebSocketDisconnect

from common.errors import DaemonError, InputError
from edge.asking import wire
from edge.asking.exchange import Exchange, exchange_all
from edge.asking.recogniser import Answerer
from edge.local.gate import open_gate
from edge.page.phone_sound import Stretches, begin, word
from edge.page.story import Story
from edge.session import Session
from edge.settings import EdgeSettings
from edge.sound.feed import Feed
from edge.sound.resampler import Resampler
from edge.sound.source import Samples
from edge.speech.hearing import hear
from edge.speech.turn import Turn
from edge.speech.utterance import EndReason, Heard, UtteranceHead
from edge.worker import Worker

logger = logging.getLogger(__name__)

SILENT_S_MAX = 10.0
"""A phone that sends nothing for so long is gone."""
AHEAD_S_MAX = 10.0
"""So much sound may come faster than it was spoken: what gathered while the link was away."""
SKIP_S_MAX = 0.5
"""Speech goes on over a shorter hole; a longer one ends it."""
HEARD_S = 0.5
"""So often, in sound, a phone is told how much of it is here: what it may send ahead of that is bounded."""
END_S_MAX = 5.0
"""How long it takes at most to hear what is there."""


class Hearer(Protocol):
    """Is told of exchanges, in whichever thread: the board."""

    def heard(self, exchange: Exchange) -> None: ...

    def partial(self, exchange: Exchange) -> None: ...

    def ended(self, exchange: Exchange) -> None: ...

    def over(self, exchange: Exchange) -> None: ...


class Microphones:
    """Those of phones."""

    def __init__(self, settings: EdgeSettings, answerer: Answerer, board: Hearer, story: Story) -> None:
        self._settings = settings
        self._answerer = answerer
        self._board = board
        self._story = story
        self._speaking = 0
        self._died = asyncio.Event()
        self._fault: Exception | None = None

    async def run(self) -> None:
        """Until it is cancelled, or a thread that hears died: of a fault of ours, for what a phone sends is looked
        through before. DaemonError then, a sentence."""
        await self._died.wait()
        cause = f"{type(self._fault).__name__} ({self._fault})"
        raise DaemonError(
            f"A thread that hears a phone died of {cause}; --log-level debug says where."
        ) from self._fault

    @property
    def allowed(self) -> bool:
        return self._settings.page.speaking_max > 0

    async def serve(self, socket: WebSocket, phone: str) -> None:
        """Hears a phone that has been let in and accepted, until it goes."""
        if self._speaking >= self._settings.page.speaking_max:
            await close(socket, "Too many phones speak at the moment; try again in a while.")
            return
        self._speaking += 1
        try:
            await self._hear(socket, phone)
            await close(socket)
        except InputError as error:
            await close(socket, str(error))
        except TimeoutError:
            await close(socket, f"Nothing came for {SILENT_S_MAX:g} s.")
        except WebSocketDisconnect:
            pass
        finally:
            self._speaking -= 1

    async def _hear(self, socket: WebSocket, phone: str) -> None:
        begun = begin((await _received(socket)).get("text") or "")
        feed, resampler = Feed(f"phone {phone}"), Resampler(begun.rate_hz)
        hearing = Worker("phone hearing", lambda: self._exchange(feed, phone))
        hearing.start()
        try:
            await _tell(socket, {"ready": True})
            await _fill(socket, feed, resampler, begun.rate_hz, hearing)
        finally:
            feed.end()
            await asyncio.to_thread(hearing.join, END_S_MAX)
            if hearing.error is not None:
                logger.debug("a thread that hears a phone died", exc_info=hearing.error)
                self._fault = hearing.error
                self._died.set()

    def _exchange(self, feed: Feed, phone: str) -> None:
        """The hearing thread."""
        turn = Turn()

        def begun(head: UtteranceHead) -> Exchange:
            exchange = Exchange(
                self._answerer, head, on_over=self._board.over, on_turn=turn.tell, on_partial=self._board.partial
            )
            self._board.heard(exchange)
            return exchange

        exchange_all(self._heard(feed, phone, turn), begun, self._board.ended)

    def _heard(self, feed: Feed, phone: str, turn: Turn) -> Iterator[Heard]:
        return hear(
            feed,
            gate=open_gate(self._settings),
            segmenter=self._settings.segmenter,
            spec=wire.feature_spec(self._settings.cloud),
            session=Session(ear=phone),
            turn=turn,
            on_block=lambda samples, is_speech: self._story.level(samples, is_speech, phone),
            end_of_source_reason=EndReason.END_OF_INPUT,
        )


async def _fill(socket: WebSocket, feed: Feed, resampler: Resampler, rate_hz: int, hearing: Worker) -> None:
    """Until the phone says that it is the end. InputError, TimeoutError and WebSocketDisconnect."""
    stretches, began_s, told = Stretches(), time.monotonic(), 0
    while hearing.alive:
        message = await _received(socket)
        if (text := message.get("text")) is not None:
            said = word(text)
            if said.end:
                await _put(feed, resampler.flush())
                return
            if said.gap is not None:
                feed.interrupt()
            continue
        missing, samples = stretches.push(message["bytes"])
        if missing > SKIP_S_MAX * rate_hz:
            feed.interrupt()
        elif missing:
            feed.lose()
        await _put(feed, resampler.push(samples))
        if stretches.samples - told >= HEARD_S * rate_hz:
            told = stretches.samples
            await _tell(socket, {"heard": told})
        if feed.sound_s > time.monotonic() - began_s + AHEAD_S_MAX:
            raise InputError("Sound comes faster than anybody speaks.")
    raise InputError("You cannot be heard any more; the board starts again, and its log says why.")


async def _received(socket: WebSocket) -> Message:
    """TimeoutError and WebSocketDisconnect."""
    async with asyncio.timeout(SILENT_S_MAX):
        message = await socket.receive()
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect
    return message


async def _tell(socket: WebSocket, said: dict[str, Any]) -> None:
    """WebSocketDisconnect where the phone takes nothing any more."""
    try:
        async with asyncio.timeout(SILENT_S_MAX):
            await socket.send_json(said)
    except TimeoutError as error:
        raise WebSocketDisconnect from error


async def _put(feed: Feed, samples: Samples) -> None:
    """InputError where it is not heard in time: a hearing thread that died makes no room any more."""
    try:
        async with asyncio.timeout(SILENT_S_MAX):
            await feed.put(samples)
    except TimeoutError as error:
        raise InputError("The board does not keep up with what is said.") from error


async def close(socket: WebSocket, sentence: str = "") -> None:
    """With a sentence: why it must be."""
    # Whoever went away need not be told.
    with suppress(RuntimeError, WebSocketDisconnect):
        if sentence:
            await socket.send_json({"sentence": sentence})
        await socket.close(code=1008 if sentence else 1000)
