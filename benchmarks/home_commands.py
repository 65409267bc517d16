"""How well the board's own model home-v1 understands, and how often it hears a command that nobody gave.

    scripts/bench home_commands --data DIR --spoken DIR [--choose]

`--spoken` holds manifests that `parrotlet-models synthesise` wrote with voices that were never learnt from, as
models/recipes/home-v1.sh makes them. The board's gate and segmenter cut the utterances, pauses of 1.2 s between the
clips. With `--choose` the operating point is found on the tuning parts, and written into the card with what is
measured.
"""

import pickle
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import click
import msgspec
import numpy as np

from benchmarks import corpus
from benchmarks.wake import poisson_max
from edge.local.model import Model
from models.data.clip import Clip
from models.data.manifest import read_manifest
from models.evaluation.evaluation import wilson
from models.home.data_set import HASHES, number, real, trimmed
from models.home.judging import Guess, Uttered, guesses, judged, utterances
from models.training.examples import read
from protos.feature_spec import DEFAULT_SPEC
from protos.model_card import CARD_FILE, ModelCard, OperatingPoint, write_model_card

HOP_FRAMES = 10
FALSE_PER_HOUR_MAX = 1.0
"""Of orders, sentences and noise."""
WRONG_SHARE_MAX = 0.01
"""Of other sentences to the same device, spoken by machines, and of single words that people say."""
THRESHOLDS = np.arange(0.40, 0.995, 0.01)
SMOOTHINGS = (1, 2, 3)
TRAPS = ("other speech", "people, commands", "people, words", "people, other words")
NOISES_KEPT = ("exercise_bike", "doing_the_dishes")
"""The others are learnt from."""

PHRASES = {
    "next": "next",
    "pause": "pause",
    "resume": "resume",
    "what's the weather like?": "weather",
    "skip this song": "next",
    "stop my timer": "timer_stop",
    "turn on the lights": "lights_on",
}
"""Of sentences/, those that are commands as they are."""
AS_GOOD = {
    "cancel all timers": "timer_stop",
    "stop all of my timers": "timer_stop",
    "turn the lights off in here": "lights_off",
}
"""Nearly commands: this answer is no false one."""


class Group(NamedTuple):
    """Clips that are told of together."""

    name: str
    tuning: bool
    clips: list[tuple[Path, Clip]]
    """The folder, and the clip; its label is a command's or "unknown"."""


class Judged(NamedTuple):
    """What was guessed of a group."""

    group: Group
    hours: float
    said: list[tuple[int, np.ndarray | None]]


@click.command()
@click.option("--model", type=click.Path(path_type=Path), default=Path("models/files/home-v1"), show_default=True)
@click.option("--data", type=click.Path(exists=True, path_type=Path), required=True, help="Real recordings.")
@click.option("--spoken", type=click.Path(exists=True, path_type=Path), required=True, help="Machines' speech.")
@click.option("--cache", type=click.Path(path_type=Path), help="Keeps the utterances for another model.")
@click.option("--choose", is_flag=True, help="Find the operating point, and write it into the card.")
@click.option("--prepare", is_flag=True, help="Only fill the cache.")
def main(model: Path, data: Path, spoken: Path, cache: Path | None, choose: bool, prepare: bool) -> None:
    """Measure home-v1 on voices and people that it never heard."""
    found = [*spoken_groups(spoken), *real_groups(data)]
    heard = {group.name: cut(group, cache) for group in found}
    if prepare:
        return
    board = Model(model, DEFAULT_SPEC)
    results = [
        Judged(group, hours, [(one.clip, judged(board, one, HOP_FRAMES)) for one in said])
        for group in found
        for said, hours in (heard[group.name],)
    ]
    if choose:
        point = chosen([result for result in results if result.group.tuning], board.card)
    else:
        point = board.card.operating_points["default"]
    told = told_of([result for result in results if not result.group.tuning], board.card, point)
    if choose:
        write_card(model, board.card, point, told)


def spoken_groups(folder: Path) -> Iterator[Group]:
    """tu_*.jsonl to tune by, te_*.jsonl to measure with; by voice."""
    for file in sorted(folder.glob("t[ue]_*.jsonl")):
        clips = read_manifest(file).clips
        kind = "phrases" if any(clip.label != "unknown" for clip in clips) else "other speech"
        for source in sorted({clip.source or "" for clip in clips}):
            some = [(folder, clip) for clip in clips if clip.source == source]
            part = "tuning" if file.name.startswith("tu_") else "held out"
            yield Group(f"{kind}, {source} ({part})", part == "tuning", some)


