"""The board as a Wyoming satellite: it hears for a home, and says what the home says.

    home: describe, run-satellite, ping · board: detection (where a wake word was heard), run-pipeline, audio-start,
    audio-chunk…, audio-stop · home: voice-stopped, transcript or error, audio-start, audio-chunk…, audio-stop ·
    board: played

What is sent is the sound itself, an utterance at a time: from 400 ms before somebody speaks, or from after the wake
word, to our own endpoint. One is under way at a time. While the home speaks, the board is deaf.
"""

import asyncio
import logging
import time
from enum import Enum, auto
from typing import Any

from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.event import Event
from wyoming.ping import Pong
from wyoming.pipeline import PipelineStage, RunPipeline
from wyoming.snd import Played
from wyoming.wake import Detection

from common.errors import InputError
from common.plain_text import plain
from edge.sound.source import SAMPLE_RATE_HZ
from edge.speech.utterance import Heard, UtteranceEnd, UtteranceFrames, UtteranceHead
from edge.wyoming.connections import Connection
from edge.wyoming.loudspeaker import Loudspeaker
from edge.wyoming.sound import format_of

logger = logging.getLogger(__name__)

HOME_SILENT_S_MAX = 10.0
"""Home Assistant pings every 2 s; a home that says nothing for so long is gone."""

HOME_KEPT_S = 5.0
"""Nobody takes the place of a home that said anything within so long."""

RUN_S_MAX = 30.0
"""Longest wait for what a home makes of an utterance."""

OUTGOING_MAX = 1000
"""Events that wait to be sent, 100 s of sound: a home that takes no more is let go."""

SOUND_BYTES_MAX = 1 << 20
_FORMAT = {"rate": SAMPLE_RATE_HZ, "width": 2, "channels": 1}


class Run(Enum):
    """Of the home's pipeline."""

    NONE = auto()
    SPEAKING = auto()
    """Sound is sent."""
    AWAITED = auto()
    """All was sent, and the home has not said what it heard."""


