"""Between the board's own values and the messages of protos/speech.proto."""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import msgspec

from common import VERSION
from common.errors import CloudError
from common.plain_text import plain
from edge.asking.answer import Alternative, Answer, Choice, Result, Twin, Word
from edge.settings import Cloud, Service
from edge.speech.turn import Completeness
from edge.speech.utterance import Progress, SpeechGoesOn, SpeechSeemsOver, UtteranceEnd, UtteranceFrames, UtteranceHead
from edge.spool.erasure import Erasure
from edge.spool.feedback import Feedback
from edge.spool.kept_frames import KEPT_CODEC
from protos import codec, speech_pb2
from protos.feature_spec import DEFAULT_SPEC, FeatureSpec

ALTERNATIVES_MAX, RESULTS_MAX, CHOICES_MAX, EXPLANATION_MAX = 10, 20, 2, 100
DATA_BYTES_MAX = 4000
ACCEPTED_LENGTH_MAX = 500
LOCAL_MODEL_LENGTH_MAX = 64


def feature_spec(settings: Cloud) -> FeatureSpec:
    """The features that this board sends."""
    return replace(DEFAULT_SPEC, levels=settings.levels)


_COMPLETENESS: dict[int, Completeness] = {
    speech_pb2.COMPLETENESS_COMPLETE: Completeness.COMPLETE,
    speech_pb2.COMPLETENESS_UNFINISHED: Completeness.UNFINISHED,
}


def config(
    head: UtteranceHead,
    settings: Service,
    device_id: str,
    spec: FeatureSpec,
    attempt: int,
    chosen_codec: int,
    *,
    replayed: bool,
    explain: bool = False,
    local_model: str | None = None,
) -> speech_pb2.UtteranceConfig:
    """The first request of an attempt. `local_model`: name and version of the board's own, where it has one."""
    return speech_pb2.UtteranceConfig(
        utterance_id=head.utterance_id,
        device_id=device_id,
        session_id=head.session_id,
        sequence_number=head.sequence_number,
        follows_utterance_id=head.follows_utterance_id,
        feature_spec_fingerprint=spec.fingerprint,
        codec=speech_pb2.Codec.Name(chosen_codec),
        domain=settings.domain or None,
        language=settings.language or None,
        started_at_unix_us=head.started_at_unix_us,
        clock_synchronised=head.clock_synchronised,
        edge_version=VERSION,
        local_model_version=local_model[:LOCAL_MODEL_LENGTH_MAX] if local_model else None,
        attempt=attempt,
        replayed=replayed,
        vad=head.vad,
        codec_tables=codec.tables_name(chosen_codec, spec),
        explain=explain,
    )


def progress(heard: Progress, encoder: Callable[[], codec.Encoder], chosen_codec: int) -> speech_pb2.RecognizeRequest:
    """What comes between the first and the last request. The encoder is asked for where frames are not coded yet."""
    match heard:
        case UtteranceFrames(first_frame, levels, _, coded):
            data = coded if coded is not None and chosen_codec == KEPT_CODEC else encoder().encode(levels)
            frames = speech_pb2.Frames(first_frame=first_frame, frame_count=len(levels), data=data)
            return speech_pb2.RecognizeRequest(frames=frames)
        case SpeechSeemsOver(speech_end_ms):
            seems_over = speech_pb2.SpeechSeemsOver(speech_end_ms=speech_end_ms)
            return speech_pb2.RecognizeRequest(speech_seems_over=seems_over)
        case SpeechGoesOn():
            return speech_pb2.RecognizeRequest(speech_goes_on=speech_pb2.SpeechGoesOn())


def end(said: UtteranceEnd) -> speech_pb2.UtteranceEnd:
    """The last request of an attempt."""
    return speech_pb2.UtteranceEnd(
        reason=f"END_REASON_{said.reason.name}",
        speech_start_ms=said.speech_start_ms,
        speech_end_ms=said.speech_end_ms,
        level_dbfs=said.level_dbfs,
        peak_dbfs=said.peak_dbfs,
        noise_floor_dbfs=said.noise_floor_dbfs,
        snr_db=said.snr_db,
        clipped_share=said.clipped_share,
        overruns=said.overruns,
        gaps=said.gaps,
        pitch_hz=said.pitch_hz,
        pitch_low_hz=said.pitch_low_hz,
        pitch_high_hz=said.pitch_high_hz,
    )


