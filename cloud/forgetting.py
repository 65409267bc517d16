"""The RPC by which a board has its own utterances erased, and no others."""

import logging

import grpc
from google.protobuf.message import DecodeError

from cloud.claims import Claims
from cloud.client_stream import Context
from cloud.keys.callers import check_device
from cloud.log.answer_log import Span
from cloud.log.answer_store import DATABASE_ERRORS
from cloud.places import Places
from cloud.request_stream import Refusal, check_id
from protos import speech_pb2

logger = logging.getLogger(__name__)


async def forget(claims: Claims, places: Places, data: bytes, context: Context) -> speech_pb2.ForgetResponse:
    """What a ForgetRequest asks for. Refusal."""
    try:
        request = speech_pb2.ForgetRequest.FromString(data)
    except DecodeError as error:
        raise _invalid("a request that is not a parrotlet.v1.ForgetRequest") from error
    check_id("device_id", request.device_id)
    check_device(context, request.device_id)
    places.knock(request.device_id, replayed=False)
    utterance_id, span = None, Span()
    match request.WhichOneof("what"):
        case None:
            raise _invalid("a request to forget that does not say what")
        case "utterance_id":
            check_id("utterance_id", request.utterance_id)
            utterance_id = request.utterance_id
        case "span":
            span = _span(request.span)
    try:
        erased = await claims.forget(request.device_id, utterance_id, span)
    except DATABASE_ERRORS as error:
        logger.warning("utterances of %s cannot be erased now: %s", request.device_id, error)
        raise Refusal(grpc.StatusCode.UNAVAILABLE, "It cannot be erased now; ask again.") from error
    logger.info("%s had %d of its utterances erased", request.device_id, erased)
    return speech_pb2.ForgetResponse(erased=erased)


def _span(asked: speech_pb2.Span) -> Span:
    span = Span(
        asked.since_unix_us if asked.HasField("since_unix_us") else None,
        asked.until_unix_us if asked.HasField("until_unix_us") else None,
    )
    if span == Span():
        # Nobody has everything erased because two fields got lost.
        raise _invalid("a span without a beginning and an end")
    return span


def _invalid(what: str) -> Refusal:
    return Refusal(grpc.StatusCode.INVALID_ARGUMENT, f"The client sent {what}.")
