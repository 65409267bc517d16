"""Whose labels are written otherwise than agreed, or than everybody else's: a question for them, before anything is
learnt.

A label that breaks the agreement is a slip; a tenth of somebody's labels is another agreement. Who never writes a
filler breaks nothing: that is told by how often the others do (two shares, a z-test, corrected for all that was
compared).
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from statistics import NormalDist
from typing import NamedTuple

from models.data.clip import Clip
from models.labels.agreement import Agreement
from models.labels.ways import APART_MIN, LABELS_MIN, Ways, ways_of

NOT_WRITTEN = "not written"
FILLERS = "fillers"
P_MAX = 0.01
"""Of finding anybody apart where all write alike."""


class Apart(NamedTuple):
    """A transcriber's own convention."""

    transcriber: str
    convention: str
    labels: int
    """Of them, with a text."""
    otherwise: int
    """Of those, that are not as agreed, or as the others'."""
    sentence: str


def apart(clips: Sequence[Clip], agreement: Agreement) -> list[Apart]:
    """All of them, who breaks the agreement in most labels first."""
    spoken = [clip for clip in clips if clip.text and clip.transcriber]
    found = sorted(_breaking(spoken, agreement), key=lambda one: -one.otherwise)
    if any(one.convention == FILLERS for one in found):
        # Beside whose fillers are another matter, nobody's are too few.
        return found
    return [*found, *_leaving_out(spoken, agreement)]


def _breaking(clips: Sequence[Clip], agreement: Agreement) -> Iterator[Apart]:
    """Those who break a convention as a rule and not by a slip."""
    labels: Counter[str] = Counter()
    broken: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for clip in clips:
        assert clip.text is not None
        assert clip.transcriber is not None
        labels[clip.transcriber] += 1
        for step in agreement.steps(clip.text):
            broken[clip.transcriber, step.name].append(clip.text)
    agreed = {convention.name: convention.agreed for convention in agreement.conventions}
    ways = {one.convention: one for one in ways_of(clips, agreement.conventions)}
    for (name, convention), texts in broken.items():
        if len(texts) >= LABELS_MIN and len(texts) >= APART_MIN * labels[name]:
            told = f"; of {name}: {_ways(ways[convention], name)}" if convention in ways else ""
            example = f', such as "{texts[0]}"' if len(texts[0]) <= 60 else ""
            agreed_on = agreed.get(convention, "the characters of the agreement")
            yield Apart(
                name,
                convention,
                labels[name],
                len(texts),
                f"{len(texts)} of {labels[name]} labels of {name} break what is agreed on {convention} "
                f"({agreed_on}){example}{told}.",
            )


def _leaving_out(clips: Sequence[Clip], agreement: Agreement) -> Iterator[Apart]:
    """Those who write fillers much less often than the others do."""
    ways = next((one for one in ways_of(clips, agreement.conventions) if one.convention == FILLERS), None)
    if ways is None:
        return
    totals = ways.totals["transcriber"]
    limit = P_MAX / max(1, len(totals))
    for name, total in totals.items():
        others = ways.labels - total
        if min(total, others) < LABELS_MIN:
            continue
        without = ways.by["transcriber"][name].get(NOT_WRITTEN, 0)
        of_others = ways.overall.get(NOT_WRITTEN, 0) - without
        share, usual = without / total, of_others / others
        if share - usual >= APART_MIN and _p(without, total, of_others, others) < limit:
            yield Apart(
                name,
                FILLERS,
                total,
                without,
                f"{name} writes no filler in {share:.0%} of {total} labels, the others in {usual:.0%} of {others}: "
                "where one is said, it is left out (check --hear listens).",
            )


def _p(one: int, of_one: int, other: int, of_other: int) -> float:
    """Of two shares as unlike as these, if they were the same."""
    pooled = (one + other) / (of_one + of_other)
    spread = math.sqrt(pooled * (1 - pooled) * (1 / of_one + 1 / of_other))
    if not spread:
        return 1.0
    return 2 * NormalDist().cdf(-abs(one / of_one - other / of_other) / spread)


def _ways(ways: Ways, name: str) -> str:
    counts = Counter(ways.by["transcriber"].get(name, {}))
    total = ways.totals["transcriber"][name]
    return ", ".join(f"{way} {count / total:.0%}" for way, count in counts.most_common(4))
