"""How often the ten commands of commands-v1 are heard where nobody gave one: the board cuts utterances out of hours of
other speech and noise, and its model judges each.

    scripts/bench false_commands --data DIR              measured: nothing was learnt from it or tuned by it
    scripts/bench false_commands --data DIR --part tune  the part to tune by

What is heard is told in benchmarks/talk.py. Hours are those of sound, without the pauses that are put between.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import click

from benchmarks.corpus import RATE_HZ, Sound
from benchmarks.figures import progress
from benchmarks.talk import Group, groups
from benchmarks.wake import poisson_max
from edge.local.model import Model
from edge.local.spotter import Spotter, likeliest
from models.data.clip import Split
from models.home.judging import SPEECH_WINDOWS_MAX, Uttered, utterances
from protos.feature_spec import DEFAULT_SPEC

SHIPPED = Path("models/files/commands-v1")


class Falsely(NamedTuple):
    """What was made of it."""

    hours: float
    utterances: int
    judged: int
    """Those that are short enough for a command."""
    commands: list[str]


@click.command()
@click.option("--data", type=click.Path(exists=True, path_type=Path), required=True, help="Folder of recordings.")
@click.option("--model", "folder", type=click.Path(path_type=Path), default=SHIPPED, show_default=True)
@click.option("--part", type=click.Choice(["test", "tune"]), default="test", show_default=True)
def main(data: Path, folder: Path, part: Split) -> None:
    """Count false commands; `--data` is a folder as corpus.py has it."""
    model = Model(folder, DEFAULT_SPEC)
    spotter = Spotter(model)
    print("| nobody gives a command | hours | utterances | short ones | false | an hour, at most (95 %) |")
    print("|---|---|---|---|---|---|", flush=True)
    found = []
    for group in groups(data, part):
        found.append(listen(group, spotter, model.card.window_frames))
        print_row(group.name, found[-1])
    hours, uttered, judged, commands = zip(*found, strict=True)
    print_row("**all**", Falsely(sum(hours), sum(uttered), sum(judged), sum(commands, [])))


def listen(group: Group, spotter: Spotter, window_frames: int) -> Falsely:
    """Cuts utterances as the board does, and asks the model of those that its own model would be asked of."""
    samples = 0

    def counted() -> Iterator[Sound]:
        nonlocal samples
        for sound in group.sounds:
            samples += len(sound)
            progress(f"{group.name}: {samples / RATE_HZ / 3600:.2f} h")
            yield sound

    uttered, _ = utterances(counted())
    short = [one for one in uttered if one.speech_ms <= SPEECH_WINDOWS_MAX * window_frames * DEFAULT_SPEC.frame_ms]
    heard = [label for one in short if (label := command(spotter, one)) is not None]
    return Falsely(samples / RATE_HZ / 3600, len(uttered), len(short), heard)


def command(spotter: Spotter, uttered: Uttered) -> str | None:
    """What the board answers."""
    spotter.reset()
    spotted = likeliest([spotter.push(uttered.levels), spotter.finish()])
    return None if spotted is None else spotted.label


def print_row(name: str, found: Falsely) -> None:
    count = len(found.commands)
    told = f"{count}: {', '.join(sorted(set(found.commands)))}" if count else "0"
    rate = f"{count / found.hours:.1f}, {poisson_max(count) / found.hours:.2f}"
    print(f"| {name} | {found.hours:.2f} | {found.utterances} | {found.judged} | {told} | {rate} |", flush=True)


if __name__ == "__main__":
    main()