def forget_request(erasure: Erasure, device_id: str) -> speech_pb2.ForgetRequest:
    """What the service is asked to erase."""
    if erasure.utterance_id is not None:
        return speech_pb2.ForgetRequest(device_id=device_id, utterance_id=erasure.utterance_id)
    if erasure.is_everything:
        return speech_pb2.ForgetRequest(device_id=device_id, everything=speech_pb2.Everything())
    span = speech_pb2.Span(since_unix_us=erasure.since_unix_us, until_unix_us=erasure.until_unix_us)
    return speech_pb2.ForgetRequest(device_id=device_id, span=span)


def feedback_request(said: Feedback, device_id: str) -> speech_pb2.FeedbackRequest:
    """What the service is told of an answer."""
    return speech_pb2.FeedbackRequest(
        device_id=device_id,
        utterance_id=said.utterance_id,
        feedback_id=said.feedback_id,
        given_by=said.given_by,
        given_at_unix_us=said.given_at_unix_us,
        verdict=f"VERDICT_{said.verdict.upper()}" if said.verdict else None,
        transcript=said.transcript,
        result_id=said.result_id,
        choice=said.choice,
        of_transcript=said.of_transcript,
    )


def completeness(turn: speech_pb2.Turn) -> Completeness:
    """What the service thinks of a pause."""
    return _COMPLETENESS.get(turn.completeness, Completeness.UNKNOWN)


def answer(final: speech_pb2.Final, device_id: str = "") -> Answer:
    """The service's final to that board, within the bounds of protos/speech.proto: what is kept of it must be readable
    again."""
    intent = final.intent if final.HasField("intent") else None
    return Answer(
        path="cloud",
        transcript=final.transcript,
        confidence=_confidence(final),
        alternatives=tuple(
            Alternative(a.transcript, _confidence(a), a.engine) for a in final.alternatives[:ALTERNATIVES_MAX]
        ),
        words=tuple(Word(w.text, w.start_ms, w.end_ms, _confidence(w)) for w in final.words),
        intent=intent.name if intent else None,
        intent_confidence=_confidence(intent) if intent else None,
        slots=dict(final.intent.slots),
        values=dict(final.intent.values),
        action=intent.action if intent and intent.HasField("action") else None,
        response=intent.response if intent and intent.HasField("response") else None,
        choices=tuple(
            Choice(c.transcript, c.intent.name, dict(c.intent.slots), dict(c.intent.values), _confidence(c.intent))
            for c in final.choices[:CHOICES_MAX]
        ),
        results=tuple(map(_result, final.results[:RESULTS_MAX])),
        results_are_partial=final.results_are_partial,
        engine=final.engine.name,
        model=final.engine.model,
        domain=final.domain.name,
        domain_version=final.domain.version,
        service_version=final.service_version,
        waiting_ms=final.waiting_ms,
        decoding_ms=final.decoding_ms,
        searching_ms=final.searching_ms,
        from_log=final.from_log,
        not_logged=final.not_logged,
        explanation=tuple(final.explanation[:EXPLANATION_MAX]),
        twin=_twin(final.twin, device_id) if final.HasField("twin") else None,
    )


def _twin(twin: speech_pb2.Twin, device_id: str) -> Twin:
    return Twin(twin.device_id, twin.utterance_id, None if twin.heard_best == device_id else twin.heard_best)


def _confidence(
    of: speech_pb2.Final | speech_pb2.Alternative | speech_pb2.Word | speech_pb2.Intent,
) -> float | None:
    return of.confidence if of.HasField("confidence") and 0 <= of.confidence <= 1 else None


def _result(found: speech_pb2.SearchResult) -> Result:
    return Result(
        found.id,
        found.title,
        found.snippet,
        found.score if math.isfinite(found.score) else 0.0,
        found.url if found.HasField("url") else None,
        found.action if found.HasField("action") else None,
        _data(found.data_json),
    )


def _data(text: str) -> dict[str, Any]:
    """What an action needs; nothing where it is no JSON object of a bearable size."""
    if not text or len(text.encode()) > DATA_BYTES_MAX:
        return {}
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError):
        return {}


def choose_codec(address: str, spec: FeatureSpec, description: speech_pb2.DescribeResponse) -> int:
    """The codec to use. CloudError, naming both sides, if the service takes no such features or codec."""
    accepted = [offered.fingerprint for offered in description.feature_specs]
    if spec.fingerprint not in accepted:
        raise CloudError(
            f"{address}: this board makes features {spec.fingerprint}, but the service takes "
            f"{plain(', '.join(accepted))[:ACCEPTED_LENGTH_MAX] or 'none'}."
        )
    for offered in description.codecs:
        if offered in codec.CODECS:
            return offered
    raise CloudError(
        f"{address}: the service takes codecs {list(description.codecs)[:10]}, and this board knows none of them."
    )
