"""The service's final, as the wire says it. Pure."""

from collections.abc import Sequence

from cloud.decoders import Hypothesis
from cloud.finding.search import Found
from cloud.understanding.understand import Outcome, Understood
from common import VERSION
from protos import speech_pb2

EXPLANATION_MAX = 100
DATA_BYTES_MAX = 4000


def final(
    chosen: Hypothesis,
    outcome: Outcome,
    found: Sequence[Found],
    domain: speech_pb2.Domain,
    *,
    waiting_ms: int,
    decoding_ms: int,
    searching_ms: int,
    explain: bool,
) -> speech_pb2.Final:
    """All that is told of an utterance."""
    understood = outcome.understood
    return speech_pb2.Final(
        transcript=chosen.transcript,
        confidence=chosen.confidence,
        alternatives=[
            speech_pb2.Alternative(transcript=other.transcript, confidence=other.confidence, engine=other.engine)
            for other in chosen.alternatives[:10]
        ],
        words=[
            speech_pb2.Word(text=word.text, start_ms=word.start_ms, end_ms=word.end_ms, confidence=word.confidence)
            for word in chosen.words
        ],
        intent=_intent(understood) if understood is not None and understood.block.intent else None,
        choices=[
            speech_pb2.Choice(transcript=choice.text, intent=_intent(choice, acts=False)) for choice in outcome.choices
        ],
        results=[_result(hit) for hit in found],
        engine=speech_pb2.Engine(name=chosen.engine, model=chosen.model),
        domain=domain,
        service_version=VERSION,
        waiting_ms=waiting_ms,
        decoding_ms=decoding_ms,
        searching_ms=searching_ms,
        explanation=outcome.explanation[:EXPLANATION_MAX] if explain else (),
    )


def _intent(understood: Understood, *, acts: bool = True) -> speech_pb2.Intent:
    block, meaning = understood.block, understood.meaning
    return speech_pb2.Intent(
        name=block.intent,
        slots=meaning.slots,
        values=meaning.values,
        confidence=understood.confidence,
        action=block.action if acts else None,
        response=response(block.response, meaning.slots) if acts else None,
    )


def response(template: str | None, slots: dict[str, str]) -> str | None:
    """What may be said, with the words of slots in it; None where one of them was not said."""
    if template is None:
        return None
    try:
        return template.format_map(slots)
    except KeyError:
        return None


def _result(hit: Found) -> speech_pb2.SearchResult:
    data = hit.data if hit.data is not None and len(hit.data.encode()) <= DATA_BYTES_MAX else None
    return speech_pb2.SearchResult(
        id=hit.id,
        title=hit.title,
        snippet=hit.snippet,
        score=hit.score,
        url=hit.url,
        action=hit.action,
        data_json=data,
    )
