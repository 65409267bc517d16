"""An answer as the page shows it."""

from typing import Any
from urllib.parse import urlsplit

import msgspec

from edge.asking.answer import Answer, Result
from edge.spool.event import Event
from edge.spool.twins import OWN

SCHEMES = frozenset({"http", "https"})
"""Of links that may be shown; a catalogue may hold any text."""


def card(event: Event) -> dict[str, Any]:
    """What the browser gets of an event: JSON's types. A sentence only where nothing better can be said."""
    answer = event.answer or Answer("none")
    return {
        "utterance_id": event.utterance_id,
        "kind": event.kind.value,
        "at_unix_ms": event.at_unix_us // 1000,
        "spoken_at_unix_ms": event.spoken_at_unix_us // 1000,
        "by": event.ear or OWN,
        "snr_db": event.snr_db,
        "twin_of": event.twin_of,
        "heard_best": event.heard_best,
        "twin_board": event.twin_board,
        "path": answer.path,
        "transcript": answer.transcript,
        "confidence": answer.confidence,
        "intent": answer.intent,
        "slots": answer.slots,
        "values": answer.values,
        "response": answer.response,
        "choices": [msgspec.to_builtins(choice) for choice in answer.choices],
        "results": [_shown(result) for result in answer.results],
        "alternatives": [{"transcript": other.transcript} for other in answer.alternatives],
        "sentence": event.sentence or answer.why_not_better,
        "engine": answer.engine,
        "domain": answer.domain,
    }


def has_words(shown: dict[str, Any], words: list[str]) -> bool:
    """Whether a card has all these words, lower case, or beginnings of words, in what a person would look for."""
    results = (text for result in shown["results"] for text in (result["title"], result["snippet"]))
    texts = (shown["transcript"], shown["response"] or "", *shown["slots"].values(), *results)
    there = " ".join(texts).lower()
    return all(word in there for word in words)


def _shown(result: Result) -> dict[str, Any]:
    shown: dict[str, Any] = msgspec.to_builtins(result)
    return shown | {"url": result.url if _is_link(result.url) else None}


def _is_link(url: str | None) -> bool:
    try:
        return url is not None and urlsplit(url).scheme.lower() in SCHEMES
    except ValueError:
        return False
