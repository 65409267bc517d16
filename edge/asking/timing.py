"""Where the time goes between a person's first sound and the answer, and how it is told."""

import math
from collections.abc import Sequence

import msgspec


class TimingMs(msgspec.Struct, frozen=True):
    """Of one utterance, in milliseconds; None where it was not measured. Sound is what the gate called speech."""

    last_sound_to_final: int | None
    """What a person waits; it holds the hang-over."""
    endpoint_to_final: int | None
    onset_to_first_partial: int | None
    """To the first one with a word."""
    waiting: int | None
    decoding: int | None
    searching: int | None
    onset_to_last_sound: int | None = None
    last_sound_to_endpoint: int | None = None


FIGURES = {
    "onset → first partial": "onset_to_first_partial",
    "last sound → endpoint": "last_sound_to_endpoint",
    "endpoint → final": "endpoint_to_final",
    "  waiting": "waiting",
    "  decoding": "decoding",
    "  search": "searching",
    "last sound → final": "last_sound_to_final",
}


def time_line(timing: TimingMs) -> str:
    """One utterance in the order that things happened, milliseconds from the onset: "onset 0 · last sound 900 · …"."""
    sound = timing.onset_to_last_sound
    events = [("onset", 0), ("first partial", timing.onset_to_first_partial), ("last sound", sound)]
    if sound is not None:
        events.append(("endpoint", _sum(sound, timing.last_sound_to_endpoint)))
        events.append(("final", _sum(sound, timing.last_sound_to_final)))
    known = sorted([(at, name) for name, at in events if at is not None], key=lambda event: event[0])
    line = " · ".join(f"{name} {at}" for at, name in known)
    return line + (f" (search {timing.searching})" if timing.searching is not None else "") + " ms"


def table(timings: Sequence[TimingMs]) -> list[str]:
    """Median and 95th percentile of what was measured in many utterances, a figure a line; no lines of none."""
    lines = []
    for name, field in FIGURES.items():
        values = [value for timing in timings if (value := getattr(timing, field)) is not None]
        if values:
            lines.append(f"{name:<22} {percentile(values, 50):>6} {percentile(values, 95):>6} {len(values):>6}")
    return [f"{'milliseconds':<22} {'p50':>6} {'p95':>6} {'of':>6}", *lines] if lines else []


def percentile(values: Sequence[int], percent: int) -> int:
    """The smallest value that so many per cent are not above (nearest rank)."""
    ranked = sorted(values)
    return ranked[max(0, math.ceil(len(ranked) * percent / 100) - 1)]


def _sum(first: int, second: int | None) -> int | None:
    return None if second is None else first + second
