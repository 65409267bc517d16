"""From which probability on a command counts as heard: the threshold and the smoothing that understand most with so few
false commands."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from edge.local.model import Probabilities
from models.data.clip import Clip
from models.evaluation.judging import Guess, guesses
from protos.model_card import ModelCard, OperatingPoint

HOP_FRAMES = 10
THRESHOLDS = np.arange(40, 100) / 100
"""As cards have them: chosen by a hair more than 0.5, what is heard with 0.5 would count afterwards."""
SMOOTHINGS = (1, 2, 3)
METRIC_DECIMALS = 4


class Group(NamedTuple):
    """Clips that are told of together; the label of each is a command's or "unknown"."""

    name: str
    kind: Literal["commands", "talk", "traps", "near"]
    """talk: speech and noise as they go on for hours, without a command. traps: what else is said to the same device;
    nobody says it for hours. near: made so that it can hardly be told from a command, and hardly ever said."""
    clips: Sequence[tuple[Path, Clip]]
    """The folder that its path starts from, and the clip."""


class Judged(NamedTuple):
    """What the board's model made of a group."""

    group: Group
    hours: float
    """With the pauses between the clips."""
    said: Sequence[tuple[int, Probabilities | None]]
    """The number of a clip, and what an utterance in it is by window; None: it is too long for a command."""


class Limits(NamedTuple):
    """So many false commands are borne."""

    per_hour: float
    """Of talk."""
    share: float
    """Of traps."""
    near_share: float = 1.0
    """Of what is near."""


class Counts(NamedTuple):
    """Of a group, or several, at an operating point."""

    right: int = 0
    wrong: int = 0
    """Another command than was said."""
    of: int = 0
    """Commands said."""
    false: int = 0
    """Commands heard where none was said."""
    others: int = 0
    """Clips in which none was said."""


class Choice(NamedTuple):
    """What was chosen, and what it comes to on the groups it was chosen by."""

    point: OperatingPoint
    counts: Counts
    within: bool
    """Whether it keeps to the limits; else it is the strictest there is."""


AsGood = Callable[[Clip, str], bool]
"""Whether a command is a good answer to what is none."""


def at(judged: Judged, card: ModelCard, point: OperatingPoint, as_good: AsGood = lambda clip, label: False) -> Counts:
    """What a group comes to at an operating point."""
    made = guessed(judged, card, point.smoothing_windows)
    return counted(judged.group, made, card, point.threshold, as_good)


def guessed(judged: Judged, card: ModelCard, windows: int) -> list[Guess]:
    """The likeliest command of each clip."""
    columns = np.array([card.labels.index(label) for label in card.commands])
    return guesses(judged.said, len(judged.group.clips), columns, windows)


def counted(
    group: Group, made: Sequence[Guess], card: ModelCard, threshold: float, as_good: AsGood = lambda clip, label: False
) -> Counts:
    """Right, wrong and false commands."""
    right = wrong = of = false = 0
    for (_, clip), guess in zip(group.clips, made, strict=True):
        heard = card.labels[guess.label] if guess.label >= 0 and guess.probability >= threshold else None
        if clip.label not in card.commands:
            false += heard is not None and not as_good(clip, heard)
        else:
            of += 1
            right += heard == clip.label
            wrong += heard is not None and heard != clip.label
    return Counts(right, wrong, of, false, len(group.clips) - of)


def summed(counts: Iterable[Counts]) -> Counts:
    """Of several groups."""
    return Counts(*map(sum, zip(*counts, strict=True)))


def talk_of(told: Sequence[tuple[Judged, Counts]]) -> tuple[float, int]:
    """Hours of talk, and false commands in them."""
    talk = [(result.hours, counts.false) for result, counts in told if result.group.kind == "talk"]
    return sum(hours for hours, _ in talk), sum(false for _, false in talk)


def metrics(told: Sequence[tuple[Judged, Counts]]) -> dict[str, float]:
    """As a card has them."""
    found: dict[str, float] = {}
    for result, counts in told:
        name = result.group.name
        if result.group.kind in ("traps", "near"):
            found[f"commands heard/{name}"] = counts.false
        if counts.of:
            found[f"understood/{name}"] = round(counts.right / counts.of, METRIC_DECIMALS)
            found[f"clips/{name}"] = counts.of
    return found


def chosen(results: Sequence[Judged], card: ModelCard, limits: Limits) -> Choice:
    """Of each smoothing the least threshold within the limits, and of these the one that understands most, as a mean
    over the groups of commands."""
    hours = sum(result.hours for result in results if result.group.kind == "talk")
    traps, nearly = (
        sum(len(result.group.clips) for result in results if result.group.kind == kind) for kind in ("traps", "near")
    )
    most = {"talk": limits.per_hour * hours, "traps": limits.share * traps, "near": limits.near_share * nearly}
    best: tuple[tuple[bool, float], Choice] | None = None
    for windows in SMOOTHINGS:
        made = [(result.group, guessed(result, card, windows)) for result in results]
        for threshold in THRESHOLDS:
            counts = [(group, counted(group, some, card, threshold)) for group, some in made]
            false = {kind: sum(one.false for group, one in counts if group.kind == kind) for kind in most}
            within = all(false[kind] <= most[kind] for kind in most)
            if not within and threshold < THRESHOLDS[-1]:
                continue
            shares = [one.right / one.of for _, one in counts if one.of]
            point = OperatingPoint(
                threshold=round(float(threshold), 2), smoothing_windows=windows, hop_frames=HOP_FRAMES
            )
            choice = Choice(point, summed(one for _, one in counts), within)
            if best is None or (within, sum(shares)) > best[0]:
                best = (within, sum(shares)), choice
            break
    assert best is not None
    return best[1]
