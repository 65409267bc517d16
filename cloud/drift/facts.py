"""What one utterance was like, in numbers: all that is told of drift stands on it. Pure.

Made once, at the final, from the levels that came and the messages around them. What was not measured is None, never
0 or -1. No word of what was said is in it but the intent's name.
"""

from collections.abc import Callable
from typing import Any, Literal

import msgspec

from cloud.drift.shape import Bands, shape_of
from cloud.understanding.written import spoken_words
from cloud.utterance import spoken_at_unix_us
from protos import speech_pb2
from protos.feature_spec import FeatureSpec, Levels

Path = Literal["cloud", "local"]

SILENCE_S_MAX = 7 * 86_400.0
"""A board that said nothing for a week may as well have been new."""


class Facts(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Of one utterance; units are in the names, bands are those of shape.py."""

    device_id: str
    utterance_id: str
    at_unix_us: int | None = None
    """When it was spoken, where the board's clock was right, else when it was answered."""
    replayed: bool = False
    path: Path = "cloud"
    """Who answered whoever asked: the board itself, before this was sent, or the service."""

    edge_version: str | None = None
    local_model_version: str | None = None
    vad: str | None = None
    service_version: str | None = None
    engine: str | None = None
    model: str | None = None
    domain: str | None = None
    domain_version: str | None = None

    level_dbfs: float | None = None
    peak_dbfs: float | None = None
    noise_floor_dbfs: float | None = None
    snr_db: float | None = None
    clipped_share: float | None = None
    overruns: int | None = None
    gaps: int | None = None
    duration_ms: int | None = None
    speech_ms: int | None = None
    """From the first to the last sound of speech."""
    speech_share: float | None = None
    """That, of the duration."""
    silence_before_s: float | None = None
    """Since the board's utterance before ended."""
    end_reason: str | None = None
    """As in speech.proto, in small letters: "endpoint", "max_length", ..."""
    noise_bands_db: Bands | None = None
    speech_bands_db: Bands | None = None
    band_spread_db: Bands | None = None
    syllables_per_s: float | None = None
    """How fast somebody speaks, whatever the words."""
    fall_db_per_s: float | None = None
    """How dry the room is; see shape.py."""
    pitch_hz: float | None = None
    """Of the voice: the median of its frames; a tenth of them are below and above the other two."""
    pitch_low_hz: float | None = None
    pitch_high_hz: float | None = None

    word_count: int | None = None
    words_per_s: float | None = None
    """Of speech."""
    unknown_share: float | None = None
    """Of the words, those that the domain does not know."""

    intent: str | None = None
    confidence: float | None = None
    """Of the transcript."""
    margin: float | None = None
    """That, over the next reading's with other words."""
    results_count: int | None = None
    top_score: float | None = None
    choices_count: int | None = None
    was_empty: bool | None = None
    waiting_ms: int | None = None
    decoding_ms: int | None = None
    endpoint_to_final_ms: int | None = None
    onset_to_partial_ms: int | None = None

    local_agrees: bool | None = None
    """Whether the board's own model had answered the same; None: there was nothing to compare."""
    shadow_agrees: bool | None = None
    """Whether a candidate did, that heard it afterwards."""


def facts_of(
    levels: Levels,
    spec: FeatureSpec,
    config: speech_pb2.UtteranceConfig,
    end: speech_pb2.UtteranceEnd,
    final: speech_pb2.Final,
    *,
    answered_at_unix_us: int | None = None,
    before: Facts | None = None,
    knows_word: Callable[[str], bool] | None = None,
    endpoint_to_final_ms: int | None = None,
    onset_to_partial_ms: int | None = None,
) -> Facts:
    """Facts of an utterance that the service answered.

    `levels`: all that came, (frames, bands). `before`: the board's utterance before this one. `knows_word` is asked
    with words in small letters; None: nobody knows what the domain knows.
    """
    spoken_at = spoken_at_unix_us(config)
    at_unix_us = answered_at_unix_us if spoken_at is None else spoken_at
    has_speech = end.HasField("speech_end_ms") and end.speech_end_ms > end.speech_start_ms
    speech_ms = (end.speech_start_ms, end.speech_end_ms) if has_speech else None
    shape = shape_of(levels, spec, speech_ms)
    measured = _versions(config, final) | _signal(end) | _words(final, speech_ms, knows_word) | _answer(final)
    if shape is not None:
        measured |= shape._asdict()
    if speech_ms is not None and len(levels):
        measured["speech_ms"] = speech_ms[1] - speech_ms[0]
        measured["speech_share"] = round(measured["speech_ms"] / (len(levels) * spec.frame_ms), 4)
    return Facts(
        device_id=config.device_id,
        utterance_id=config.utterance_id,
        at_unix_us=at_unix_us,
        replayed=config.replayed,
        path="local" if config.HasField("local_transcript") else "cloud",
        duration_ms=len(levels) * spec.frame_ms,
        silence_before_s=_silence_s(before, at_unix_us),
        endpoint_to_final_ms=endpoint_to_final_ms,
        onset_to_partial_ms=onset_to_partial_ms,
        local_agrees=_local_agrees(config, final),
        **measured,
    )


def _versions(config: speech_pb2.UtteranceConfig, final: speech_pb2.Final) -> dict[str, Any]:
    return {
        "edge_version": config.edge_version or None,
        "local_model_version": config.local_model_version if config.HasField("local_model_version") else None,
        "vad": config.vad or None,
        "service_version": final.service_version or None,
        "engine": final.engine.name or None,
        "model": final.engine.model or None,
        "domain": final.domain.name or None,
        "domain_version": final.domain.version or None,
    }


_SIGNAL = (
    *("level_dbfs", "peak_dbfs", "noise_floor_dbfs", "snr_db", "clipped_share", "overruns", "gaps"),
    *("pitch_hz", "pitch_low_hz", "pitch_high_hz"),
)


def _signal(end: speech_pb2.UtteranceEnd) -> dict[str, Any]:
    told = {name: round(getattr(end, name), 6) for name in _SIGNAL if end.HasField(name)}
    return told | {"end_reason": speech_pb2.EndReason.Name(end.reason).removeprefix("END_REASON_").lower()}


def _words(
    final: speech_pb2.Final, speech_ms: tuple[int, int] | None, knows_word: Callable[[str], bool] | None
) -> dict[str, Any]:
    words = final.transcript.lower().split()
    found: dict[str, Any] = {"word_count": len(words), "was_empty": not words}
    if words and speech_ms is not None:
        found["words_per_s"] = round(len(words) * 1000 / (speech_ms[1] - speech_ms[0]), 3)
    if words and knows_word is not None:
        found["unknown_share"] = round(sum(not knows_word(word.strip(".,!?;:\"'")) for word in words) / len(words), 4)
    return found


def _answer(final: speech_pb2.Final) -> dict[str, Any]:
    found: dict[str, Any] = {
        "intent": final.intent.name if final.HasField("intent") else None,
        "results_count": len(final.results),
        "choices_count": len(final.choices),
        "waiting_ms": final.waiting_ms,
        "decoding_ms": final.decoding_ms,
    }
    if final.results:
        found["top_score"] = round(final.results[0].score, 4)
    if final.HasField("confidence"):
        found["confidence"] = round(final.confidence, 4)
        others = [
            one.confidence
            for one in final.alternatives
            if one.HasField("confidence") and one.transcript != final.transcript
        ]
        if others:
            found["margin"] = round(final.confidence - max(others), 4)
    return found


def _local_agrees(config: speech_pb2.UtteranceConfig, final: speech_pb2.Final) -> bool | None:
    if not config.HasField("local_transcript"):
        return None
    if spoken_words(config.local_transcript) == spoken_words(final.transcript):
        return True
    if config.HasField("local_result_id") and final.results:
        return config.local_result_id == final.results[0].id
    # Understood in other words: it may be the same that is meant.
    return None if final.HasField("intent") else False


def _silence_s(before: Facts | None, at_unix_us: int | None) -> float | None:
    if before is None or before.at_unix_us is None or at_unix_us is None:
        return None
    since_s = (at_unix_us - before.at_unix_us) / 1e6 - (before.duration_ms or 0) / 1000
    # An utterance of the spool, or a clock that was put right, comes from before.
    return round(min(since_s, SILENCE_S_MAX), 2) if since_s >= 0 else None