class _Home:
    """A connection that wants to be sent what is heard."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.outgoing: asyncio.Queue[Event] = asyncio.Queue(OUTGOING_MAX)
        self.sending = asyncio.ensure_future(self._send())
        # Whoever reads from the connection sees that it ended.
        self.sending.add_done_callback(lambda sending: sending.cancelled() or sending.exception())

    async def _send(self) -> None:
        while True:
            await self.connection.write(await self.outgoing.get())


class Satellite:
    """Belongs to an event loop, but for `listens` and `heard`."""

    def __init__(self, info: Event, phrase: str | None, player: str | None) -> None:
        """`phrase` is the wake word that precedes what is heard, `player` the program that plays; None: none."""
        self._info = info
        self._phrase = phrase
        self._loudspeaker = Loudspeaker(player, self._played) if player else None
        self._loop = asyncio.get_running_loop()
        self._home: _Home | None = None
        self._run = Run.NONE
        self._deadline: asyncio.TimerHandle | None = None

    @property
    def listens(self) -> bool:
        """Whether anybody would take what is heard now. For any thread."""
        deaf = self._loudspeaker is not None and self._loudspeaker.playing
        return self._home is not None and self._run is not Run.AWAITED and not deaf

    def heard(self, heard: Heard) -> None:
        """For the hearing thread."""
        self._loop.call_soon_threadsafe(self._take, heard)

    async def serve(self, connection: Connection) -> None:
        """Until it ends. ConnectionError, or InputError for what is no event."""
        try:
            while (event := await self._next(connection)) is not None:
                await self._obey(connection, event)
        finally:
            if self._home is not None and self._home.connection is connection:
                self._leave()

    async def close(self) -> None:
        """Falls silent."""
        if self._home is not None:
            self._leave()
        if self._loudspeaker is not None:
            await self._loudspeaker.close()

    async def _next(self, connection: Connection) -> Event | None:
        """Ends also when what is to be sent cannot be."""
        reading = asyncio.ensure_future(connection.next(HOME_SILENT_S_MAX, SOUND_BYTES_MAX))
        home = self._home
        watched: list[asyncio.Future[Any]] = [reading]
        if home is not None and home.connection is connection:
            watched.append(home.sending)
        try:
            await asyncio.wait(watched, return_when=asyncio.FIRST_COMPLETED)
        finally:
            if not reading.done():
                reading.cancel()
        return await reading if reading.done() else None

    async def _obey(self, connection: Connection, event: Event) -> None:
        match event.type:
            case "describe":
                await connection.write(self._info)
            case "ping":
                text = event.data.get("text")
                await connection.write(Pong(text if isinstance(text, str) else None).event())
            case "run-satellite":
                self._adopt(connection)
            case _ if self._home is None or self._home.connection is not connection:
                logger.debug("%s of somebody else is left out", event.type)
            case "pause-satellite":
                self._leave()
            case "voice-stopped" if self._run is Run.SPEAKING:
                # It cuts for itself.
                self._await()
            case "transcript":
                logger.debug("the home heard: %s", plain(str(event.data.get("text"))))
                self._over()
            case "error":
                logger.warning("the home says: %s", plain(str(event.data.get("text")))[:500])
                self._over()
            case "audio-start" | "audio-chunk" | "audio-stop":
                self._speak(event)
            case _:
                logger.debug("%s is left out", event.type)

    def _adopt(self, connection: Connection) -> None:
        """InputError, a sentence, if another home is served."""
        if self._home is not None and self._home.connection is not connection:
            if time.monotonic() - self._home.connection.heard_s < HOME_KEPT_S:
                raise InputError("Another home has this satellite.")
            self._leave()
        if self._home is None:
            self._home = _Home(connection)
            connection.busy = True
            logger.info("a home listens")

    def _leave(self) -> None:
        assert self._home is not None
        self._home.sending.cancel()
        self._home.connection.busy = False
        self._home = None
        self._over()
        logger.info("no home listens")

    def _take(self, heard: Heard) -> None:
        match heard:
            case UtteranceHead() if self._run is Run.NONE and self.listens:
                self._run = Run.SPEAKING
                if self._phrase is not None:
                    self._tell(Detection(self._phrase).event())
                end = PipelineStage.TTS if self._loudspeaker else PipelineStage.HANDLE
                self._tell(RunPipeline(PipelineStage.ASR, end, wake_word_name=self._phrase).event())
                self._tell(AudioStart(**_FORMAT, timestamp=0).event())
            case UtteranceFrames() if self._run is Run.SPEAKING:
                self._tell(AudioChunk(**_FORMAT, audio=heard.samples.astype("<i2").tobytes()).event())
            case UtteranceEnd() if self._run is Run.SPEAKING:
                self._tell(AudioStop().event())
                self._await()

    def _tell(self, event: Event) -> None:
        if self._home is None:
            return
        try:
            self._home.outgoing.put_nowait(event)
        except asyncio.QueueFull:
            logger.warning("the home takes nothing more; it is let go")
            self._home.sending.cancel()

    def _await(self) -> None:
        self._run = Run.AWAITED
        self._deadline = self._loop.call_later(RUN_S_MAX, self._give_up)

    def _give_up(self) -> None:
        logger.warning("the home said nothing within %g s", RUN_S_MAX)
        self._over()

    def _over(self) -> None:
        self._run = Run.NONE
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _speak(self, event: Event) -> None:
        """What the home says."""
        if self._loudspeaker is None:
            return
        match event.type:
            case "audio-start":
                self._loudspeaker.start(format_of(event))
            case "audio-chunk":
                self._loudspeaker.put(event.payload or b"")
            case "audio-stop":
                self._loudspeaker.stop()

    def _played(self) -> None:
        self._tell(Played().event())
