"""How many clips of what there are: the first look at any data set."""

from collections import Counter
from collections.abc import Iterator, Sequence

from models.data.clip import Clip

SHOWN_MAX = 12
"""Values of a property that are listed one by one; of more, how many there are and how they lie."""

PROPERTIES = ("split", "label", "source", "speaker", "transcriber", "licence")


def balance(clips: Sequence[Clip]) -> Iterator[str]:
    """Lines for a person, the most frequent first."""
    synthetic = sum(clip.synthetic for clip in clips)
    yield f"{len(clips)} clips, {synthetic} of them synthetic, {sum(clip.text is not None for clip in clips)} with text"
    for name in PROPERTIES:
        counts = Counter(getattr(clip, name) for clip in clips)
        unset = counts.pop(None, 0)
        if counts:
            yield f"{name}: {_told(counts)}{f'; {unset} without' if unset else ''}"


def _told(counts: Counter[str]) -> str:
    if len(counts) <= SHOWN_MAX:
        return ", ".join(f"{value} {count}" for value, count in counts.most_common())
    ordered = sorted(counts.values())
    middle = ordered[len(ordered) // 2]
    return f"{len(counts)} different, {ordered[0]} to {ordered[-1]} clips each, half of them {middle} or fewer"
