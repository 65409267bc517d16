"""How often a model of classes is right: over all, by class, by slice, with how sure that is."""

import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from common.errors import DataError, InputError, ModelError
from edge.local.model import Model
from models.data.clip import Clip
from models.data.manifest import read_manifest
from models.errors.outcome import Outcome, outcome
from models.importing.told import SOUND_SUFFIXES
from models.training.examples import frames, read, windowed
from protos.feature_spec import DEFAULT_SPEC
from protos.model_card import CARD_FILE, ModelCard, read_model_card, write_model_card

METRIC_DECIMALS = 4
SLICE_CLIPS_MIN = 20
"""A card tells no accuracy of fewer clips."""
Z = 1.96
"""Of a 95 % interval."""


class Share(msgspec.Struct, frozen=True):
    """How many of how many, and where the true share lies with 95 %."""

    right: int
    of: int
    accuracy: float
    low: float
    high: float


class Evaluation(msgspec.Struct, frozen=True):
    """All that is told of a model on a set."""

    accuracy: float
    low: float
    high: float
    clips: int
    by_class: dict[str, Share]
    by_slice: dict[str, Share]
    """Such as ``speaker=ann``."""
    confusion: dict[str, dict[str, int]]
    """How often a class was heard as which."""
    unread: dict[str, str]
    """Clips, and lines of the manifest, that could not be read, and why."""


class Heard(NamedTuple):
    """A clip's class, and what was heard."""

    clip: Clip
    label: str
    heard: str


def wilson(right: int, of: int) -> Share:
    """By Wilson (1927), which is good at the ends, too."""
    if not of:
        return Share(0, 0, 0.0, 0.0, 1.0)
    share = right / of
    middle, half = share + Z**2 / (2 * of), Z * math.sqrt(share * (1 - share) / of + (Z / (2 * of)) ** 2)
    scale = 1 + Z**2 / of
    return Share(right, of, share, max(0.0, (middle - half) / scale), min(1.0, (middle + half) / scale))


class Listened(NamedTuple):
    """What a model made of a set."""

    clips: Sequence[Heard]
    labels: Sequence[str]
    """Of the model."""
    unread: dict[str, str]


def evaluate(model: Path, data: Path, part: str | None = None) -> Evaluation:
    """`listen`, summed up."""
    return summed_up(*listen(model, data, part))


def listen(model: Path, data: Path, part: str | None = None) -> Listened:
    """Through the board's own interpreter. `data` is a manifest, or a folder with a folder of sound for each class;
    of a manifest, only the split `part` if that is given."""
    board = Model(model, DEFAULT_SPEC)
    folder, clips, unread = clips_of(data, part)
    other = "unknown" if "unknown" in board.card.labels else None
    heard: list[Heard] = []
    for clip in clips:
        label = clip.label if clip.label in board.card.labels else other
        if clip.label is None or label is None:
            unread[clip.path] = "has no class that the model knows"
            continue
        try:
            levels = windowed(frames(read(clip, folder)), board.card.window_frames)
        except InputError as error:
            unread[clip.path] = str(error)
            continue
        heard.append(Heard(clip, label, board.card.labels[int(board.probabilities(levels, 1)[0].argmax())]))
    if not heard:
        why = next((f" {path}: {why.rstrip('.')}." for path, why in unread.items()), "")
        raise DataError(f"{data}: no clip of it can be judged.{why}")
    return Listened(heard, board.card.labels, unread)


def outcomes(heard: Sequence[Heard]) -> list[Outcome]:
    """As `parrotlet-models errors` reads them."""
    return [outcome(one.clip, truth=one.label, said=one.heard, errors=float(one.label != one.heard)) for one in heard]


def record(model: Path, result: Evaluation) -> None:
    """Puts what was measured in place of what the model's card said, speakers aside: a card goes out with its model."""
    card = read_model_card(model / CARD_FILE)
    metrics = {"accuracy": result.accuracy, "clips": float(result.clips)}
    metrics |= {f"accuracy/{name}": share.accuracy for name, share in result.by_class.items()}
    metrics |= {
        f"accuracy/{name}": share.accuracy
        for name, share in result.by_slice.items()
        if share.of >= SLICE_CLIPS_MIN and not name.startswith("speaker=")
    }
    rounded = {name: round(value, METRIC_DECIMALS) for name, value in metrics.items()}
    write_card(model, msgspec.structs.replace(card, metrics=rounded))


def write_card(model: Path, card: ModelCard) -> None:
    """In place of the one that is there. ModelError if it cannot be written."""
    try:
        write_model_card(model / CARD_FILE, card)
    except OSError as error:
        raise ModelError(f"{model / CARD_FILE}: cannot be written: {error.strerror}.") from error


def clips_of(data: Path, part: str | None) -> tuple[Path, list[Clip], dict[str, str]]:
    """The folder that paths start from, the clips, and what is wrong with other lines. DataError if there are none, or
    a split is asked for that nobody wrote down."""
    if data.is_dir():
        if part is not None:
            raise DataError(f"{data}: a folder says of no clip that it is of the split {part}; give a manifest.")
        files = [file for file in sorted(data.glob("*/*")) if file.suffix.lower() in SOUND_SUFFIXES]
        if not files:
            raise DataError(f"{data}: has no folder with sound in it.")
        return data, [Clip(path=file.relative_to(data).as_posix(), label=file.parent.name) for file in files], {}
    read = read_manifest(data)
    return read.folder, [clip for clip in read.clips if part in (None, clip.split)], read.unread


def summed_up(heard: Sequence[Heard], labels: Sequence[str], unread: dict[str, str]) -> Evaluation:
    """Counts."""
    right, of = Counter[str](), Counter[str]()
    right_in, of_in = Counter[str](), Counter[str]()
    confusion = {label: Counter[str]() for label in labels}
    for clip, label, said in heard:
        confusion[label][said] += 1
        of[label] += 1
        right[label] += label == said
        for name in slices(clip):
            of_in[name] += 1
            right_in[name] += label == said
    total = wilson(sum(right.values()), len(heard))
    return Evaluation(
        accuracy=total.accuracy,
        low=total.low,
        high=total.high,
        clips=len(heard),
        by_class={label: wilson(right[label], of[label]) for label in labels if of[label]},
        by_slice={name: wilson(right_in[name], count) for name, count in sorted(of_in.items())},
        confusion={label: dict(counts.most_common()) for label, counts in confusion.items() if counts},
        unread=unread,
    )


def slices(clip: Clip) -> list[str]:
    """Those that a clip belongs to by what the manifest says of it."""
    named = {"source": clip.source, "speaker": clip.speaker, **clip.slices}
    return [f"{name}={value}" for name, value in named.items() if value] + (["synthetic"] if clip.synthetic else [])


def error_pairs(evaluation: Evaluation) -> list[tuple[str, str, int]]:
    """Which class was taken for which, the most frequent first."""
    pairs = [
        (label, said, n) for label, row in evaluation.confusion.items() for said, n in row.items() if said != label
    ]
    return sorted(pairs, key=lambda pair: -pair[2])
