"""The RPC by which a board tells what people said of its answers; whose they are is checked, and how much they say."""

import logging

import grpc
from google.protobuf.message import DecodeError

from cloud.claims import Claims
from cloud.client_stream import Context
from cloud.keys.callers import check_device
from cloud.log.answer_store import DATABASE_ERRORS
from cloud.places import Places
from cloud.request_stream import Refusal, check_id
from cloud.utterance import TIME_MAX_UNIX_US
from protos import speech_pb2

logger = logging.getLogger(__name__)

TRANSCRIPT_LENGTH_MAX = 1000

CHOICE_MAX = 1


async def take_feedback(claims: Claims, places: Places, data: bytes, context: Context) -> speech_pb2.FeedbackRequest:
    """Keeps what a FeedbackRequest says, and returns it. Refusal."""
    try:
        request = speech_pb2.FeedbackRequest.FromString(data)
    except DecodeError as error:
        raise _invalid("a request that is not a parrotlet.v1.FeedbackRequest") from error
    _check(request)
    check_device(context, request.device_id)
    places.hear_feedback(request.device_id)
    try:
        await claims.give(request)
    except DATABASE_ERRORS as error:
        logger.warning("feedback of %s cannot be kept now: %s", request.device_id, error)
        raise Refusal(grpc.StatusCode.UNAVAILABLE, "It cannot be kept now; try again.") from error
    return request


def _check(request: speech_pb2.FeedbackRequest) -> None:
    """Refusal if it breaks a rule of protos/speech.proto."""
    for name in ("device_id", "utterance_id", "feedback_id"):
        check_id(name, getattr(request, name))
    for name in ("given_by", "result_id"):
        if request.HasField(name):
            check_id(name, getattr(request, name))
    if not 0 <= request.given_at_unix_us < TIME_MAX_UNIX_US:
        raise _invalid(f"feedback of before 1970 or of the year 9999, {request.given_at_unix_us}")
    if request.verdict not in speech_pb2.Verdict.values():
        raise _invalid(f"feedback with an unknown verdict, {request.verdict}")
    if request.HasField("choice") and request.choice > CHOICE_MAX:
        raise _invalid(f"feedback that means choice {request.choice}; {CHOICE_MAX} is the last")
    for text in (request.transcript, request.of_transcript):
        if len(text) > TRANSCRIPT_LENGTH_MAX:
            raise _invalid(f"a transcript of {len(text)} characters; {TRANSCRIPT_LENGTH_MAX} is the most")
    if request.HasField("transcript") and not request.transcript.strip():
        raise _invalid("a transcript without a word")


def _invalid(what: str) -> Refusal:
    return Refusal(grpc.StatusCode.INVALID_ARGUMENT, f"The client sent {what}.")
