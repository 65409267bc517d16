"""One utterance on its way to a service: tried until there is an answer, a refusal or no time.

Its frames are kept until it is settled, so that another attempt can send them again; the service knows by the
utterance's id what it has answered already.
"""

import asyncio
import concurrent.futures
import itertools
import random
from collections.abc import Callable, Sequence
from functools import cache
from typing import Protocol

from common.errors import CloudError, GivenUp
from edge.asking import wire
from edge.asking.answer import Answer, Partial
from edge.asking.cloud_channel import Call, CallFailed, Channel, Trouble
from edge.asking.network import Network
from edge.settings import Service
from edge.speech.turn import Opinion
from edge.speech.utterance import Progress, SpeechGoesOn, SpeechSeemsOver, UtteranceEnd, UtteranceFrames, UtteranceHead
from protos import codec, speech_pb2
from protos.feature_spec import FeatureSpec

PAUSE_S_MAX = 2.0
"""Longest pause between two attempts."""

SPEAKING_S_MAX = 60.0
"""Longer than any utterance: the last bound of a call whose end never comes."""


class Client(Protocol):
    """Whose utterance it is: `CloudClient`."""

    settings: Service
    spec: FeatureSpec
    device_id: str
    explain: bool
    local_model: Callable[[], str | None]
    address: str
    channel: Channel
    network: Network

    def live(self, change: int) -> None:
        """Counts utterances of somebody who waits for the answer."""

    @property
    def is_quiet(self) -> bool:
        """Whether nobody speaks, or waits for an answer."""

    async def quiet(self) -> None:
        """Waits until it is."""

    beside: asyncio.Lock
    """Whoever goes on while somebody speaks, though nobody speaks it, has this."""

    async def description(self) -> speech_pb2.DescribeResponse:
        """What the service said it is. CallFailed."""

    def forget_description(self) -> None:
        """The service is another one now."""


