"""What goes wrong: in which slices of what was answered, how often, with examples, and what to collect next."""

from collections.abc import Sequence
from pathlib import Path
from shlex import quote
from typing import Any, NamedTuple
from urllib.parse import urlencode

from markupsafe import Markup

from cloud.operating.days import DAYS
from cloud.operating.hearing import DAY_US
from cloud.operating.numbers import NBSP
from cloud.operating.plots.interval import interval
from cloud.operating.seams import Command
from cloud.outcomes.estimated import LABELS_MIN, drawn_labels, estimated
from cloud.outcomes.instead import Instead, instead
from cloud.outcomes.judged import Judged, judged
from cloud.outcomes.outcome import plain_words
from cloud.outcomes.slices import Key, Rate, Slice, Slices
from cloud.outcomes.sureness import sureness

EXAMPLES = 3
ROWS = 6
"""Slices of a kind."""
INSTEAD_SHOWN = 10
COLLECT = 200
"""As many utterances as the causes of drift ask for."""

KINDS = {
    "intent": "Intents",
    "entry": "Entries",
    "word": "Words",
    "board": "Boards",
    "snr_db": "Speech over noise",
    "confidence": "How sure it was",
    "model": "Models",
    "edge_version": "Versions of boards",
}
PHRASES = {
    ("intent", ""): "that are understood as no command",
    ("word", ""): "in which no word is heard",
    "intent": "of intent {}",
    "entry": "that find {}",
    "word": "with “{}”",
    "board": "of board {}",
    "snr_db": "with speech {} dB above the noise",
    "confidence": "of which it is {} % sure",
    "model": "answered by {}",
    "edge_version": "of boards that run {}",
    "domain_version": "by version {} of the domain",
}
"""Behind "utterances"."""
_SIGNS = {"<": "less than", "≥": "at least"}


class Example(NamedTuple):
    """An answer that was wrong."""

    address: str
    """Of its page."""
    transcript: str
    truth: str
    """What was said, where somebody wrote that down and it differs; or ""."""


class Trouble(NamedTuple):
    """A slice in which more is wrong than elsewhere."""

    phrase: str
    """Behind "utterances"."""
    told: Slice
    picture: Markup
    examples: Sequence[Example]
    address: str | None
    """Of a search for it."""
    command: Command
    """Gets them collected, or labelled."""


class Line(NamedTuple):
    """A slice in a table."""

    name: str
    told: Slice
    picture: Markup
    address: str | None


class Other(NamedTuple):
    """What was heard instead."""

    told: Instead
    example: Example


def errors(state_dir: Path, now_unix_us: int) -> dict[str, Any]:
    """The page's values. SettingsError."""
    since_unix_us, answers = judged(state_dir, now_unix_us - DAYS * DAY_US)
    slices = Slices(answers)
    titles = {one.entry: one.title for one in answers if one.entry is not None}
    kinds = {kind: slices.kind(kind)[:ROWS] for kind in KINDS}
    worst = slices.worst()
    scale = max((one.known.high for one in [*worst, *sum(kinds.values(), [])]), default=1.0)
    return {
        "answers": sum(one.stands_for for one in answers),
        "looked_at": sum(one.is_known for one in answers),
        "labels": len(drawn_labels(answers)),
        "labels_min": LABELS_MIN,
        "days_shown": max(1, round((now_unix_us - since_unix_us) / DAY_US)),
        "estimate": estimated(answers),
        "known": slices.all(),
        "collect": COLLECT,
        "troubles": [_trouble(one, answers, titles, scale) for one in worst],
        "kinds": [(KINDS[kind], _lines(told, titles, scale)) for kind, told in kinds.items() if _says(told)],
        "instead": [Other(one, _example(answers[one.places[-1]])) for one in instead(answers)[:INSTEAD_SHOWN]],
        "sureness": sureness(answers),
    }


def _says(told: Sequence[Slice]) -> bool:
    """Whether a table is worth it: one of several slices is worse than the others."""
    return len(told) > 1 and any(one.known.low > one.rest for one in told)


def _lines(told: Sequence[Slice], titles: dict[str, str], scale: float) -> list[Line]:
    return [Line(name_of(one.key, titles), one, _picture(one.known, one.rest, scale), _search(one.key)) for one in told]


def _trouble(told: Slice, answers: Sequence[Judged], titles: dict[str, str], scale: float) -> Trouble:
    phrase = phrase_of(told.key, titles)
    return Trouble(
        phrase,
        told,
        _picture(told.known, told.rest, scale),
        [_example(answers[place]) for place in told.places[:EXAMPLES]],
        _search(told.key),
        _command(told.key),
    )


def _command(key: Key) -> Command:
    """By which such utterances come to where models are trained, or to who labels."""
    kind, value = key
    if kind == "word" and value:
        return Command("Have them labelled", f"parrotlet-cloud label --text {quote(value)}")
    asked = {
        "intent": f"--intent {quote(value)}" if value else "",
        "word": "--empty",
        "board": f"--device {quote(value)}",
        "snr_db": f"--snr-max {value[2:]}" if value.startswith("<") else "",
        "confidence": f"--confidence-max {float(value[2:]) / 100:g}" if value.startswith("<") else "",
    }.get(kind, "")
    if not asked:
        return Command("Have more labelled", "parrotlet-cloud label")
    return Command("Collect them for training", f"parrotlet-cloud log export {asked} slice.jsonl")


def phrase_of(key: Key, titles: dict[str, str]) -> str:
    """Behind "utterances"."""
    kind, value = key
    value = titles.get(value, value) if kind == "entry" else value
    for sign, words in _SIGNS.items():
        value = value.replace(sign, words) if kind in ("snr_db", "confidence") else value
    return PHRASES.get(key, PHRASES[kind]).format(value)


def name_of(key: Key, titles: dict[str, str]) -> str:
    """In a table of its kind."""
    kind, value = key
    unit = {"snr_db": f"{NBSP}dB", "confidence": f"{NBSP}%"}.get(kind, "")
    nothing = {"intent": "no command", "word": "(no words)"}.get(kind, "")
    return (titles.get(value) or value if kind == "entry" else value or nothing) + unit


def _search(key: Key) -> str | None:
    """Where such utterances are listed; None: nowhere."""
    kind, value = key
    asked = {
        "intent": {"intent": value},
        "word": {"text": value} if value else {"empty": "yes"},
        "board": {"device_id": value},
        "model": {"model": value},
        "snr_db": {"snr_max": value[2:]} if value.startswith("<") else {},
        "confidence": {"confidence_max": value[2:]} if value.startswith("<") else {},
    }.get(kind, {})
    return f"/search?{urlencode(asked)}" if any(asked.values()) else None


def _picture(known: Rate, rest: float, scale: float) -> Markup:
    return Markup(interval(known.rate, known.low, known.high, rest, scale))


def _example(one: Judged) -> Example:
    asked = urlencode({"board": one.facts.device_id, "id": one.facts.utterance_id})
    differs = one.truth is not None and plain_words(one.truth) != plain_words(one.transcript)
    return Example(f"/utterance?{asked}", one.transcript, one.truth or "" if differs else "")
