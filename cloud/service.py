"""The gRPC service: one RPC an utterance, each key answered once.

Requests arrive here as bytes, so that garbage gets a status and a sentence instead of UNKNOWN.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Coroutine, Mapping
from typing import NamedTuple

import grpc

from cloud.answer_log import AnswerLog, Key
from cloud.callers import check_device
from cloud.client_stream import Context, Outbox, Requests, stop, write
from cloud.recognition import NobodyDecoded, Recogniser, Recognition
from cloud.request_stream import (
    LANGUAGES,
    MESSAGE_BYTES_MAX,
    Ended,
    GoesOn,
    Opened,
    Refusal,
    RequestStream,
    SeemsOver,
    Spoken,
)
from cloud.served_domain import ServedDomain
from cloud.settings import Server
from common import VERSION
from protos import speech_pb2
from protos.codec import CODECS
from protos.feature_spec import ACCEPTED_SPECS

logger = logging.getLogger(__name__)

SERVICE_NAME = speech_pb2.DESCRIPTOR.services_by_name["Speech"].full_name


class Running(NamedTuple):
    """An utterance in work."""

    attempt: int
    task: "asyncio.Task[speech_pb2.Final]"


class SpeechService:
    """Answers Describe and Recognize."""

    def __init__(
        self,
        settings: Server,
        recogniser: Recogniser,
        domains: Mapping[str, ServedDomain],
        log: AnswerLog,
        *,
        streams_max: int,
    ) -> None:
        self._settings = settings
        self._streams_max = streams_max
        self._recogniser = recogniser
        self._domains = domains
        self._default_domain = next(iter(domains))
        self._log = log
        self._running: dict[Key, Running] = {}
        self._streams: Counter[str] = Counter()

    def handler(self) -> "grpc.GenericRpcHandler[bytes, bytes]":
        """What a grpc.aio server is given."""
        return grpc.method_handlers_generic_handler(
            SERVICE_NAME,
            {
                "Describe": grpc.unary_unary_rpc_method_handler(self.describe),
                "Recognize": grpc.stream_stream_rpc_method_handler(self.recognise),
            },
        )

    async def describe(self, request: bytes, context: Context) -> bytes:
        """DescribeRequest says nothing, so its bytes are not looked at."""
        engines = [pool.engine for pool in reversed(self._recogniser.pools)]
        response = speech_pb2.DescribeResponse(
            service_version=VERSION,
            engines=[speech_pb2.Engine(name=ready.engine, model=ready.model) for ready in engines],
            domains=[served.describe() for served in self._domains.values()],
            default_domain=self._default_domain,
            feature_specs=[speech_pb2.FeatureSpec(fingerprint=fingerprint) for fingerprint in ACCEPTED_SPECS],
            codecs=CODECS,
            languages=LANGUAGES,
            limits=speech_pb2.Limits(
                utterance_ms_max=1000 * self._settings.utterance_s_max,
                message_bytes_max=MESSAGE_BYTES_MAX,
                streams_per_device_max=self._settings.streams_per_device_max,
            ),
        )
        return response.SerializeToString()

    async def recognise(self, requests: AsyncIterator[bytes], context: Context) -> None:
        """One utterance. What goes wrong becomes a status with a sentence, never UNKNOWN."""
        try:
            final = await self._answer(context)
            async with asyncio.timeout(self._settings.idle_s_max):
                await context.write(speech_pb2.RecognizeResponse(final=final).SerializeToString())
        except Refusal as refusal:
            await context.abort(refusal.code, refusal.sentence)
        except TimeoutError:
            await context.abort(grpc.StatusCode.DEADLINE_EXCEEDED, "The client does not read.")
        except NobodyDecoded as error:
            await context.abort(grpc.StatusCode.UNAVAILABLE, f"No engine could decode this utterance: {error}.")
        except Exception:
            # The process's boundary: without this the client would be told UNKNOWN, with our innards.
            logger.exception("a fault of the service")
            await context.abort(grpc.StatusCode.INTERNAL, "A fault of the service; its log says more.")

    async def _answer(self, context: Context) -> speech_pb2.Final:
        stream = RequestStream(utterance_s_max=self._settings.utterance_s_max, domains=frozenset(self._domains))
        async with Requests(context, self._settings.idle_s_max) as requests:
            opened = stream.accept(await requests.next())
        assert isinstance(opened, Opened)
        config = opened.config
        check_device(context, config.device_id)
        key = Key(config.device_id, config.utterance_id)
        if (answered := await self._log.get(key)) is not None:
            answered.from_log = True
            return answered
        self._take_over(key, config.attempt)
        served = self._domains[config.domain if config.HasField("domain") else self._default_domain]
        self._admit(config, served)
        outbox = Outbox()
        # At once, so that whoever comes next finds its load there.
        recognition = self._recogniser.begin(
            config.device_id,
            config.utterance_id,
            opened.spec,
            served,
            outbox.put_partial,
            outbox.put_turn,
            replayed=config.replayed,
        )
        try:
            deciding = asyncio.create_task(self._decode(context, stream, recognition, outbox, key))
            self._running[key] = Running(config.attempt, deciding)
            return await self._unless_overtaken(key, deciding)
        finally:
            self._streams[config.device_id] -= 1
            if not self._streams[config.device_id]:
                del self._streams[config.device_id]
            await recognition.close()

    async def _unless_overtaken(self, key: Key, deciding: "asyncio.Task[speech_pb2.Final]") -> speech_pb2.Final:
        """The task's final; ABORTED if another attempt took its place; cancels it if the client goes away."""
        try:
            await asyncio.wait([deciding])
        finally:
            deciding.cancel()
            if (running := self._running.get(key)) is not None and running.task is deciding:
                del self._running[key]
        if deciding.cancelled():
            raise Refusal(grpc.StatusCode.ABORTED, "A higher attempt of this utterance took over.")
        return deciding.result()

    def _take_over(self, key: Key, attempt: int) -> None:
        """Ends a lower attempt of the same key. Refusal if the running one is not lower."""
        running = self._running.get(key)
        if running is None:
            return
        if running.attempt >= attempt:
            raise Refusal(
                grpc.StatusCode.ABORTED,
                f"Attempt {running.attempt} of this utterance is running, and attempt {attempt} is not higher.",
            )
        running.task.cancel()

    def _admit(self, config: speech_pb2.UtteranceConfig, served: ServedDomain) -> None:
        """Counts a stream in. Refusal, at once, if there are too many, or the engines have all that they can do."""
        busy = grpc.StatusCode.RESOURCE_EXHAUSTED
        if self._streams.total() >= self._streams_max:
            raise Refusal(busy, f"{self._streams_max} utterances are in work.")
        if self._streams[config.device_id] >= self._settings.streams_per_device_max:
            raise Refusal(busy, f"{self._settings.streams_per_device_max} utterances of this device are in work.")
        if not self._recogniser.bears(served, replayed=config.replayed):
            raise Refusal(busy, "The engines have all that they can do.")
        self._streams[config.device_id] += 1

    async def _decode(
        self,
        context: Context,
        stream: RequestStream,
        recognition: Recognition,
        outbox: Outbox,
        key: Key,
    ) -> speech_pb2.Final:
        """Feeds the engines until the end comes, writes partials meanwhile, and remembers the final."""
        writing = asyncio.create_task(write(outbox, context))
        try:
            async with Requests(context, self._settings.idle_s_max) as requests:
                await self._feed(requests, stream, recognition)
            final = await _unless_more_comes(context, stream, recognition.finish())
            # A write cannot be cancelled half-way: the last one is waited for, then nothing but the final follows.
            outbox.close()
            async with asyncio.timeout(self._settings.idle_s_max):
                await writing
        finally:
            await stop(writing)
        return await self._log.put(key, final)

    async def _feed(self, requests: Requests, stream: RequestStream, recognition: Recognition) -> None:
        while not isinstance(event := stream.accept(await requests.next()), Ended):
            match event:
                case Spoken():
                    recognition.feed(event.levels)
                case SeemsOver(speech_end_ms):
                    recognition.seems_over(speech_end_ms)
                case GoesOn():
                    await recognition.goes_on()


async def _unless_more_comes(
    context: Context, stream: RequestStream, finishing: Coroutine[None, None, speech_pb2.Final]
) -> speech_pb2.Final:
    """The final. Refusal if the client says anything meanwhile: after the end, nothing may follow."""
    final = asyncio.ensure_future(finishing)
    more = asyncio.ensure_future(context.read())
    try:
        await asyncio.wait([final, more], return_when=asyncio.FIRST_COMPLETED)
        if more.done() and not more.cancelled() and (request := more.result()):
            stream.accept(request)
        return await final
    finally:
        final.cancel()
        more.cancel()
        await asyncio.gather(final, more, return_exceptions=True)
