"""What the board would make of a set: commands understood, and what else it takes for one; and from which probability
on that is best."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec
import numpy as np

from common.errors import DataError, InputError, ModelError
from edge.local.model import Model, Probabilities
from edge.local.spotter import OPERATING_POINT, operating_point
from models.data.clip import Clip
from models.data.mixing import RATE_HZ, Sound
from models.data.placing import trimmed
from models.evaluation.evaluation import clips_of, write_card
from models.evaluation.judging import AFTER_S, BEFORE_S, judged, listened, smoothed, utterances
from models.evaluation.operating_point import (
    HOP_FRAMES,
    Choice,
    Counts,
    Group,
    Judged,
    Limits,
    at,
    chosen,
    guessed,
    metrics,
    summed,
)
from models.training.examples import read
from protos.feature_spec import DEFAULT_SPEC
from protos.model_card import CARD_FILE, ModelCard, OperatingPoint, read_model_card

LIMITS = {
    "commands": Limits(per_hour=1.0, share=0.01, near_share=0.25),
    "wake": Limits(per_hour=1.0, share=0.002, near_share=0.25),
}
"""By the kind of model: a wake word is listened for all day."""
COMMANDS, NEARLY, OTHER = "commands", "nearly commands", "other speech"
KINDS: dict[str, Literal["commands", "near", "traps"]] = {COMMANDS: "commands", NEARLY: "near", OTHER: "traps"}
NEAR = "near"
"""Of the slices of a clip: that it was made to be near a command."""
TOGETHER = 100
"""Clips that are read at a time."""

Tell = Callable[[str], None]


class Understood(NamedTuple):
    """Of one command."""

    right: int
    of: int


class Heard(NamedTuple):
    """A part of a set at an operating point."""

    point: OperatingPoint
    groups: dict[str, Counts]
    hours: dict[str, float]
    """Of each group, with the pauses between its clips."""
    by_command: dict[str, Understood]
    unread: dict[str, str]
    """Clips that could not be read, and why."""


def measure(
    model: Model, data: Path, part: str | None, point: OperatingPoint, tell: Tell
) -> tuple[Heard, list[Judged]]:
    """Of a manifest or a folder by class. DataError if there is nothing to judge."""
    results, unread = _results(model, data, part, tell)
    counts = {result.group.name: at(result, model.card, point) for result in results}
    hours = {result.group.name: result.hours for result in results}
    return Heard(point, counts, hours, _by_command(results, model, point), unread), results


def choose(folder: Path, data: Path, tell: Tell) -> Choice:
    """Finds the operating point on the tuning part, and writes it into the model's card. DataError if there is none, or
    no test part to measure with afterwards: the card would be told nothing then, and have lost what it said."""
    model = opened(folder)
    if data.is_dir():
        raise DataError(f"{data}: is a folder, not a manifest that is divided into tune and test; --choose wants both.")
    there = {clip.split for clip in clips_of(data, None)[1]}
    if missing := [part for part in ("tune", "test") if part not in there]:
        raise DataError(f"{data}: has no clip of the split {missing[0]}; --choose wants tune and test.")
    results, _ = _results(model, data, "tune", tell)
    if {"commands", "traps"} - {result.group.kind for result in results}:
        raise DataError(f"{data}: its tuning part has to have commands and other speech.")
    choice = chosen(results, model.card, LIMITS[model.card.kind])
    if model.card.kind == "wake":
        lag_ms = _lag_ms(results, model, choice.point)
        choice = choice._replace(point=msgspec.structs.replace(choice.point, lag_ms=lag_ms))
    _write(folder, model.card, choice.point, {})
    return choice


def record(folder: Path, heard: Heard, results: Sequence[Judged]) -> None:
    """Writes what was measured into the model's card, in place of what it said."""
    all_counts = summed(heard.groups.values())
    missed = round(1 - all_counts.right / all_counts.of, 4) if all_counts.of else None
    told = [(result, heard.groups[result.group.name]) for result in results]
    point = msgspec.structs.replace(heard.point, missed=missed)
    _write(folder, read_model_card(folder / CARD_FILE), point, metrics(told))


def opened(folder: Path) -> Model:
    """ModelError, a sentence, unless it is a model that commands are heard by."""
    model = Model(folder, DEFAULT_SPEC)
    if model.card.kind == "speech":
        raise ModelError(f"{folder}: this is a model for {model.card.kind}, and hears no commands.")
    operating_point(model.card)
    return model