def real_groups(data: Path) -> Iterator[Group]:
    """Of people: words, orders, sentences; and noise."""
    tune = [clip for clip in real(data) if clip.split == "tune"]
    stops = [clip for clip in tune if clip.label == "stop"]
    others = [msgspec.structs.replace(clip, label="unknown") for clip in tune if clip.label != "stop"]
    yield Group('people, "stop" (tuning)', True, [(data, clip) for clip in stops])
    for source in ("commands", "words", "orders"):
        yield Group(f"people, {source} (tuning)", True, [(data, clip) for clip in others if clip.source == source])
    dev = [
        (data, Clip(path=str(file.relative_to(data)), label="stop" if file.parent.name == "stop" else "unknown"))
        for file in sorted((data / "commands" / "dev").glob("*/*.flac"))
        if file.parent.name != "silence"
    ]
    yield Group('people, "stop"', False, [one for one in dev if one[1].label == "stop"])
    yield Group("people, other words", False, [one for one in dev if one[1].label == "unknown"])
    orders = [file for file in corpus.order_files(data) if number(file.name) % HASHES >= HASHES * 7 // 10]
    yield Group("people, orders", False, [(data, Clip(path=f"orders/{file.name}", label="unknown")) for file in orders])
    yield from sentence_groups(data)
    noises = [Clip(path=f"noise/{name}.flac", label="unknown") for name in NOISES_KEPT]
    yield Group("noise", False, [(data, clip) for clip in noises])


def sentence_groups(data: Path) -> Iterator[Group]:
    """Home phrases measure, and of the rest one collection; the others tune."""
    parts: dict[str, list[tuple[Path, Clip]]] = {}
    for file, text in corpus.sentences(data):
        collection = file.name.partition("-")[0]
        label = PHRASES.get(text.lower(), "unknown")
        home = collection == "speech_to_phrase" or label != "unknown"
        spoken = (
            "machines"
            if home and text.lower() in ("skip this song", "stop my timer", "turn on the lights")
            else "people"
        )
        if label != "unknown":
            name = f"home phrases of sentences/, {spoken}"
        else:
            name = "sentences" if home or collection == "howl" else "sentences (tuning)"
        clip = Clip(path=str(file.relative_to(data)), text=text.lower(), label=label)
        parts.setdefault(name, []).append((data, clip))
    for name, clips in sorted(parts.items()):
        yield Group(name, name.endswith("(tuning)"), clips)


def cut(group: Group, cache: Path | None) -> tuple[list[Uttered], float]:
    """The utterances of a group, and its hours."""
    file = cache / f"{''.join(filter(str.isalnum, group.name))}.pickle" if cache else None
    if file and file.exists():
        made: tuple[list[Uttered], float] = pickle.loads(file.read_bytes())
        return made
    sounds = (read(clip, folder) for folder, clip in group.clips)
    made = utterances(
        trimmed(sound) if clip.synthetic else sound for sound, (_, clip) in zip(sounds, group.clips, strict=True)
    )
    if file:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(pickle.dumps(made))
    return made


def guessed(result: Judged, card: ModelCard, windows: int) -> list[Guess]:
    """Of each clip."""
    columns = np.array([card.labels.index(label) for label in card.commands])
    return guesses(result.said, len(result.group.clips), columns, windows)


class Counts(NamedTuple):
    """Of a group at an operating point."""

    right: int
    wrong: int
    """Another command than was said."""
    of: int
    """Commands said."""
    false: int
    """Commands heard where none was said."""


def counted(result: Judged, guesses_: Sequence[Guess], card: ModelCard, threshold: float) -> Counts:
    """Right, wrong and false ones."""
    right = wrong = of = false = 0
    for (_, clip), guess in zip(result.group.clips, guesses_, strict=True):
        heard = card.labels[guess.label] if guess.label >= 0 and guess.probability >= threshold else None
        if clip.label == "unknown":
            false += heard is not None and heard != AS_GOOD.get(clip.text or "")
        else:
            of += 1
            right += heard == clip.label
            wrong += heard is not None and heard != clip.label
    return Counts(right, wrong, of, false)


def chosen(results: Sequence[Judged], card: ModelCard) -> OperatingPoint:
    """The smoothing and the least threshold with so few false commands that understands most."""
    hours = sum(result.hours for result in results if of_people(result.group))
    sentences = sum(len(result.group.clips) for result in results if is_trap(result.group))
    best: tuple[float, int, float] | None = None
    for windows in SMOOTHINGS:
        every = [(result, guessed(result, card, windows)) for result in results]
        for threshold in THRESHOLDS:
            counts = [(result.group, counted(result, some, card, threshold)) for result, some in every]
            false = sum(one.false for group, one in counts if of_people(group))
            wrong = sum(one.false for group, one in counts if is_trap(group))
            if false / hours <= FALSE_PER_HOUR_MAX and wrong / sentences <= WRONG_SHARE_MAX:
                right = sum(one.right / one.of for _, one in counts if one.of)
                if best is None or right > best[0]:
                    best = right, windows, float(threshold)
                break
    assert best is not None, "no threshold is high enough"
    told = f"{hours:.2f} h of orders and sentences, {sentences} other sentences and words"
    print(f"chosen: {best[1]} windows, threshold {best[2]:.2f}; {told}")
    return OperatingPoint(threshold=round(best[2], 2), smoothing_windows=best[1], hop_frames=HOP_FRAMES)


def is_trap(group: Group) -> bool:
    """Other sentences of the domain, and single words: nobody says them for hours, and each is a trap."""
    return group.name.startswith(TRAPS)


def of_people(group: Group) -> bool:
    """Speech and noise without a command."""
    return not is_trap(group) and all(clip.label == "unknown" for _, clip in group.clips)


def told_of(results: Sequence[Judged], card: ModelCard, point: OperatingPoint) -> dict[str, tuple[float, Counts]]:
    """Prints the tables; hours and counts by group."""
    told = {}
    print("\n| commands | right | another command | not understood |\n|---|---|---|---|")
    for result in results:
        counts = counted(result, guessed(result, card, point.smoothing_windows), card, point.threshold)
        told[result.group.name] = result.hours, counts
        if counts.of:
            share = wilson(counts.right, counts.of)
            print(
                f"| {result.group.name} | {counts.right} of {counts.of}: {share.accuracy:.3f} "
                f"({share.low:.3f} to {share.high:.3f}) | {counts.wrong} | {counts.of - counts.right - counts.wrong} |"
            )
    print("\n| no commands | clips | hours | false commands |\n|---|---|---|---|")
    for result in results:
        if not told[result.group.name][1].of:
            false = told[result.group.name][1].false
            print(f"| {result.group.name} | {len(result.group.clips)} | {result.hours:.2f} | {false} |")
    hours, false = totals(told)
    print(f"| orders, sentences, noise | | {hours:.2f} | {false}: {rate_told(false, hours)} |")
    return told


def rate_told(false: int, hours: float) -> str:
    """As a rate, with its 95 % bound."""
    return f"{false / hours:.2f} an hour, at most {poisson_max(false) / hours:.2f} (95 %)"


def totals(told: dict[str, tuple[float, Counts]]) -> tuple[float, int]:
    """Hours and false commands of people who went on speaking, and of noise."""
    names = [name for name, (_, counts) in told.items() if not counts.of and not name.startswith(TRAPS)]
    without = [(hours, counts.false) for hours, counts in (told[name] for name in names)]
    return sum(hours for hours, _ in without), sum(false for _, false in without)


def write_card(folder: Path, card: ModelCard, point: OperatingPoint, told: dict[str, tuple[float, Counts]]) -> None:
    """With the operating point, and what was measured."""
    hours, false = totals(told)
    metrics: dict[str, float] = {"hours of orders, sentences and noise": round(hours, 2), "false commands": false}
    for name, (_, counts) in told.items():
        if name.startswith(TRAPS):
            metrics[f"commands heard/{name}"] = counts.false
        if counts.of:
            metrics |= {f"understood/{name}": round(counts.right / counts.of, 4), f"clips/{name}": counts.of}
    voices = [counts for name, (_, counts) in told.items() if counts.of and name.startswith("phrases")]
    point = msgspec.structs.replace(
        point,
        false_per_hour=round(false / hours, 3),
        false_per_hour_max=round(poisson_max(false) / hours, 3),
        missed=round(1 - sum(one.right for one in voices) / sum(one.of for one in voices), 4),
    )
    new = msgspec.structs.replace(card, operating_points={"default": point}, metrics=metrics)
    write_model_card(folder / CARD_FILE, new)


if __name__ == "__main__":
    main()
