"""One utterance: its times on one line, its frames, how it was read, what was found and why, what people said of it."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import msgspec
from markupsafe import Markup

from cloud.log import kept_features
from cloud.log.lines import said_line
from cloud.log.reader import LogReader, Whole
from cloud.operating.plots.png import spectrogram
from cloud.operating.plots.timeline import Moment, Part, timeline
from protos.coded_frames import UnreadableError

VERSIONS = (
    ("edge_version", "board"),
    ("vad", "gate"),
    ("local_model_version", "board's model"),
    ("service_version", "service"),
    ("engine", "engine"),
    ("model", "model"),
    ("domain", "domain"),
    ("domain_version", "domain's version"),
)
_ELSEWHERE = {"device_id", "utterance_id", "at_unix_us", *(name for name, _ in VERSIONS)}


def utterance(log: Path, device_id: str, utterance_id: str) -> dict[str, Any] | None:
    """The page's values; None: it is not in the log."""
    with closing(LogReader(log)) as reader:
        whole = reader.one(utterance_id, device_id)
    if whole is None:
        return None
    return {
        "whole": whole,
        "final": whole.final,
        "facts": whole.facts,
        "line": _timeline(whole),
        "versions": [
            (called, value)
            for name, called in VERSIONS
            if whole.facts is not None and (value := getattr(whole.facts, name)) is not None
        ],
        "measured": list(_measured(whole)),
        "said": [said_line(each) for each in whole.feedback],
    }


def picture(log: Path, device_id: str, utterance_id: str) -> bytes | None:
    """The spectrogram of its frames, PNG; None where none are kept, or they cannot be read."""
    with closing(LogReader(log)) as reader:
        whole = reader.one(utterance_id, device_id)
    if whole is None or whole.features is None:
        return None
    try:
        levels, spec = kept_features.unpack(whole.features)
    except UnreadableError:
        return None
    return spectrogram(levels, spec.levels) if len(levels) else None


def _timeline(whole: Whole) -> Markup | None:
    facts, end, final = whole.facts, whole.end, whole.final
    if facts is None or facts.duration_ms is None:
        return None
    heard_ms = float(facts.duration_ms)
    parts = [Part("heard", 0, heard_ms, "heard")]
    if end is not None and end.HasField("speech_end_ms"):
        parts.append(Part("speech", end.speech_start_ms, end.speech_end_ms, "speech"))
        parts.append(Part("silence before the end", end.speech_end_ms, heard_ms, "waited"))
    moments = []
    if not facts.replayed:
        if final.waiting_ms:
            parts.append(Part("waited for a worker", heard_ms, heard_ms + final.waiting_ms, "waited"))
        done_ms = heard_ms + max(facts.endpoint_to_final_ms or 0, final.decoding_ms)
        parts.append(Part("decoded and searched", heard_ms + final.waiting_ms, done_ms, "worked"))
        if facts.onset_to_partial_ms is not None:
            # The board begins to send when it hears speech, with what was before that.
            onset_ms = end.speech_start_ms if end is not None else 0
            moments.append(Moment("first words", onset_ms + facts.onset_to_partial_ms))
    address = None
    if whole.features is not None:
        key = {"board": whole.key.device_id, "id": whole.key.utterance_id}
        address = f"/utterance/spectrogram.png?{urlencode(key)}"
    told = f"{len(parts)} times of the utterance on one line, from its first sample"
    return Markup(timeline(told, parts, moments, picture=address, heard_ms=heard_ms))


def _measured(whole: Whole) -> Iterator[tuple[str, str]]:
    """Facts by name, as they are kept; bands are for machines."""
    if whole.facts is None:
        return
    for name, value in msgspec.structs.asdict(whole.facts).items():
        if value is None or name in _ELSEWHERE or name.endswith(("_bands_db", "_spread_db")):
            continue
        shown = ("no", "yes")[value] if isinstance(value, bool) else f"{value:g}" if isinstance(value, float) else value
        yield name, str(shown)
