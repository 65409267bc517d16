"""Which ways of writing are in use, and how often: overall, by source and by transcriber."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

import msgspec

from models.data.clip import Clip
from models.labels.convention import Convention

BY = ("source", "transcriber")
APART_MIN = 0.1
"""A source or transcriber is told apart if a way's share differs by so much from everybody's."""
LABELS_MIN = 5
"""Of fewer labels nothing follows."""


class Ways(msgspec.Struct, frozen=True, kw_only=True):
    """Of one convention: labels by way of writing. A label may use two ways, or none."""

    convention: str
    labels: int
    overall: dict[str, int]
    by: dict[str, dict[str, dict[str, int]]]
    """Property, value of it, way: how many labels."""
    totals: dict[str, dict[str, int]]
    """Property, value: how many labels there are."""


def ways_of(clips: Iterable[Clip], conventions: Sequence[Convention]) -> list[Ways]:
    """Of each convention that is used at all, over the clips that have a text."""
    spoken = [clip for clip in clips if clip.text]
    totals = {name: dict(Counter(value for clip in spoken if (value := getattr(clip, name)))) for name in BY}
    found = []
    for convention in conventions:
        overall: Counter[str] = Counter()
        by: dict[str, defaultdict[str, Counter[str]]] = {name: defaultdict(Counter) for name in BY}
        known: dict[str, tuple[str, ...]] = {}
        for clip in spoken:
            assert clip.text is not None
            used = known.get(clip.text)
            if used is None:
                used = known[clip.text] = tuple(dict.fromkeys(convention.ways(clip.text)))
            overall.update(used)
            for name in BY:
                if value := getattr(clip, name):
                    by[name][value].update(used)
        counted = {name: {value: dict(counts) for value, counts in values.items()} for name, values in by.items()}
        if overall:
            found.append(
                Ways(
                    convention=convention.name,
                    labels=len(spoken),
                    overall=dict(overall.most_common()),
                    by=counted,
                    totals=totals,
                )
            )
    return found


def told(ways: Ways) -> str:
    """A sentence: everybody's ways, then who writes otherwise."""
    parts = [_shares(ways.overall, ways.labels)]
    for name, values in ways.by.items():
        for value, counts in sorted(values.items()):
            total = ways.totals[name][value]
            if len(values) > 1 and total >= LABELS_MIN and _is_apart(counts, total, ways):
                parts.append(f"{name} {value}: {_shares(counts, total)}")
    return "; ".join(parts)


def _shares(counts: dict[str, int], total: int) -> str:
    ordered = sorted(counts.items(), key=lambda item: -item[1])
    shown = [f"{way} {_percent(count / total)}" for way, count in ordered[:6]]
    return ", ".join(shown) + (f", {len(ordered) - 6} ways more" if len(ordered) > 6 else "") if shown else "none"


def _percent(share: float) -> str:
    return f"{share:.0%}" if share >= 0.01 else "under 1%"


def _is_apart(counts: dict[str, int], total: int, ways: Ways) -> bool:
    return any(
        abs(counts.get(way, 0) / total - overall / ways.labels) >= APART_MIN for way, overall in ways.overall.items()
    )
