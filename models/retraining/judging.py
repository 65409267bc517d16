"""Two models on the same clips, on the whole and by slice, pair by pair.

Utterances that were drawn for a label are rather such as the service was unsure of, so their errors are more than those
of use. Each counts for as many as it stands for, 1 / its chance, which makes that right (Hájek 1971).
"""

from collections import defaultdict
from collections.abc import Sequence

import msgspec

from models.errors.compare import compare
from models.errors.outcome import Outcome
from models.evaluation.evaluation import SLICE_CLIPS_MIN, Heard
from models.importing.service_log import BOARD, CHANCE
from models.retraining.given import DATA

WHOLE = ""
SLICES = (DATA, BOARD, "label", "source", "synthetic")
"""Properties by which clips are told apart."""
IN_USE = "as often as in use"
"""The slice of what was drawn for a label by chance, each as often as it stands for."""
LABEL_CLIPS_MIN = 10
"""A class is told of with fewer clips than other slices: each is asked for."""


class Judged(msgspec.Struct, frozen=True):
    """One slice; rates are shares of the clips."""

    slice: str
    """Such as ``data = new``; empty: all."""
    clips: int
    rate_before: float
    """Of the model that the candidate is beside."""
    rate_after: float
    low: float
    high: float
    """95 % interval of the difference; less is better."""
    mended: int
    broken: int

    @property
    def difference(self) -> float:
        return self.rate_after - self.rate_before

    @property
    def verdict(self) -> str:
        """A word."""
        if self.low <= 0 <= self.high:
            return "may be luck"
        return "better" if self.difference < 0 else "worse"


def judged(before: Sequence[Outcome], after: Sequence[Outcome]) -> list[Judged]:
    """The whole first, then what is known of use, then the slices that are large enough to say anything. DataError
    where nothing is shared."""
    groups: dict[str, list[Outcome]] = defaultdict(list)
    for one in before:
        for name in SLICES:
            if (value := one.properties.get(name)) is not None:
                groups[f"{name} = {value}"].append(one)
    found = [_one(WHOLE, before, after)]
    drawn = [[_weighed(one) for one in some if CHANCE in one.properties] for some in (before, after)]
    if len(drawn[0]) >= SLICE_CLIPS_MIN:
        found.append(_one(IN_USE, *drawn))
    for name, some in groups.items():
        least = LABEL_CLIPS_MIN if name.startswith("label ") else SLICE_CLIPS_MIN
        if least <= len(some) < len(before):
            found.append(_one(name, some, after))
    return found


def _one(name: str, before: Sequence[Outcome], after: Sequence[Outcome]) -> Judged:
    told = compare(before, after)
    return Judged(
        name,
        told.clips,
        told.rate_a,
        told.rate_b,
        told.difference_low,
        told.difference_high,
        len(told.mended),
        len(told.broken),
    )


def _weighed(one: Outcome) -> Outcome:
    """With the weight of all that it stands for."""
    weight = 1 / float(one.properties[CHANCE])
    return msgspec.structs.replace(one, errors=weight * one.errors, units=weight * one.units)


def unique(heard: tuple[Outcome, Heard]) -> Outcome:
    """By the stretch and not by the file alone: several clips may be of one recording."""
    outcome, (clip, _, _) = heard
    stretch = "" if clip.start_ms is None else f"#{clip.start_ms}"
    return msgspec.structs.replace(outcome, path=f"{outcome.path}{stretch}")
