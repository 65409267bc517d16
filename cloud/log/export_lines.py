"""The utterance log for who learns from it: a JSON object a line, each an utterance with what people said of it.

`parrotlet-models import log` reads it; models/importing/service_log.py says what it takes of a line.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from cloud.drift.facts import Facts
from cloud.log.answer_store import AnswerStore, Logged
from cloud.log.wanted import Wanted
from protos import speech_pb2

_VERDICTS = {speech_pb2.VERDICT_RIGHT: "right", speech_pb2.VERDICT_WRONG: "wrong"}


def log_lines(
    store: AnswerStore, wanted: Wanted | None = None, chances: Mapping[tuple[str, str], float] | None = None
) -> Iterator[bytes]:
    """All of it, in the order of the answers; then utterances without one that something was said of. Or those answers
    that are wanted. `chances`: of utterances that were drawn for a label (LabelQueue.chances)."""
    for logged in store.everything(wanted):
        yield msgspec.json.encode(_told(logged, (chances or {}).get(logged.key))) + b"\n"


def _told(logged: Logged, chance: float | None) -> dict[str, Any]:
    told: dict[str, Any] = logged.key._asdict() | {
        "answered_at": logged.answered_at,
        "spoken_at_unix_us": logged.spoken_at_unix_us,
        "label_chance": chance,
    }
    if logged.final is not None:
        told |= _answer(speech_pb2.Final.FromString(logged.final))
    if logged.facts is not None:
        told["facts"] = _facts(logged.facts)
    feedback = [_said(speech_pb2.FeedbackRequest.FromString(request)) for request in logged.feedback]
    return {name: value for name, value in told.items() if value is not None} | {"feedback": feedback}


def _answer(final: speech_pb2.Final) -> dict[str, Any]:
    return {
        "transcript": final.transcript,
        "confidence": final.confidence if final.HasField("confidence") else None,
        "engine": final.engine.name,
        "model": final.engine.model,
        "domain": final.domain.name,
        "domain_version": final.domain.version,
        "intent": _intent(final.intent) if final.HasField("intent") else None,
        "choices": [{"transcript": choice.transcript} | _intent(choice.intent) for choice in final.choices],
        "results": [found.id for found in final.results],
        "alternatives": [
            {"transcript": other.transcript, "engine": other.engine}
            | ({"confidence": other.confidence} if other.HasField("confidence") else {})
            for other in final.alternatives
        ],
    }


def _facts(facts: Facts) -> dict[str, Any]:
    """What the line does not say already."""
    told = msgspec.to_builtins(facts)
    return {name: value for name, value in told.items() if name not in ("device_id", "utterance_id")}


def _intent(intent: speech_pb2.Intent) -> dict[str, Any]:
    return {"name": intent.name, "slots": dict(intent.slots), "values": dict(intent.values)}


def _said(request: speech_pb2.FeedbackRequest) -> dict[str, Any]:
    said = {
        "feedback_id": request.feedback_id,
        "given_by": request.given_by if request.HasField("given_by") else None,
        "given_at_unix_us": request.given_at_unix_us,
        "verdict": _VERDICTS.get(request.verdict),
        "said": request.transcript if request.HasField("transcript") else None,
        "result_id": request.result_id if request.HasField("result_id") else None,
        "choice": request.choice if request.HasField("choice") else None,
        "of": request.of_transcript if request.HasField("of_transcript") else None,
    }
    return {name: value for name, value in said.items() if value is not None}
