"""How often the ten commands of commands-v1 are heard where nobody gave one, and missed where somebody did: the board
cuts utterances out of hours of other speech and noise, and its model judges each.

    scripts/bench false_commands --data DIR [--choose]

No recording of speech that is measured was learnt from or tuned by (benchmarks/talk.py has the parts). The noises were:
commands-v1.sh mixes all of each into what is learnt from, and only their first halves are tuned by. Hours are those of
sound, without the pauses that are put between. With --choose the operating point is found on the part to tune by and on
commands that were learnt from, and written into the card with what is measured.
"""

from collections.abc import Iterator
from pathlib import Path

import click
import msgspec

from benchmarks import corpus, talk
from benchmarks.corpus import RATE_HZ, Sound
from benchmarks.figures import progress
from benchmarks.wake import poisson_max
from edge.local.model import Model
from edge.local.spotter import OPERATING_POINT
from models.data.clip import Clip
from models.evaluation.evaluation import clips_of, wilson
from models.evaluation.judging import judged, utterances
from models.evaluation.operating_point import HOP_FRAMES, Counts, Group, Judged, Limits, at, chosen, summed, talk_of
from protos.feature_spec import DEFAULT_SPEC
from protos.model_card import CARD_FILE, OperatingPoint, write_model_card

SHIPPED = Path("models/files/commands-v1")
LIMITS = Limits(per_hour=0.5, share=0.02)
LEARNT_STEP = 4
"""Every so many of the commands that were learnt from."""


@click.command()
@click.option("--data", type=click.Path(exists=True, path_type=Path), required=True, help="Folder of recordings.")
@click.option("--model", "folder", type=click.Path(path_type=Path), default=SHIPPED, show_default=True)
@click.option("--choose", is_flag=True, help="Find the operating point, and write it into the card.")
def main(data: Path, folder: Path, choose: bool) -> None:
    """Count false commands; `--data` is a folder as corpus.py has it."""
    model = Model(folder, DEFAULT_SPEC)
    card, point = model.card, model.card.operating_points[OPERATING_POINT]
    if choose:
        tuned = [*(nobodys(group, model) for group in talk.groups(data, "tune")), given(data, "train", model)]
        choice = chosen(tuned, card, LIMITS)
        point = choice.point
        print(f"chosen: {point.smoothing_windows} windows, threshold {point.threshold:.2f}; within: {choice.within}")
        measured([(result, at(result, card, point)) for result in tuned], point)
    results = [*(nobodys(group, model) for group in talk.groups(data, "test")), given(data, "dev", model)]
    told = [(result, at(result, card, point)) for result in results]
    point = measured(told, point)
    if choose:
        points = card.operating_points | {OPERATING_POINT: point}
        write_model_card(folder / CARD_FILE, msgspec.structs.replace(card, operating_points=points))


def nobodys(group: talk.Group, model: Model) -> Judged:
    """Speech in which there is no command: what the model makes of each utterance."""
    samples = 0

    def counted() -> Iterator[Sound]:
        nonlocal samples
        for sound in group.sounds:
            samples += len(sound)
            progress(f"{group.name}: {samples / RATE_HZ / 3600:.2f} h")
            yield sound

    cut, _ = utterances(counted())
    said = [(number, judged(model, one, HOP_FRAMES)) for number, one in enumerate(cut)]
    clips = [(Path(), Clip(path=str(number), label="unknown")) for number in range(len(cut))]
    return Judged(Group(group.name, "traps" if group.is_near else "talk", clips), samples / RATE_HZ / 3600, said)


def given(data: Path, part: str, model: Model) -> Judged:
    """Commands, each an utterance."""
    folder, clips, _ = clips_of(data / "commands" / part, None)
    clips = [clip for clip in clips if clip.label in talk.COMMANDS][:: LEARNT_STEP if part == "train" else 1]
    cut, hours = utterances(corpus.read(folder / clip.path) for clip in clips)
    said = [(one.clip, judged(model, one, HOP_FRAMES)) for one in cut]
    return Judged(Group(f"people: commands/{part}", "commands", [(folder, clip) for clip in clips]), hours, said)


def measured(told: list[tuple[Judged, Counts]], point: OperatingPoint) -> OperatingPoint:
    """Prints it; the point with what it comes to."""
    print("\n| nobody gives a command | hours | utterances | short ones | false | an hour, at most (95 %) |")
    print("|---|---|---|---|---|---|")
    for result, counts in told:
        if not counts.of:
            print_row(result.group.name, result.hours, counts, short_ones([result]))
    talked = [(result, counts) for result, counts in told if result.group.kind == "talk"]
    hours, false = talk_of(told)
    print_row("**talk**", hours, summed(counts for _, counts in talked), short_ones([result for result, _ in talked]))
    commands = summed(counts for _, counts in told if counts.of)
    share = wilson(commands.right, commands.of)
    print("\n| commands | understood (95 %) | taken for another | not understood |\n|---|---|---|---|")
    lost = commands.of - commands.right - commands.wrong
    interval = f"{share.accuracy:.3f} ({share.low:.3f} to {share.high:.3f})"
    print(f"| {commands.of} | {interval} | {commands.wrong} | {lost} |", flush=True)
    return msgspec.structs.replace(
        point,
        false_per_hour=round(false / hours, 2),
        false_per_hour_max=round(poisson_max(false) / hours, 2),
        missed=round(1 - share.accuracy, 4),
    )


def short_ones(results: list[Judged]) -> int:
    """Utterances that are short enough for a command."""
    return sum(rows is not None for result in results for _, rows in result.said)


def print_row(name: str, hours: float, counts: Counts, short: int) -> None:
    rate = f"{counts.false / hours:.1f}, {poisson_max(counts.false) / hours:.2f}"
    print(f"| {name} | {hours:.2f} | {counts.others} | {short} | {counts.false} | {rate} |", flush=True)


if __name__ == "__main__":
    main()
