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

import click
import msgspec

from benchmarks import corpus
from benchmarks.wake import poisson_max
from edge.local.model import Model
from models.data.clip import Clip
from models.data.manifest import read_manifest
from models.data.placing import number, trimmed
from models.evaluation.evaluation import wilson
from models.evaluation.judging import Uttered, judged, utterances
from models.evaluation.operating_point import (
    HOP_FRAMES,
    Counts,
    Group,
    Judged,
    Limits,
    at,
    chosen,
    metrics,
    talk_of,
)
from models.home.data_set import HASHES, real
from models.training.examples import read
from protos.feature_spec import DEFAULT_SPEC
from protos.model_card import CARD_FILE, ModelCard, OperatingPoint, write_model_card

LIMITS = Limits(per_hour=1.0, share=0.01)
"""Orders, sentences and noise are talk; other sentences to the same device, spoken by machines, and single words that
people say are traps."""
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
    point = board.card.operating_points["default"]
    if choose:
        choice = chosen([result for result in results if is_tuned_by(result.group)], board.card, LIMITS)
        assert choice.within, "no threshold is high enough"
        point = choice.point
        print(f"chosen: {point.smoothing_windows} windows, threshold {point.threshold:.2f}")
    told = told_of([result for result in results if not is_tuned_by(result.group)], board.card, point)
    if choose:
        write_card(model, board.card, point, told)


def spoken_groups(folder: Path) -> Iterator[Group]:
    """tu_*.jsonl to tune by, te_*.jsonl to measure with; by voice."""
    for file in sorted(folder.glob("t[ue]_*.jsonl")):
        clips = read_manifest(file).clips
        said = any(clip.label != "unknown" for clip in clips)
        what = "phrases" if said else "other speech"
        for source in sorted({clip.source or "" for clip in clips}):
            some = [(folder, clip) for clip in clips if clip.source == source]
            part = "tuning" if file.name.startswith("tu_") else "held out"
            yield Group(f"{what}, {source} ({part})", "commands" if said else "traps", some)


def real_groups(data: Path) -> Iterator[Group]:
    """Of people: words, orders, sentences; and noise."""
    tune = [clip for clip in real(data) if clip.split == "tune"]
    stops = [clip for clip in tune if clip.label == "stop"]
    others = [msgspec.structs.replace(clip, label="unknown") for clip in tune if clip.label != "stop"]
    yield Group('people, "stop" (tuning)', "commands", [(data, clip) for clip in stops])
    for source in ("commands", "words", "orders"):
        some = [(data, clip) for clip in others if clip.source == source]
        yield Group(f"people, {source} (tuning)", "talk" if source == "orders" else "traps", some)
    dev = [
        (data, Clip(path=str(file.relative_to(data)), label="stop" if file.parent.name == "stop" else "unknown"))
        for file in sorted((data / "commands" / "dev").glob("*/*.flac"))
        if file.parent.name != "silence"
    ]
    yield Group('people, "stop"', "commands", [one for one in dev if one[1].label == "stop"])
    yield Group("people, other words", "traps", [one for one in dev if one[1].label == "unknown"])
    orders = [file for file in corpus.order_files(data) if number(file.name) % HASHES >= HASHES * 7 // 10]
    some = [(data, Clip(path=f"orders/{file.name}", label="unknown")) for file in orders]
    yield Group("people, orders", "talk", some)
    yield from sentence_groups(data)
    noises = [Clip(path=f"noise/{name}.flac", label="unknown") for name in NOISES_KEPT]
    yield Group("noise", "talk", [(data, clip) for clip in noises])


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
        yield Group(name, "talk" if name.startswith("sentences") else "commands", clips)


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


def as_good(clip: Clip, label: str) -> bool:
    """Of what is nearly a command."""
    return label == AS_GOOD.get(clip.text or "")


def is_tuned_by(group: Group) -> bool:
    """Not measured with."""
    return group.name.endswith("(tuning)")


def told_of(results: Sequence[Judged], card: ModelCard, point: OperatingPoint) -> list[tuple[Judged, Counts]]:
    """Prints the tables; counts by group."""
    told = [(result, at(result, card, point, as_good)) for result in results]
    print("\n| commands | right | another command | not understood |\n|---|---|---|---|")
    for result, counts in told:
        if counts.of:
            share = wilson(counts.right, counts.of)
            print(
                f"| {result.group.name} | {counts.right} of {counts.of}: {share.accuracy:.3f} "
                f"({share.low:.3f} to {share.high:.3f}) | {counts.wrong} | {counts.of - counts.right - counts.wrong} |"
            )
    print("\n| no commands | clips | hours | false commands |\n|---|---|---|---|")
    for result, counts in told:
        if not counts.of:
            print(f"| {result.group.name} | {len(result.group.clips)} | {result.hours:.2f} | {counts.false} |")
    hours, false = talk_of(told)
    print(f"| orders, sentences, noise | | {hours:.2f} | {false}: {rate_told(false, hours)} |")
    return told


def rate_told(false: int, hours: float) -> str:
    """As a rate, with its 95 % bound."""
    return f"{false / hours:.2f} an hour, at most {poisson_max(false) / hours:.2f} (95 %)"


def write_card(folder: Path, card: ModelCard, point: OperatingPoint, told: Sequence[tuple[Judged, Counts]]) -> None:
    """With the operating point, and what was measured."""
    hours, false = talk_of(told)
    voices = [counts for result, counts in told if result.group.name.startswith("phrases")]
    point = msgspec.structs.replace(
        point,
        false_per_hour=round(false / hours, 3),
        false_per_hour_max=round(poisson_max(false) / hours, 3),
        missed=round(1 - sum(one.right for one in voices) / sum(one.of for one in voices), 4),
    )
    counted_in = {"hours of orders, sentences and noise": round(hours, 2), "false commands": float(false)}
    new = msgspec.structs.replace(card, operating_points={"default": point}, metrics=counted_in | metrics(told))
    write_model_card(folder / CARD_FILE, new)


if __name__ == "__main__":
    main()
