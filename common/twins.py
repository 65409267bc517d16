"""Whether two microphones have heard one sentence: the board's rule for its own ears, and the service's for a group of
boards. Pure."""

from collections.abc import Mapping
from typing import NamedTuple

OVERLAP_MIN = 0.5
"""Of the shorter one: of what was said at the same time as the other."""
LIKENESS_MIN = 0.75
"""Of two transcripts, by their letters."""


class Said(NamedTuple):
    """An utterance, as far as it is compared."""

    began_at_us: int
    """By a clock that is the other's as well."""
    duration_ms: int
    transcript: str
    intent: str | None = None
    slots: Mapping[str, str] = {}


def are_twins(first: Said, second: Said) -> bool:
    """Whether they overlap in time and mean the same, or else say the same."""
    return _overlap(first, second) >= OVERLAP_MIN and _same(first, second)


def _overlap(first: Said, second: Said) -> float:
    """Share of the shorter one."""
    shorter_ms = min(first.duration_ms, second.duration_ms)
    if shorter_ms <= 0:
        return 0.0
    begin_us = max(first.began_at_us, second.began_at_us)
    end_us = min(one.began_at_us + 1000 * one.duration_ms for one in (first, second))
    return (end_us - begin_us) / (1000 * shorter_ms)


def _same(first: Said, second: Said) -> bool:
    """What was meant, or else what was said."""
    if first.intent and second.intent:
        return (first.intent, first.slots) == (second.intent, second.slots)
    import difflib  # Most boards have one ear, and most services no group.

    matcher = difflib.SequenceMatcher(None, first.transcript.lower(), second.transcript.lower(), autojunk=False)
    return matcher.ratio() >= LIKENESS_MIN
