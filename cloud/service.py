"""The gRPC service: one RPC an utterance, each key answered once.

Requests arrive here as bytes, so that garbage gets a status and a sentence instead of UNKNOWN.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack

import grpc
from google.protobuf.message import DecodeError

from cloud.changing.running import Changing, Way
from cloud.claims import Claims
from cloud.client_stream import Context, Outbox, Requests, stop, write
from cloud.decoders.languages import ENGLISH
from cloud.feedback import take_feedback
from cloud.fetching import Fetching
from cloud.finding.served_domain import ServedDomain
from cloud.forgetting import forget
from cloud.keys.callers import caller_of, check_device
from cloud.log.answer_log import Key, Occasion
from cloud.places import Place, Places
from cloud.recognition import NobodyDecoded, Recogniser, Recognition
from cloud.request_stream import (
    MESSAGE_BYTES_MAX,
    Ended,
    GoesOn,
    Opened,
    Refusal,
    RequestStream,
    SeemsOver,
    Spoken,
)
from cloud.settings import Server
from cloud.utterance import Onlooker, Utterance, spoken_at_unix_us
from cloud.watching import Watching
from common import VERSION
from protos import speech_pb2
from protos.codec import CODECS
from protos.feature_spec import ACCEPTED_SPECS

logger = logging.getLogger(__name__)

SERVICE_NAME = speech_pb2.DESCRIPTOR.services_by_name["Speech"].full_name


class SpeechService:
    """Answers Describe, Recognize, Forget, Feedback, Watch and FetchModel."""

    def __init__(
        self,
        settings: Server,
        recogniser: Recogniser,
        domains: Mapping[str, ServedDomain],
        claims: Claims,
        places: Places,
        languages: Sequence[str] = (ENGLISH,),
        *,
        watching: Watching | None = None,
        changing: Changing | None = None,
        fetching: Fetching | None = None,
        onlookers: Sequence[Onlooker] = (),
    ) -> None:
        """`languages` are what the engines understand, first parts of BCP 47 tags; `watching`: where boards may look at
        what others are answered; `changing`: candidates may hear and answer, too; `fetching`: boards are offered
        models."""
        self._settings = settings
        self._recogniser = recogniser
        self._domains = domains
        self._default_domain = next(iter(domains))
        self._claims = claims
        self._places = places
        self._languages = languages
        self._onlookers = onlookers
        self._watching = watching
        self._changing = changing
        self._fetching = fetching

    def handler(self) -> "grpc.GenericRpcHandler[bytes, bytes]":
        """What a grpc.aio server is given."""
        return grpc.method_handlers_generic_handler(
            SERVICE_NAME,
            {
                "Describe": grpc.unary_unary_rpc_method_handler(self.describe),
                "Recognize": grpc.stream_stream_rpc_method_handler(self.recognise),
                "Forget": grpc.unary_unary_rpc_method_handler(self.forget),
                "Feedback": grpc.unary_unary_rpc_method_handler(self.feedback),
                "Watch": grpc.unary_stream_rpc_method_handler(self.watch),
                "FetchModel": grpc.unary_stream_rpc_method_handler(self.fetch_model),
            },
        )

    async def describe(self, request: bytes, context: Context) -> bytes:
        """What it is, whoever asks, and with whatever bytes."""
        engines = [pool.engine for pool in reversed(self._recogniser.pools)]
        response = speech_pb2.DescribeResponse(
            service_version=VERSION,
            engines=[speech_pb2.Engine(name=ready.engine, model=ready.model) for ready in engines],
            domains=[served.now.describe() for served in self._domains.values()],
            default_domain=self._default_domain,
            feature_specs=[speech_pb2.FeatureSpec(fingerprint=fingerprint) for fingerprint in ACCEPTED_SPECS],
            codecs=CODECS,
            languages=self._languages,
            limits=speech_pb2.Limits(
                utterance_ms_max=1000 * self._settings.utterance_s_max,
                message_bytes_max=MESSAGE_BYTES_MAX,
            ),
        )
        self._places.describe(response.limits)
        if self._fetching is not None:
            offers = self._fetching.offers
            response.board_models.extend(offers.offered(_who(request, context)))
            response.withdrawn_board_models.extend(offers.withdrawn)
        return response.SerializeToString()

    async def recognise(self, requests: AsyncIterator[bytes], context: Context) -> None:
        """One utterance. What goes wrong becomes a status with a sentence, never UNKNOWN."""
        try:
            final = await self._answer(context)
            async with asyncio.timeout(self._settings.idle_s_max):
                await context.write(speech_pb2.RecognizeResponse(final=final).SerializeToString())
        except Refusal as refusal:
            await self._refuse(context, refusal.code, refusal.sentence)
        except TimeoutError:
            await self._refuse(context, grpc.StatusCode.DEADLINE_EXCEEDED, "The client does not read.")
        except NobodyDecoded as error:
            sentence = f"No engine could decode this utterance: {error}."
            await self._refuse(context, grpc.StatusCode.UNAVAILABLE, sentence)
        except Exception:
            # The process's boundary: without this the client would be told UNKNOWN, with our innards.
            logger.exception("a fault of the service")
            await self._refuse(context, grpc.StatusCode.INTERNAL, "A fault of the service; its log says more.")

    async def forget(self, request: bytes, context: Context) -> bytes:
        """Erases utterances of the board that asks."""
        try:
            response = await forget(self._claims, self._places, request, context)
        except Refusal as refusal:
            return await self._refuse(context, refusal.code, refusal.sentence)
        return response.SerializeToString()

    async def feedback(self, request: bytes, context: Context) -> bytes:
        """Keeps what was said of an answer to the board that tells."""
        try:
            taken = await take_feedback(self._claims, self._places, request, context)
        except Refusal as refusal:
            return await self._refuse(context, refusal.code, refusal.sentence)
        for onlooker in self._onlookers:
            onlooker.judged(taken)
        return speech_pb2.FeedbackResponse().SerializeToString()

    async def watch(self, request: bytes, context: Context) -> None:
        """Tells the board that asks what the others of its group are answered."""
        try:
            if self._watching is None:
                raise Refusal(grpc.StatusCode.FAILED_PRECONDITION, "There are no groups of boards at this service.")
            await self._watching.watch(request, self._places, context)
        except Refusal as refusal:
            await context.abort(refusal.code, refusal.sentence)
        except TimeoutError:
            await context.abort(grpc.StatusCode.DEADLINE_EXCEEDED, "The client does not read.")

    async def fetch_model(self, request: bytes, context: Context) -> None:
        """Sends the board that asks a model that it is offered."""
        try:
            if self._fetching is None:
                raise Refusal(grpc.StatusCode.FAILED_PRECONDITION, "There are no models for boards at this service.")
            await self._fetching.fetch(request, self._places, context)
        except Refusal as refusal:
            await context.abort(refusal.code, refusal.sentence)
        except TimeoutError:
            await context.abort(grpc.StatusCode.DEADLINE_EXCEEDED, "The client does not read.")

    async def close(self) -> None:
        """Gives up what is still being answered for clients that went away."""
        await self._claims.close()

    async def _refuse(self, context: Context, code: grpc.StatusCode, sentence: str) -> bytes:
        """Ends the call; nothing that is returned is sent."""
        for onlooker in self._onlookers:
            onlooker.refused(code.name)
        await context.abort(code, sentence)
        return b""

    async def _answer(self, context: Context) -> speech_pb2.Final:
        stream = RequestStream(
            utterance_s_max=self._settings.utterance_s_max,
            domains=frozenset(self._domains),
            languages=self._languages,
        )
        async with Requests(context, self._settings.idle_s_max) as requests:
            opened = stream.accept(await requests.next())
        assert isinstance(opened, Opened)
        config = opened.config
        check_device(context, config.device_id)
        key = Key(config.device_id, config.utterance_id)
        self._places.knock(config.device_id, replayed=config.replayed)
        claim = await self._claims.claim(key, config.attempt, spoken_at_unix_us(config))
        if isinstance(claim, speech_pb2.Final):
            return claim
        way = self._way(config)
        with claim:
            async with AsyncExitStack() as held:
                place = held.enter_context(self._admit(config, way))
                outbox = Outbox()
                utterance = Utterance(config, opened.spec, knows_word=way.domain.knows_word)

                def show(partial: speech_pb2.Partial) -> None:
                    utterance.show()
                    outbox.put_partial(partial)

                # At once, so that whoever comes next finds its load there.
                recognition = way.recogniser.begin(
                    config.device_id,
                    config.utterance_id,
                    opened.spec,
                    way.domain,
                    show,
                    outbox.put_turn,
                    replayed=config.replayed,
                    explain=config.explain,
                )
                held.push_async_callback(recognition.close)
                writing = asyncio.create_task(write(outbox, context))
                try:
                    end = await claim.unless_overtaken(self._hear(context, stream, recognition, place, utterance))
                    occasion = Occasion(
                        ended_at_unix_us=None if config.replayed else time.time_ns() // 1000,
                        duration_ms=utterance.duration_ms,
                        snr_db=end.snr_db if end.HasField("snr_db") else None,
                    )
                    # What is held is held until the final is found, whether its client is still there or not.
                    finishing = claim.finish(self._finish(recognition, utterance, held.pop_all()), occasion, utterance)
                    final = await _unless_more_comes(context, stream, finishing)
                    # A write cannot be cancelled half-way: the last one is waited for, then nothing but the final
                    # follows.
                    outbox.close()
                    async with asyncio.timeout(self._settings.idle_s_max):
                        await writing
                finally:
                    await stop(writing)
                if self._changing is not None:
                    self._changing.answered(way, utterance, final)
                return final

    def _way(self, config: speech_pb2.UtteranceConfig) -> Way:
        """Who answers it."""
        domain = config.domain if config.HasField("domain") else self._default_domain
        if self._changing is not None:
            return self._changing.way(config.device_id, domain)
        return Way(self._recogniser, self._domains[domain].now)

    def _admit(self, config: speech_pb2.UtteranceConfig, way: Way) -> Place:
        """A place for a stream. Refusal, at once, if there is none, or the engines have all that they can do."""
        if not way.recogniser.bears(way.domain, replayed=config.replayed):
            raise Refusal(grpc.StatusCode.RESOURCE_EXHAUSTED, "The engines have all that they can do.")
        return self._places.take(config.device_id, replayed=config.replayed)

    async def _hear(
        self, context: Context, stream: RequestStream, recognition: Recognition, place: Place, utterance: Utterance
    ) -> speech_pb2.UtteranceEnd:
        """Feeds the engines until the end comes."""
        async with Requests(context, self._settings.idle_s_max) as requests:
            while True:
                data = await requests.next()
                place.count(len(data))
                match stream.accept(data):
                    case Spoken(levels):
                        utterance.hear(levels)
                        recognition.feed(levels)
                    case SeemsOver(speech_end_ms):
                        recognition.seems_over(speech_end_ms)
                    case GoesOn():
                        await recognition.goes_on()
                    case Ended(end):
                        utterance.close(end)
                        return end

    async def _finish(self, recognition: Recognition, utterance: Utterance, held: AsyncExitStack) -> speech_pb2.Final:
        async with held:
            final = await recognition.finish()
        utterance.answer(final)
        for onlooker in self._onlookers:
            onlooker.answered(utterance)
        return final


def _who(request: bytes, context: Context) -> str | None:
    """The board that asks, as far as anybody can tell."""
    if (caller := caller_of(context)) is not None:
        return caller.device_id
    try:
        return speech_pb2.DescribeRequest.FromString(request).device_id or None
    except DecodeError:
        return None


async def _unless_more_comes(
    context: Context, stream: RequestStream, finishing: "asyncio.Task[speech_pb2.Final]"
) -> speech_pb2.Final:
    """The final. Refusal if the client says anything meanwhile: after the end, nothing may follow."""
    more = asyncio.ensure_future(context.read())
    try:
        await asyncio.wait([finishing, more], return_when=asyncio.FIRST_COMPLETED)
        if more.done() and not more.cancelled() and (request := more.result()):
            try:
                stream.accept(request)
            except Refusal:
                finishing.cancel()
                raise
        return await asyncio.shield(finishing)
    finally:
        more.cancel()
        await asyncio.gather(more, return_exceptions=True)