class CloudStream:
    """None of its methods waits, but `answer`."""

    def __init__(
        self,
        client: Client,
        head: UtteranceHead,
        on_partial: Callable[[Partial], None],
        on_settled: Callable[[Answer | CloudError], None],
        on_turn: Callable[[Opinion], None],
        on_trouble: Callable[[CallFailed], None] = lambda error: None,
        *,
        spec: FeatureSpec | None = None,
    ) -> None:
        """`on_trouble` is told of each attempt that failed and is made again. `spec` is that of its frames, where it
        is not the client's."""
        self.wire_bytes = 0
        """Bytes of frames sent so far, all attempts."""
        self._client = client
        self._spec = spec or client.spec
        self._replayed = False
        self._stood_back = False
        """It was held up by somebody who spoke."""
        self._patient_until: float | None = None
        """Until when it stands back for who speaks; None: for ever."""
        self._goes_beside = False
        """It stands back no more, and has `Client.beside`."""
        self._local_answer: Answer | None = None
        """What the board itself has answered."""
        self._head = head
        self._on_partial = on_partial
        self._on_settled = on_settled
        self._on_turn = on_turn
        self._on_trouble = on_trouble
        # Bounded by the longest utterance that the segmenter cuts.
        self._heard: list[Progress] = []
        self._end: UtteranceEnd | None = None
        self._changed = asyncio.Event()
        self._limit: asyncio.Timeout | None = None
        self._begun_at = 0.0
        self._outcome: concurrent.futures.Future[Answer] = concurrent.futures.Future()
        self._came_of_it: Answer | CloudError = GivenUp(f"{client.address}: the utterance was given up.")
        self._task: asyncio.Task[None] | None = None
        self._last_trouble: CallFailed | None = None
        """Why the attempt before failed; None while one is under way."""

    def send(self, heard: Progress) -> None:
        """What was heard next."""
        self._client.network.soon(self._add, heard)

    def finish(self, end: UtteranceEnd) -> None:
        """No more frames."""
        self._client.network.soon(self._add, end)

    def cancel(self) -> None:
        """Gives the utterance up; `answer` raises GivenUp."""
        self._client.network.soon(self._give_up)

    def answer(self, timeout_s: float | None = None) -> Answer:
        """The final, waited for. CloudError, a sentence, when there is none and none can come."""
        try:
            return self._outcome.result(timeout_s)
        except TimeoutError as error:
            raise CloudError(f"{self._client.address}: no answer within {timeout_s:g} s.") from error

    def begin(self) -> None:
        """Called in the network's thread."""
        self._begun_at = asyncio.get_running_loop().time()
        self._client.live(1)
        self._task = self._client.network.begin(self._run(), then=self._settle)

    async def replay(
        self,
        frames: Sequence[UtteranceFrames],
        end: UtteranceEnd,
        attempt: int,
        patience_s: float | None = None,
        local_answer: Answer | None = None,
    ) -> Answer:
        """One attempt to send what was said before; stands back while somebody speaks, so long (None: for ever).
        CallFailed; CloudError if the service takes no such frames."""
        self._replayed = True
        self._local_answer = local_answer
        if patience_s is not None:
            self._patient_until = asyncio.get_running_loop().time() + patience_s
        self._heard.extend(frames)
        self._end = end
        limit_s = end.duration_ms / 1000 + self._client.settings.answer_s_max
        try:
            await self._stand_back()
            async with asyncio.timeout(limit_s):
                return await self._attempt(attempt)
        except TimeoutError as error:
            self._stood_back |= self._goes_beside
            failed = CallFailed(f"{self._client.address}: no answer within {limit_s:.0f} s.", Trouble.BROKEN)
            raise self._excused(failed) from error
        except CallFailed as error:
            raise self._excused(error) from error
        finally:
            if self._goes_beside:
                self._client.beside.release()

    async def _stand_back(self) -> None:
        """Until nobody speaks; or, when its patience is over, until it is the one that goes on beside them."""
        if self._goes_beside or self._client.is_quiet:
            return
        try:
            async with asyncio.timeout_at(self._patient_until):
                await self._client.quiet()
        except TimeoutError:
            await self._client.beside.acquire()
            self._goes_beside = True

    def _excused(self, error: CallFailed) -> CallFailed:
        """Whoever is held up is no fault of the service's, nor of the utterance's."""
        if self._stood_back and error.trouble is Trouble.BROKEN:
            return CallFailed(f"{self._client.address}: somebody spoke meanwhile.", Trouble.BUSY)
        return error

    def _add(self, heard: Progress | UtteranceEnd) -> None:
        if not isinstance(heard, UtteranceEnd):
            self._heard.append(heard)
        elif self._end is None:
            self._end = heard
            self._limit_the_wait()
        self._changed.set()

    def _limit_the_wait(self) -> None:
        """From the end on, the person waits. A file is sent faster than it was spoken; then the service has the
        time of speaking besides, to listen."""
        if self._limit is not None and self._end is not None and not self._outcome.done():
            spoken_at = max(asyncio.get_running_loop().time(), self._begun_at + self._end.duration_ms / 1000)
            self._limit.reschedule(spoken_at + self._client.settings.answer_s_max)

    def _give_up(self) -> None:
        if self._task is not None:
            self._task.cancel()

    async def _run(self) -> None:
        try:
            async with asyncio.timeout(SPEAKING_S_MAX) as self._limit:
                self._limit_the_wait()
                self._came_of_it = await self._try()
        except TimeoutError:
            # Where it was busy or away all the time, that says more.
            self._came_of_it = self._last_trouble or CloudError(
                f"{self._client.address}: no answer within {self._client.settings.answer_s_max:g} s of the endpoint."
            )
        except CloudError as error:
            self._came_of_it = error

    def _settle(self) -> None:
        """Exactly once."""
        outcome = self._came_of_it
        self._client.live(-1)
        self._heard.clear()
        if isinstance(outcome, Answer):
            self._outcome.set_result(outcome)
        else:
            self._outcome.set_exception(outcome)
        self._on_settled(outcome)

    async def _try(self) -> Answer:
        """Again and again: until the time is up where the service is busy, less long where it is away, and a few times
        where it breaks."""
        now = asyncio.get_running_loop().time
        broken, away_since = 0, None
        for attempt in itertools.count(1):
            try:
                return await self._attempt(attempt)
            except CallFailed as error:
                self._last_trouble = error
                match error.trouble:
                    case Trouble.BUSY:
                        away_since = None
                    case Trouble.AWAY:
                        away_since = away_since if away_since is not None else now()
                        if now() - away_since >= self._client.settings.reach_s_max:
                            raise
                    case Trouble.BROKEN:
                        broken += 1
                        if broken >= self._client.settings.tries_max:
                            raise
                    case Trouble.OTHER_TERMS:
                        self._client.forget_description()
                        raise
                    case Trouble.REFUSED | Trouble.SHUT_OUT:
                        raise
                self._on_trouble(error)
            # Full jitter: boards that lost the same service must not come back in step.
            await asyncio.sleep(random.uniform(0, min(0.2 * 2 ** min(attempt, 10), PAUSE_S_MAX)))
        raise AssertionError("unreachable: there is no last attempt")

    async def _attempt(self, attempt: int) -> Answer:
        settings = self._client.settings
        await self._client.channel.connect(settings.connect_s_max)
        chosen = wire.choose_codec(self._client.address, self._spec, await self._client.description())
        self._last_trouble = None
        call = self._client.channel.recognise(SPEAKING_S_MAX + settings.answer_s_max)
        sending = asyncio.create_task(self._send(call, attempt, chosen))
        # Nobody waits for an answer to what cannot be sent.
        sending.add_done_callback(lambda task: call.cancel() if _died(task) else None)
        try:
            return await self._receive(call)
        finally:
            sending.cancel()
            call.cancel()
            await asyncio.gather(sending, return_exceptions=True)
            if (error := _died(sending)) is not None:
                raise error

    async def _send(self, call: Call, attempt: int, chosen: int) -> None:
        # Frames that were coded for the spool need none.
        encoder = cache(lambda: codec.encoder(chosen, self._spec))
        config = wire.config(
            self._head,
            self._client.settings,
            self._client.device_id,
            self._spec,
            attempt,
            chosen,
            replayed=self._replayed,
            explain=self._client.explain,
            local_model=self._client.local_model(),
            local_answer=self._local_answer,
        )
        sent, seems_over = 0, False
        goes_on = await call.write(speech_pb2.RecognizeRequest(config=config))
        while goes_on:
            self._changed.clear()
            while goes_on and sent < len(self._heard):
                heard = self._heard[sent]
                sent += 1
                if isinstance(heard, SpeechSeemsOver):
                    # An attempt that catches up would have the service finish for nothing.
                    seems_over = not any(isinstance(later, SpeechGoesOn) for later in self._heard[sent:])
                if isinstance(heard, UtteranceFrames) or seems_over:
                    if self._replayed and not (self._goes_beside or self._client.is_quiet):
                        self._stood_back = True
                        await self._stand_back()
                    request = wire.progress(heard, encoder, chosen)
                    self.wire_bytes += len(request.frames.data)
                    goes_on = await call.write(request)
            if self._end is not None:
                await call.write(speech_pb2.RecognizeRequest(end=wire.end(self._end)))
                await call.end_of_requests()
                return
            await self._changed.wait()

    async def _receive(self, call: Call) -> Answer:
        while (response := await call.read()) is not None:
            match response.WhichOneof("response"):
                case "final":
                    return wire.answer(response.final, self._client.device_id)
                case "turn":
                    turn = response.turn
                    said = Opinion(self._head.utterance_id, turn.speech_end_ms, wire.completeness(turn))
                    self._on_turn(said)
                case "partial":
                    partial = response.partial
                    self._on_partial(Partial(partial.stable_text, partial.unstable_text))
        sentence = f"{self._client.address}: the service ended the utterance without a final."
        raise CallFailed(sentence, Trouble.BROKEN)


def _died(task: "asyncio.Task[None]") -> BaseException | None:
    """What it died of that should not have."""
    return None if task.cancelled() else task.exception()
