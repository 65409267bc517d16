"""One client that wants speech made text: its events in, ours out, in the order of the protocol.

describe -> info · transcribe, audio-start, audio-chunk…, audio-stop -> transcript-start, transcript-chunk…,
transcript, transcript-stop · recognize or transcript -> intent, handled or not-recognized · ping -> pong
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Literal, TypeVar

import msgspec
from wyoming.asr import Transcript, TranscriptChunk, TranscriptStart, TranscriptStop
from wyoming.event import Event
from wyoming.ping import Pong

from common.errors import CloudError, InputError, ParrotletError
from common.plain_text import plain
from edge.wyoming import understood
from edge.wyoming.connections import Connection
from edge.wyoming.event_reader import SOUND_BYTES_MAX
from edge.wyoming.sound import Decoder, format_of
from edge.wyoming.transcription import Outcome, Transcription
from edge.wyoming.understood import Lately

logger = logging.getLogger(__name__)

T = TypeVar("T")

IDLE_S_MAX = 30.0
"""Longest pause between two events of a client."""
AGAIN_S_MAX = 3.0
"""How long the next command waits for the one before."""


class Wanted(msgspec.Struct):
    """As in `transcribe`; what else it may hold changes nothing here."""

    language: str | None = None
    vad_sensitivity: str | None = None


class Pipeline(msgspec.Struct):
    """As in `run-pipeline`."""

    end_stage: Literal["wake", "asr", "intent", "handle", "tts"] = "asr"


class _Text(msgspec.Struct):
    """As in `recognize` and `transcript`."""

    text: str


class Desk:
    """What all clients share."""

    def __init__(
        self,
        begin: Callable[[Wanted, Callable[[str], None]], Transcription],
        info: Callable[[], Awaitable[Event]],
        check: Callable[[Wanted], Awaitable[None]],
        places: int,
    ) -> None:
        """`begin` begins to hear, and is told where firm words go; `check` raises InputError where nobody understands
        what is wanted. `places` is how many may have speech under way."""
        self.begin = begin
        self.info = info
        self.check = check
        self.places = places
        self.lately = Lately()


class SpeechClient:
    """Serves a connection until it ends."""

    def __init__(self, connection: Connection, desk: Desk, answer_s_max: float) -> None:
        self._connection = connection
        self._desk = desk
        self._answer_s_max = answer_s_max
        self._wanted = Wanted()
        self._pipeline = Pipeline()
        self._transcription: Transcription | None = None
        self._decoder: Decoder | None = None
        self._answering: asyncio.Task[None] | None = None

    async def serve(self) -> None:
        """ConnectionError, or InputError for what is no event."""
        try:
            while (event := await self._next()) is not None:
                await self._take(event)
            await self._stop()
            if self._answering is not None:
                # It sends no more, and may still wait.
                await asyncio.wait((self._answering,), timeout=self._answer_s_max)
        finally:
            if self._answering is not None:
                self._answering.cancel()
                await asyncio.wait((self._answering,))
            if self._transcription is not None:
                await self._transcription.close()

    async def _next(self) -> Event | None:
        owed = self._answering is not None and self._decoder is None
        idle_s_max = self._answer_s_max + IDLE_S_MAX if owed else IDLE_S_MAX
        # Sound is for who was let in to speak.
        return await self._connection.next(idle_s_max, SOUND_BYTES_MAX if self._decoder else SOUND_BYTES_MAX // 16)

    async def _take(self, event: Event) -> None:
        match event.type:
            case "describe":
                await self._connection.write(await self._desk.info())
            case "ping":
                text = event.data.get("text")
                await self._connection.write(Pong(text if isinstance(text, str) else None).event())
            case "transcribe":
                self._wanted = _convert(event, Wanted)
            case "run-pipeline":
                self._pipeline = _convert(event, Pipeline)
            case "audio-start":
                await self._begin(event)
            case "audio-chunk":
                await self._hear(event)
            case "audio-stop":
                await self._stop()
            case "recognize" | "transcript":
                said = self._desk.lately.find(_convert(event, _Text).text)
                await self._connection.write(understood.meaning(said))
            case _:
                # As the protocol wants it: what is not known may be new.
                logger.debug("%s is left out", event.type)

    async def _begin(self, event: Event) -> None:
        if self._answering is not None:
            # The one before may just have been answered.
            await asyncio.wait((self._answering,), timeout=AGAIN_S_MAX)
        if self._answering is not None:
            raise InputError("audio-start came while an answer was still owed.")
        kind = format_of(event)
        try:
            await self._desk.check(self._wanted)
            if not self._desk.places:
                raise CloudError("Others are speaking; there is no room for one more now.")
        except ParrotletError as error:
            await self._connection.complain(error)
            return
        texts: asyncio.Queue[str | None] = asyncio.Queue()
        self._decoder = Decoder(kind)
        self._transcription = self._desk.begin(self._wanted, texts.put_nowait)
        self._desk.places -= 1
        self._connection.busy = True
        self._answering = asyncio.ensure_future(self._answer(self._transcription, texts))
        self._answering.add_done_callback(self._leave_place)

    def _leave_place(self, answering: "asyncio.Task[None]") -> None:
        self._desk.places += 1
        self._connection.busy = False
        self._answering = self._decoder = None
        if not answering.cancelled() and (error := answering.exception()) and not isinstance(error, ConnectionError):
            logger.error("a client's answer ended with %s (%s)", type(error).__name__, error)

    async def _hear(self, event: Event) -> None:
        """A chunk. What follows on a command that is over is nobody's."""
        if self._transcription is None or self._decoder is None or not event.payload:
            return
        kind = format_of(event)
        if kind != self._decoder.kind:
            await self._transcription.push(self._decoder.flush())
            self._decoder = Decoder(kind)
        await self._transcription.push(self._decoder.push(event.payload))

    async def _stop(self) -> None:
        if self._transcription is not None and self._decoder is not None:
            await self._transcription.push(self._decoder.flush())
            self._transcription.stop()
        self._decoder = None

    async def _answer(self, transcription: Transcription, texts: "asyncio.Queue[str | None]") -> None:
        """What comes of it, as it comes."""
        outcome = asyncio.ensure_future(transcription.outcome())
        outcome.add_done_callback(lambda _: texts.put_nowait(None))
        try:
            shown = _Shown(self._connection)
            while (text := await texts.get()) is not None:
                await shown.grow(plain(text))
            await self._finish(shown, await outcome)
        except CloudError as error:
            logger.warning("a client was not answered: %s", error)
            await self._connection.complain(error)
        finally:
            outcome.cancel()
            await transcription.close()
            self._transcription = None

    async def _finish(self, shown: "_Shown", outcome: Outcome) -> None:
        text = plain(outcome.text)
        self._desk.lately.keep(text, outcome.answers)
        logger.debug("a client is answered: %s", text)
        await shown.grow(text)
        await self._connection.write(Transcript(text, language=self._wanted.language).event())
        await shown.stop()
        if self._pipeline.end_stage in ("intent", "handle", "tts"):
            await self._connection.write(understood.intent(outcome.answers))
        if self._pipeline.end_stage in ("handle", "tts"):
            await self._connection.write(understood.handling(outcome.answers))


class _Shown:
    """A transcript that grows in front of the client. What was shown is not taken back: where the words become others,
    no more is shown, and `transcript` says what they are."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._text = ""

    async def grow(self, text: str) -> None:
        if len(text) <= len(self._text) or not text.startswith(self._text):
            return
        if not self._text:
            await self._connection.write(TranscriptStart().event())
        await self._connection.write(TranscriptChunk(text[len(self._text) :]).event())
        self._text = text

    async def stop(self) -> None:
        if self._text:
            await self._connection.write(TranscriptStop().event())


def _convert(event: Event, kind: type[T]) -> T:
    try:
        return msgspec.convert(event.data, kind)
    except msgspec.ValidationError as error:
        raise InputError(f"{event.type} is not as Wyoming has it: {error}.") from error