def _results(model: Model, data: Path, part: str | None, tell: Tell) -> tuple[list[Judged], dict[str, str]]:
    """By group, and what could not be read."""
    folder, clips, unread = clips_of(data, part)
    by_name: dict[str, list[Clip]] = defaultdict(list)
    for clip in clips:
        if not clip.label:
            unread[clip.path] = "has no class, so nobody knows whether it is a command"
            continue
        by_name[f"{'machines' if clip.synthetic else 'people'}, {_what(clip, model)}"].append(clip)
    results = []
    for name, some in sorted(by_name.items()):
        there: list[tuple[Path, Clip]] = []
        said: list[tuple[int, Probabilities | None]] = []
        hours = 0.0
        for start in range(0, len(some), TOGETHER):
            tell(f"{name}: {start} of {len(some)}")
            sounds = list(_sounds(some[start : start + TOGETHER], folder, unread))
            made, more_hours = _said(model, [sound for _, sound in sounds])
            said += [(len(there) + number, probabilities) for number, probabilities in made]
            there += [(folder, clip) for clip, _ in sounds]
            hours += more_hours
        tell(f"{name}: {len(some)} of {len(some)}")
        if there:
            results.append(Judged(Group(name, KINDS[_what(some[0], model)], there), hours, said))
    if not results:
        raise DataError(f"{data}: no clip of it can be judged{_first(unread)}.")
    return results, unread


def _first(unread: dict[str, str]) -> str:
    return next((f"; {place}: {why.rstrip('.')}" for place, why in unread.items()), "")


def _what(clip: Clip, model: Model) -> str:
    """One of KINDS."""
    if clip.label in model.card.commands:
        return COMMANDS
    return NEARLY if clip.slices.get(NEAR) else OTHER


def _sounds(clips: Sequence[Clip], folder: Path, unread: dict[str, str]) -> Iterator[tuple[Clip, Sound]]:
    for clip in clips:
        try:
            sound = read(clip, folder)
        except InputError as error:
            unread[clip.path] = str(error)
            continue
        yield clip, trimmed(sound) if clip.synthetic else sound


def _said(model: Model, sounds: Sequence[Sound]) -> tuple[list[tuple[int, Probabilities | None]], float]:
    """What the model makes of each: of all of it for a wake word, else of the utterances; and how many hours."""
    if model.card.kind == "wake":
        hours = sum(len(sound) / RATE_HZ + BEFORE_S + AFTER_S for sound in sounds) / 3600
        return [(number, listened(model, sound, HOP_FRAMES)) for number, sound in enumerate(sounds)], hours
    cut, hours = utterances(sounds)
    return [(one.clip, judged(model, one, HOP_FRAMES)) for one in cut], hours


def _by_command(results: Sequence[Judged], model: Model, point: OperatingPoint) -> dict[str, Understood]:
    right, of = Counter[str](), Counter[str]()
    for result in results:
        for (_, clip), guess in zip(
            result.group.clips, guessed(result, model.card, point.smoothing_windows), strict=True
        ):
            if clip.label in model.card.commands:
                of[clip.label] += 1
                said = guess.label >= 0 and model.card.labels[guess.label] == clip.label
                right[clip.label] += said and guess.probability >= point.threshold
    return {label: Understood(right[label], count) for label, count in sorted(of.items())}


def _lag_ms(results: Sequence[Judged], model: Model, point: OperatingPoint) -> int | None:
    """From the end of the phrase until it counts as heard, the median of those that machines say; None: not known."""
    columns = [model.card.labels.index(label) for label in model.card.commands]
    lags = []
    for result in results:
        for (folder, clip), (_, rows) in zip(result.group.clips, result.said, strict=True):
            if clip.synthetic and clip.label in model.card.commands and rows is not None:
                heard = np.flatnonzero(
                    smoothed(rows[:, columns], point.smoothing_windows).max(axis=1) >= point.threshold
                )
                if len(heard):
                    end_ms = 1000 * (BEFORE_S + len(trimmed(read(clip, folder))) / RATE_HZ)
                    lags.append(10 * (heard[0] * HOP_FRAMES + model.card.window_frames) - end_ms)
    return max(0, round(float(np.median(lags)))) if lags else None


def _write(folder: Path, card: ModelCard, point: OperatingPoint, measured: dict[str, float]) -> None:
    write_card(folder, msgspec.structs.replace(card, operating_points={OPERATING_POINT: point}, metrics=measured))
